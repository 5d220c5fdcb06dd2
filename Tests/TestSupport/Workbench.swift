import Foundation

/// A database and a folder of one test, with programs that use them; both go with it.
public final class Workbench: @unchecked Sendable {
    // One test owns it; its parts are not changed after init.
    public let database: TestDatabase
    public let directory: URL

    public init(migrated: Bool = true) throws {
        database = try TestDatabase(migrated: migrated)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// The program on this workbench's database, with `broker` where one is named.
    public func program(broker: String? = nil, _ more: [String: String] = [:]) -> Program {
        var environment = [
            "FRESHET_DATABASE_URL": database.url,
            "FRESHET_ARTIFACTS_PATH": directory.appendingPathComponent("artifacts").path,
            // A group's first members are waited for otherwise.
            "FRESHET_KAFKA_GROUP": database.name,
        ]
        if let broker { environment["FRESHET_KAFKA_BOOTSTRAP_SERVERS"] = broker }
        environment.merge(more) { $1 }
        return Program(environment: environment, directory: directory)
    }

    /// Starts `freshet broker` on a free port; its address.
    public func startBroker(port: Int = 0, partitions: Int = 8) throws -> (role: Program.Role, address: String) {
        let role = try program().start("broker", "--port", "\(port)", "--partitions", "\(partitions)")
        guard role.waitFor("\n127.0.0.1:") || role.waitFor("127.0.0.1:", limit: 10) else {
            throw TestDatabase.Failure(text: "the broker did not start: \(role.log)")
        }
        let line = role.log.split(separator: "\n").last { $0.hasPrefix("127.0.0.1:") }
        guard let line else { throw TestDatabase.Failure(text: "the broker printed no address: \(role.log)") }
        return (role, String(line))
    }

    /// Writes a file into the folder; its path.
    public func write(_ lines: [String], to name: String) throws -> String {
        try write(bytes: Array((lines.joined(separator: "\n") + "\n").utf8), to: name)
    }

    /// Writes a file of any bytes into the folder; its path.
    public func write(bytes: [UInt8], to name: String) throws -> String {
        let url = directory.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return url.path
    }
}
