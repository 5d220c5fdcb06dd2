/// A part of the program with a role of its own in PostgreSQL: what that role may do, and nothing else.
///
/// ``script`` makes the roles; ``RightsReport`` compares with what a connection has. Both also cover tables of later migrations: see
/// ``rightsOnLaterTables``.
public enum DatabaseRole: String, CaseIterable, Sendable {
    /// `migrate`: owns the tables.
    case migrate
    /// `ingest`, `backfill`, `dead-letters replay --directly`.
    case ingest
    /// `serve`.
    case serve
    /// `train`, `search`, `adapt`, `evaluate`, `recommend`.
    case train
    /// People: `dead-letters`, `models`, `doctor`.
    case operate

    /// Its name in the database.
    public var name: String { "freshet_" + rawValue }

    /// A right on a table.
    public struct Right: Sendable, Equatable {
        /// `select`, `insert`, `update` or `delete`.
        public var privilege: String
        /// Nil: all.
        public var columns: [String]?

        init(_ privilege: String, _ columns: [String]? = nil) {
            self.privilege = privilege
            self.columns = columns
        }

        /// As SQL writes it.
        var sql: String { privilege + (columns.map { " (\($0.joined(separator: ", ")))" } ?? "") }
    }

    /// Everything a table grants.
    static let privileges = ["select", "insert", "update", "delete", "truncate", "references", "trigger"]

    /// The tables and views of the newest schema that this program knows rights for.
    static let tables = [
        "attributed_outcomes", "catalogue_state", "catalogue_versions", "category_adapters", "dead_letters", "erasures",
        "counted_events", "feedback", "freshet_migrations", "identities", "interactions",
        "item_changes", "item_features", "item_revenue", "item_returns", "items", "models", "open_erasures", "purchase_returns",
        "stream_offsets", "user_features", "users", "waiting_patches", "wishes",
    ]

    /// The functions that belong to them.
    private static let functions = [
        "saturating_sum", "new_lineage", "catalogue_moves", "items_removed", "some_items_removed", "summarise_interactions",
    ]

    /// Of a dead letter what tells a sender why a record was refused, without the record.
    private static let deadLetterReasons = [
        "id", "cluster", "source", "partition", "\"offset\"", "payload_bytes", "code", "field", "detail", "received_at", "replayed_at",
    ]
    private static let promotion = ["status", "reason", "promoted_at", "replaced_version"]

    /// What the role may do with a table of ``tables``.
    func rights(on table: String) -> [Right] {
        func rights(_ names: String...) -> [Right] { names.map { Right($0) } }
        switch (self, table) {
        case (.migrate, _): return Self.privileges.map { Right($0) }
        case (.ingest, "models"), (.ingest, "category_adapters"), (.ingest, "attributed_outcomes"): return []
        case (.ingest, "interactions"): return rights("select", "insert", "delete")
        case (.ingest, "user_features"), (.ingest, "users"), (.ingest, "dead_letters"):
            return rights("select", "insert", "update", "delete")
        case (.ingest, "item_features"), (.ingest, "item_revenue"), (.ingest, "items"), (.ingest, "erasures"), (.ingest, "stream_offsets"):
            return rights("select", "insert", "update")
        case (.ingest, "waiting_patches"): return rights("select", "insert", "update", "delete")
        // A bare record that a training registers takes what waits for it.
        case (.train, "waiting_patches"): return rights("select", "delete")
        case (.ingest, "item_returns"): return rights("select", "insert", "update")
        case (.ingest, "counted_events"): return rights("select", "insert")
        case (.ingest, "identities"), (.ingest, "wishes"): return rights("select", "insert", "update", "delete")
        case (.ingest, "feedback"): return rights("select", "insert", "delete")
        case (.ingest, "purchase_returns"): return rights("select", "insert", "delete")
        case (.ingest, "item_changes"): return rights("select", "insert")
        case (.ingest, "catalogue_state"): return rights("select", "update")
        // The triggers of catalogue_state and items run with the rights of whoever stores.
        case (.ingest, "catalogue_versions"), (.train, "catalogue_versions"): return rights("select", "insert", "delete")
        case (.ingest, "open_erasures"): return rights("select", "insert", "update", "delete")
        case (.serve, "dead_letters"): return [Right("select", Self.deadLetterReasons)]
        case (.train, "dead_letters"): return []
        case (.operate, "dead_letters"): return [Right("select"), Right("update", ["replayed_at"])]
        case (.serve, "models"), (.operate, "models"): return [Right("select"), Right("update", Self.promotion)]
        case (.train, "models"): return [Right("select"), Right("insert"), Right("update", Self.promotion + ["refusal"])]
        case (.train, "category_adapters"): return rights("select", "insert", "delete")
        // Items that only events name get a bare record: train.register_items.
        case (.train, "items"): return rights("select", "insert", "update")
        case (.train, "item_changes"): return rights("select", "insert")
        case (.train, "catalogue_state"): return rights("select", "update")
        default: return rights("select")
        }
    }

