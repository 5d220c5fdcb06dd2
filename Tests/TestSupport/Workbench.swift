import Foundation

/// A database and a folder of one test, with programs that use them; both go with it.
public final class Workbench: Sendable {
    /// The database.
    public let database: TestDatabase
    /// The folder for files, logs and models.
    public let directory: URL

    /// Makes both; the database has the newest schema unless `migrated` is false.
    public init(migrated: Bool = true) throws {
        database = try TestDatabase(migrated: false)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        guard migrated else { return }
        // By the program under test: its schema, not the one that the tests were built with.
        let result = try program().run("migrate")
        guard result.status == 0 else { throw TestDatabase.Failure("freshet migrate: \(result.errors)") }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// The program on this workbench's database, with `broker` where one is named.
    public func program(broker: String? = nil, _ more: [String: String] = [:]) -> Program {
        var environment = [
            "FRESHET_DATABASE_URL": database.url,
            "FRESHET_ARTIFACTS_PATH": directory.appendingPathComponent("artifacts").path,
            // Tests share no group. A killed member is missed soon; the embedded broker's groups take three seconds to form,
            // and a session must be longer than that.
            "FRESHET_KAFKA_GROUP": database.name,
            "FRESHET_KAFKA_PROPERTIES_SESSION_TIMEOUT_MS": "6000",
            "FRESHET_KAFKA_PROPERTIES_HEARTBEAT_INTERVAL_MS": "500",
            "FRESHET_HTTP_PORT": "0",
        ]
        if let broker { environment["FRESHET_KAFKA_BOOTSTRAP_SERVERS"] = broker }
        environment.merge(more) { $1 }
        return Program(on: self, environment: environment)
    }

    /// Starts `freshet broker` on a free port, or on `port`; with its address.
    public func startBroker(port: Int = 0, partitions: Int = 8) throws -> (role: Program.Role, address: String) {
        let role = try program().start("broker", "--port", "\(port)", "--partitions", "\(partitions)")
        func printed() -> String? {
            role.log.split(separator: "\n").first { $0.hasPrefix("127.0.0.1:") }.map(String.init)
        }
        guard eventually(within: 20, { printed() != nil || !role.isRunning }), let address = printed() else {
            throw TestDatabase.Failure("the broker did not start: \(role.log)")
        }
        return (role, address)
    }

    /// Starts `freshet serve` on a free port, or what `more` says.
    public func startService(broker: String, _ more: [String: String] = [:]) throws -> Service {
        try Service(role: try program(broker: broker, more).start("serve"))
    }

    /// Writes lines to a file in the folder; its path.
    public func write(_ lines: [String], to name: String) throws -> String {
        try write(bytes: Array((lines.joined(separator: "\n") + "\n").utf8), to: name)
    }

    /// Writes a file of any bytes into the folder; its path.
    public func write(bytes: [UInt8], to name: String) throws -> String {
        let url = directory.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return url.path
    }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
}
