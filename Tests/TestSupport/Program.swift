import Foundation

/// The built `freshet`, run as users run it: a process with arguments, an environment, and an exit status.
public struct Program: Sendable {
    /// How a finished run ended.
    public struct Result: Sendable {
        /// The exit status, or the signal's number where ``wasKilled``.
        public var status: Int32
        /// Standard output.
        public var output: String
        /// Standard error.
        public var errors: String
        /// Whether a signal ended it, such as the one after the time limit.
        public var wasKilled: Bool
        /// How long it ran, in seconds.
        public var seconds: Double
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
    /// A program that starts it, with its arguments, such as `mpirun -n 2`; none by default.
    public var launcher: [String] = []
    /// Where it runs, and where its output goes while it does.
    public var directory: URL

    /// What must outlive the program and its roles: the database and the folder go with the last reference to it.
    private let bench: Workbench

    /// Makes a program on a workbench.
    public init(on bench: Workbench, environment: [String: String]) {
        self.bench = bench
        self.environment = environment
        directory = bench.directory
    }

    /// The same program with more settings.
    public func with(_ more: [String: String]) -> Program {
        var program = self
        program.environment.merge(more) { $1 }
        return program
    }

    /// The same program, started by another one.
    public func started(by launcher: [String]) -> Program {
        var program = self
        program.launcher = launcher
        return program
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        let words = launcher + [Self.path] + arguments
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = directory
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FRESHET_") }
        all.merge(environment) { $1 }
        process.environment = all
        return process
    }

    /// Runs to the end; killed after `limit` seconds.
    public func run(_ arguments: String..., input: String? = nil, limit: Double = 120) throws -> Result {
        try run(arguments, input: input, limit: limit)
    }

    /// Runs to the end; killed after `limit` seconds.
    public func run(_ arguments: [String], input: String? = nil, limit: Double = 120) throws -> Result {
        let process = process(arguments)
        let name = UUID().uuidString
        let out = directory.appendingPathComponent(name + ".out")
        let err = directory.appendingPathComponent(name + ".err")
        let given = directory.appendingPathComponent(name + ".in")
        for file in [out, err] { try Data().write(to: file) }
        defer { for file in [out, err, given] { try? FileManager.default.removeItem(at: file) } }
        let handles = try [FileHandle(forWritingTo: out), FileHandle(forWritingTo: err)]
        defer { for handle in handles { try? handle.close() } }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        if let input {
            try Data(input.utf8).write(to: given)
            process.standardInput = try FileHandle(forReadingFrom: given)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        let started = Date()
        try process.run()
        let end = started.addingTimeInterval(limit)
        while process.isRunning {
            if Date() > end { kill(process.processIdentifier, SIGKILL) }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return Result(
            status: process.terminationStatus, output: Self.text(of: out), errors: Self.text(of: err),
            wasKilled: process.terminationReason == .uncaughtSignal, seconds: Date().timeIntervalSince(started))
    }

    /// Starts a role that goes on until it is ended.
    public func start(_ arguments: String...) throws -> Role { try start(arguments) }

    /// Starts a role that goes on until it is ended.
    public func start(_ arguments: [String]) throws -> Role {
        let process = process(arguments)
        let log = directory.appendingPathComponent("\(arguments.first ?? "role")-\(UUID().uuidString.prefix(8)).log")
        try Data().write(to: log)
        let handle = try FileHandle(forWritingTo: log)
        defer { try? handle.close() }
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return Role(process: process, log: log, bench: bench)
    }

    fileprivate static func text(of file: URL) -> String {
        String(decoding: FileManager.default.contents(atPath: file.path) ?? Data(), as: UTF8.self)
    }

    /// A running process and what it has said. It ends with its last reference.
    public final class Role: @unchecked Sendable {
        // Only one test uses a role, from one task at a time.
        private let process: Process
        private let logFile: URL
        private let bench: Workbench

        init(process: Process, log: URL, bench: Workbench) {
            self.bench = bench
            self.process = process
            logFile = log
        }

        deinit {
            if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        }

        /// Everything written so far, to both outputs.
        public var log: String { Program.text(of: logFile) }

        /// The process's memory that is no file's, in KiB; nil once it has ended.
        public var anonymousKiB: Int? {
            guard let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") })
            else { return nil }
            return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
        }

        /// The processes that it started and that still run, with their environments.
        public var children: [(id: Int32, environment: String)] {
            let own = process.processIdentifier
            let list = (try? String(contentsOfFile: "/proc/\(own)/task/\(own)/children", encoding: .utf8)) ?? ""
            return list.split(separator: " ").compactMap { Int32($0) }.map { id in
                let bytes = FileManager.default.contents(atPath: "/proc/\(id)/environ") ?? Data()
                return (id, String(decoding: bytes, as: UTF8.self))
            }
        }

        /// Whether it has not ended yet.
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
            send(SIGKILL)
            while process.isRunning { Thread.sleep(forTimeInterval: 0.005) }
        }

        /// Sends a signal, if it still runs.
        public func send(_ signal: Int32) {
            guard process.isRunning else { return }
            Foundation.kill(process.processIdentifier, signal)
            // The threads of a process stop one after the other: what is asked next must not be answered by one that still runs.
            if signal == SIGSTOP { _ = eventually(within: 5) { allThreadsStand() } }
        }

        private func allThreadsStand() -> Bool {
            let folder = "/proc/\(process.processIdentifier)/task"
            guard let threads = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return true }
            return threads.allSatisfy { thread in
                guard let stat = try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8) else { return true }
                // The state follows the name, which is in brackets and may hold anything.
                return stat.split(separator: ")").last?.split(separator: " ").first == "T"
            }
        }

        /// Asks to end with SIGTERM and waits; the exit status, or nil where a signal ended it or `limit` seconds were not enough.
        @discardableResult
        public func stop(limit: Double = 20) -> Int32? {
            send(SIGTERM)
            return ended(within: limit)
        }

        /// Waits for the end; nil where a signal ended it, or where it had to be killed.
        public func ended(within limit: Double) -> Int32? {
            let end = Date(timeIntervalSinceNow: limit)
            while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
            guard !process.isRunning else {
                killNow()
                return nil
            }
            return process.terminationReason == .exit ? process.terminationStatus : nil
        }
    }
}

/// Polls until `condition` holds; false after `limit` seconds.
public func eventually(within limit: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date(timeIntervalSinceNow: limit)
    while true {
        if try condition() { return true }
        if Date() > end { return false }
        Thread.sleep(forTimeInterval: 0.02)
    }
}
