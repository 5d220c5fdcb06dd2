/// Brings a database to the newest schema and says when it is not there.
///
/// Forward only. Each migration runs in a transaction of its own, under an advisory lock of the database, so that two
/// migrators at once apply each step once. The table `freshet_migrations` holds what was applied with its SHA-256.
public struct Migrator: Sendable {
    /// The advisory lock that migrators hold (the bytes of "freshet" and 1).
    static let advisoryLock: Int64 = 0x6672_6573_6865_7401

    private let url: String
    private let migrations: [Migration]

    /// Makes a migrator for the database at `url`.
    public init(url: String, migrations: [Migration] = Migration.shipped) {
        self.url = url
        self.migrations = migrations.sorted { $0.number < $1.number }
    }

    /// Applies what is missing.
    ///
    /// - Returns: the names of the migrations that this call applied; empty when the schema was up to date.
    /// - Throws: ``StoreError`` with `schemaTooNew` when the database knows migrations that this build does not, or
    ///   `migrationEdited` when an applied file was changed since; nothing is applied then.
    @discardableResult
    public func migrate() throws(StoreError) -> [String] {
        let connection = try Connection(url: url, role: "freshet migrate")
        var lock = Parameters()
        lock.add(Self.advisoryLock)
        try connection.run("select 1 from pg_advisory_lock($1)", lock)
        // The lock ends with the connection, also when this process is killed.
        try connection.execute(
            """
            create table if not exists freshet_migrations (
                number integer primary key, name text not null, sha256 text not null,
                applied_at timestamptz not null default now())
            """)
        let applied = try compare(connection)
        var names: [String] = []
        for migration in migrations where !applied.contains(migration.number) {
            try connection.transaction { () throws(StoreError) in
                do throws(StoreError) {
                    try connection.execute(String(decoding: migration.sql, as: UTF8.self))
                } catch {
                    throw StoreError(
                        error.code, isRetriable: error.isRetriable, sqlState: error.sqlState,
                        "migration \(migration.name) failed and was rolled back: \(error.message)")
                }
                var row = Parameters()
                row.add(Int32(migration.number))
                row.add(migration.name)
                row.add(bytes: migration.sql)
                try connection.run(
                    "insert into freshet_migrations (number, name, sha256) values ($1, $2, encode(sha256($3), 'hex'))", row)
            }
            names.append(migration.name)
        }
        return names
    }

    /// Checks that the schema is exactly what this build expects, and changes nothing.
    ///
    /// - Throws: ``StoreError`` with `schemaTooOld`, `schemaTooNew` or `migrationEdited`.
    public func check() throws(StoreError) {
        let connection = try Connection(url: url, role: "freshet")
        let known = try connection.run("select to_regclass('freshet_migrations') is not null")
        let applied = known.bool(0, 0) ? try compare(connection) : []
        let missing = migrations.filter { !applied.contains($0.number) }
        if let first = missing.first {
            throw StoreError(
                .schemaTooOld,
                "\(connection.place): the schema lacks \(missing.count) of \(migrations.count) migrations, the first is "
                    + "\(first.name) — run freshet migrate")
        }
    }

    /// Compares what was applied with what this build holds.
    private func compare(_ connection: Connection) throws(StoreError) -> Set<Int> {
        var parameters = Parameters()
        parameters.add(migrations.map { Int32($0.number) })
        parameters.add(migrations.map(\.sql))
        let rows = try connection.run(
            """
            select m.number, m.name, shipped.number is not null, shipped.sql is not null and encode(sha256(shipped.sql), 'hex') = m.sha256
            from freshet_migrations m left join unnest($1::int4[], $2::bytea[]) shipped(number, sql) on shipped.number = m.number
            order by m.number
            """, parameters)
        var applied: Set<Int> = []
        for row in 0..<rows.count {
            let name = rows.string(row, 1) ?? ""
            guard rows.bool(row, 2) else {
                throw StoreError(
                    .schemaTooNew,
                    "\(connection.place): migration \(name) was applied by a newer freshet — upgrade this binary; it knows "
                        + "\(migrations.count) migrations")
            }
            guard rows.bool(row, 3) else {
                throw StoreError(
                    .migrationEdited,
                    "\(connection.place): migration \(name) was changed after it was applied — restore the file that was "
                        + "applied and put the change into a new migration")
            }
            applied.insert(Int(rows.int32(row, 0) ?? 0))
        }
        return applied
    }
}