    /// What the role may do with tables of migrations that ``tables`` does not name: ingest writes what a stream says, all others read.
    var rightsOnLaterTables: [Right] {
        switch self {
        case .migrate: Self.privileges.map { Right($0) }
        case .ingest: ["select", "insert", "update", "delete"].map { Right($0) }
        case .serve, .train, .operate: [Right("select")]
        }
    }

    /// Whether the role makes temporary tables.
    var isStaging: Bool { self == .ingest || self == .train }

    /// SQL that makes the roles and gives each what it needs; run again, it takes away what was given beyond.
    public static var script: String {
        let roles = allCases.map(\.name).joined(separator: ", "), others = allCases.filter { $0 != .migrate }
        var lines = """
            -- Roles with the least rights for the parts of Freshet. Printed by: freshet migrate --print-roles
            --
            -- As a superuser, after freshet migrate, and again after an upgrade:
            --   psql -X -v ON_ERROR_STOP=1 -d DATABASE -f ops/roles.sql
            -- Then give each a password (psql: \\password freshet_ingest) and name it in that part's database.url.
            -- From then on freshet migrate runs as freshet_migrate, which owns the tables; later ones get the rights at the end.
            begin;
            do $$
            declare role text;
            begin
                foreach role in array array['\(allCases.map(\.name).joined(separator: "', '"))'] loop
                    if not exists (select from pg_roles where rolname = role) then execute format('create role %I login', role); end if;
                end loop;
                execute format('revoke temporary on database %I from public', current_database());
                execute format('grant connect on database %I to \(roles)', current_database());
                execute format(
                    'grant temporary on database %I to \((others.filter(\.isStaging).map(\.name)).joined(separator: ", "))',
                    current_database());
            end $$;
            revoke create on schema public from public;
            grant usage on schema public to \(roles);
            grant create on schema public to freshet_migrate;
            do $$
            declare it record;
            begin
                for it in select c.oid::regclass as name from pg_class c
                    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
                        and c.relname = any(array['\(tables.joined(separator: "', '"))']) loop
                    execute format('alter table %s owner to freshet_migrate', it.name);
                end loop;
                for it in select p.oid::regprocedure as name from pg_proc p
                    where p.pronamespace = 'public'::regnamespace and p.proname = any(array['\(functions.joined(separator: "', '"))']) loop
                    execute format('alter function %s owner to freshet_migrate', it.name);
                end loop;
                -- Tables of later versions, those that are there: what is known of none is what all need.
                for it in select c.oid::regclass as name from pg_class c
                    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
                        and c.relowner = 'freshet_migrate'::regrole
                loop
                    execute format('revoke all on %s from public, \(others.map(\.name).joined(separator: ", "))', it.name);

            """
        for role in others {
            lines +=
                "        execute format('grant \(role.rightsOnLaterTables.map(\.sql).joined(separator: ", ")) on %s to \(role.name)', "
                    + "it.name);\n"
        }
        lines += "    end loop;\nend $$;\n"
        for table in tables {
            lines += "revoke all on \(table) from \(others.map(\.name).joined(separator: ", "));\n"
            for role in others {
                let rights = role.rights(on: table)
                if !rights.isEmpty { lines += "grant \(rights.map(\.sql).joined(separator: ", ")) on \(table) to \(role.name);\n" }
            }
        }
        lines += "-- And those that are yet to come.\n"
        for role in others {
            lines +=
                "alter default privileges for role freshet_migrate in schema public grant "
                    + "\(role.rightsOnLaterTables.map(\.sql).joined(separator: ", ")) on tables to \(role.name);\n"
        }
        return lines + "commit;\n"
    }
}
