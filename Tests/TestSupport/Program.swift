import Foundation

/// The built `freshet`, run as users run it: a process with arguments, an environment, and an exit status.
public struct Program: Sendable {
    /// How a finished run ended.
    public struct Result: Sendable {
        public var status: Int32
        public var output: String
        public var errors: String
    }

    /// Where the program is: `FRESHET_BINARY`, or the release build of this checkout.
    public static let path: String = {
        if let named = ProcessInfo.processInfo.environment["FRESHET_BINARY"] { return named }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return root.appendingPathComponent(".build/release/freshet").path
    }()

    /// Whether there is a program and a database server to test with; `ops/test` brings both.
    public static var isAvailable: Bool {
        FileManager.default.isExecutableFile(atPath: path) && TestDatabase.isAvailable
    }

    /// Settings beside the inherited environment; FRESHET_ variables of the caller are not inherited.
    public var environment: [String: String]
    public var directory: URL

    /// Makes a program that runs in a folder of its own.
    public init(environment: [String: String], directory: URL) {
        self.environment = environment
        self.directory = directory
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = arguments
        process.currentDirectoryURL = directory
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FRESHET_") }
        all.merge(environment) { $1 }
        process.environment = all
        return process
    }

    /// Runs to the end; killed after `limit` seconds.
    public func run(_ arguments: String..., input: String? = nil, limit: Double = 120) throws -> Result {
        let process = process(arguments)
        let name = UUID().uuidString
        let out = directory.appendingPathComponent(name + ".out")
        let err = directory.appendingPathComponent(name + ".err")
        for file in [out, err] { FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        if let input {
            let file = directory.appendingPathComponent(name + ".in")
            try Data(input.utf8).write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        let end = Date(timeIntervalSinceNow: limit)
        while process.isRunning {
            if Date() > end { kill(process.processIdentifier, SIGKILL) }
            Thread.sleep(forTimeInterval: 0.01)
        }
        let result = Result(
            status: process.terminationStatus, output: (try? String(contentsOf: out, encoding: .utf8)) ?? "",
            errors: (try? String(contentsOf: err, encoding: .utf8)) ?? "")
        for file in [out, err] { try? FileManager.default.removeItem(at: file) }
        return result
    }

    /// Starts a role that goes on until it is ended.
    public func start(_ arguments: String...) throws -> Role {
        let process = process(arguments)
        let log = directory.appendingPathComponent("\(arguments.first ?? "role")-\(UUID().uuidString.prefix(8)).log")
        FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return Role(process: process, log: log)
    }

    /// A running process and what it has said.
    public final class Role: @unchecked Sendable {
        // Only one test uses a role, from one task at a time.
        private let process: Process
        private let logFile: URL

        init(process: Process, log: URL) {
            self.process = process
            logFile = log
        }

        deinit {
            if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        }

        /// Everything written so far.
        public var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }
        public var isRunning: Bool { process.isRunning }

        /// Waits until the log holds `text`; false after `limit` seconds or once the process has ended without it.
        public func waitFor(_ text: String, limit: Double = 30) -> Bool {
            let end = Date(timeIntervalSinceNow: limit)
            while Date() < end {
                if log.contains(text) { return true }
                if !process.isRunning { return log.contains(text) }
                Thread.sleep(forTimeInterval: 0.02)
            }
            return false
        }

        /// `kill -9`.
        public func killNow() {
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }

        public func send(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }

        /// Asks to end and waits; the exit status, or nil where it had to be killed after `limit` seconds.
        public func stop(limit: Double = 20) -> Int32? {
            Foundation.kill(process.processIdentifier, SIGTERM)
            return ended(within: limit)
        }

        /// Waits for the end; nil where it had to be killed.
        public func ended(within limit: Double) -> Int32? {
            let end = Date(timeIntervalSinceNow: limit)
            while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
            guard !process.isRunning else {
                killNow()
                return nil
            }
            return process.terminationStatus
        }
    }
}
