/// What the user of a connection may do, compared with what a role of ``DatabaseRole`` needs.
public struct RightsReport: Sendable, Equatable {
    /// The database's user.
    public var user: String
    /// What the role needs and the user has not: `insert on interactions`.
    public var missing: [String] = []
    /// What the user may do and the role does not need.
    public var excess: [String] = []

    /// Nothing missing and nothing beyond.
    public init(user: String) { self.user = user }
}

extension StoreQueries {
    /// Compares the rights of this connection's user with those of a role.
    public func rights(for role: DatabaseRole) throws(StoreError) -> RightsReport {
        try pool.withConnection { (connection) throws(StoreError) in
            let about = try connection.run(
                """
                select current_user::text, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
                    coalesce(has_schema_privilege(current_schema(), 'create'), false), has_database_privilege(current_database(), 'create'),
                    has_database_privilege(current_database(), 'temporary'), current_schema() is not null
                from pg_roles where rolname = current_user
                """)
            var report = RightsReport(user: about.string(0, 0) ?? "")
            for (column, name) in [(1, "superuser"), (2, "createdb"), (3, "createrole"), (4, "replication"), (5, "bypassrls")]
            where about.bool(0, column) {
                report.excess.append(name)
            }
            guard about.bool(0, 9) else {
                report.missing.append("usage on the schema of the tables")
                return report
            }
            let makes = about.bool(0, 6)
            if role == .migrate, !makes { report.missing.append("create on the schema") }
            if role != .migrate, makes { report.excess.append("create on the schema") }
            if about.bool(0, 7) { report.excess.append("create on the database") }
            if role.isStaging, !about.bool(0, 8) { report.missing.append("temporary on the database") }
            // A superuser has every right: what else could be said is said by that word.
            if about.bool(0, 1) { return report }
            try compareTables(role, connection, &report)
            return report
        }
    }

    private func compareTables(_ role: DatabaseRole, _ connection: Connection, _ report: inout RightsReport) throws(StoreError) {
        var known = Parameters()
        known.add(DatabaseRole.tables)
        let rows = try connection.run(
            """
            with t as (
                select c.oid, c.relname::text as name, c.relowner from pg_class c
                where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v')
                    and (c.relname = any($1) or c.relowner = (select relowner from pg_class where oid = to_regclass('freshet_migrations')))
            )
            select t.name, pg_has_role(t.relowner, 'usage'), p.name, has_table_privilege(t.oid, p.name),
                p.name in ('select', 'insert', 'update', 'references') and has_any_column_privilege(t.oid, p.name),
                (select coalesce(array_agg(quote_ident(a.attname) order by a.attnum), '{}') from pg_attribute a
                    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
                        and p.name in ('select', 'insert', 'update', 'references')
                        and has_column_privilege(t.oid, a.attnum, p.name))
            from t, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'])
                with ordinality p(name, place)
            order by t.name, p.place
            """, known)
        var owned: Set<String> = []
        for row in 0..<rows.count {
            let table = rows.string(row, 0) ?? "", privilege = rows.string(row, 2) ?? ""
            if rows.bool(row, 1) { owned.insert(table) }
            guard role != .migrate else { continue }
            let wanted = (DatabaseRole.tables.contains(table) ? role.rights(on: table) : role.rightsOnLaterTables).first {
                $0.privilege == privilege
            }
            let hasAll = rows.bool(row, 3), columns = Set(rows.strings(row, 5))
            switch (wanted, hasAll) {
            case (nil, true): if !rows.bool(row, 1) { report.excess.append("\(privilege) on \(table)") }
            case (nil, false): if rows.bool(row, 4) { report.excess.append("\(privilege) on columns of \(table)") }
            case (let right?, _):
                guard let needed = right.columns else {
                    if !hasAll { report.missing.append("\(privilege) on \(table)") }
                    continue
                }
                let lacking = needed.filter { !columns.contains($0) }
                if !hasAll, !lacking.isEmpty { report.missing.append("\(privilege) (\(lacking.joined(separator: ", "))) on \(table)") }
                if hasAll || !columns.subtracting(needed).isEmpty, !rows.bool(row, 1) {
                    report.excess.append(
                        "\(privilege) on \(hasAll ? "all" : columns.subtracting(needed).sorted().joined(separator: ", ")) of \(table)")
                }
            }
        }
        let there = Set((0..<rows.count).compactMap { rows.string($0, 0) })
        if role == .migrate {
            report.missing += there.subtracting(owned).sorted().map { "ownership of \($0)" }
        } else if !owned.isEmpty {
            report.excess.append("ownership of \(owned.count == there.count ? "the tables" : owned.sorted().joined(separator: ", "))")
        }
    }
}
