import FeatureStore
import Foundation

/// A database of its own for one test, on the server that `FRESHET_DATABASE_URL` names. SQL goes through `psql`, so that
/// what the tests see does not pass through the code under test.
public final class TestDatabase: Sendable {
    /// The server to make databases on; empty where there is none.
    public static let serverURL = ProcessInfo.processInfo.environment["FRESHET_DATABASE_URL"] ?? ""
    /// Whether there is a server; `ops/test` starts one.
    public static var isAvailable: Bool { !serverURL.isEmpty }
    /// Why a test is skipped without one.
    public static let unavailable = "FRESHET_DATABASE_URL is not set: no PostgreSQL to test with. ops/test starts one."

    /// The database's name, which no other has.
    public let name: String
    /// The connection URL, with password.
    public let url: String

    /// Creates the database, with the newest schema unless `migrated` is false.
    public init(migrated: Bool = true) throws {
        name = "freshet_test_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
        url = Self.url(database: name)
        try Self.psql(Self.serverURL, "create database \(name) encoding 'UTF8' template template0")
        if migrated { try Migrator(url: url).migrate() }
    }

    deinit { _ = try? Self.psql(Self.serverURL, "drop database if exists \(name) with (force)") }

    /// The URL of another database on the same server.
    public static func url(database: String) -> String {
        guard serverURL.hasPrefix("postgres"), var parts = URLComponents(string: serverURL) else {
            return serverURL + " dbname=" + database
        }
        parts.path = "/" + database
        return parts.string ?? serverURL
    }

    /// Runs SQL and returns the rows as psql prints them unaligned: columns by `|`, rows by line ends.
    @discardableResult
    public func sql(_ text: String) throws -> String { try Self.psql(url, text) }

    /// Makes this database what another one is now, as a restored backup is. Nobody may be connected to either.
    public func becomeCopy(of other: TestDatabase) throws {
        try Self.psql(Self.serverURL, "drop database \(name)")
        try Self.psql(Self.serverURL, "create database \(name) template \(other.name)")
    }

    /// Ends the server processes of an application, as a crash of its process would.
    public func kill(application: String) throws {
        try Self.psql(
            Self.serverURL,
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '\(name)' and application_name = '\(application)'"
        )
    }

    /// What went wrong in the tests' own machinery.
    public struct Failure: Error, CustomStringConvertible {
        public var text: String
        public var description: String { text }
        public init(_ text: String) { self.text = text }
    }

    @discardableResult
    private static func psql(_ url: String, _ text: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", "set timezone = 'UTC'", "-c", text]
        let output = Pipe(), errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let problem = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw Failure( String(decoding: problem, as: UTF8.self)) }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    /// Everything that ingest writes, but for times and numbers that count attempts.
    public func content() throws -> [String: String] {
        let queries = [
            "interactions": """
                select event_time, event_id, type, user_id, item_id, price_micros, amount_minor, currency, quantity, session_id,
                request_id, slot, model_version, context, source_partition, source_offset, payload_hash from interactions order by 1, 2
                """,
            "user_features": "select * from user_features order by user_id",
            "item_features": "select * from item_features order by item_id",
            "item_revenue": "select * from item_revenue order by 1, 2",
            "item_returns": "select * from item_returns order by 1",
            "purchase_returns": "select * from purchase_returns order by 3, 4, 5, 6",
            "items": """
                select item_id, title, categories, tags, price_micros, currency, attributes, embedding, updated_at, hidden, deleted,
                catalogue_version from items order by 1
                """,
            "item_changes": """
                select item_id, catalogue_version, title, price_micros, updated_at, hidden, deleted from item_changes order by 2, 1
                """,
            "catalogue_state": "select version from catalogue_state",
            "users": "select * from users order by 1",
            "erasures": "select user_id, erased_at from erasures order by 1",
            "stream_offsets": "select topic, partition, cluster, next_offset from stream_offsets order by 1, 2",
            "dead_letters": """
                select cluster, source, partition, "offset", key, payload, payload_bytes, code, field, detail from dead_letters
                order by 1, 2, 3, 4
                """,
        ]
        return try queries.mapValues { try sql($0) }
    }
}
