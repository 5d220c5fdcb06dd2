import Foundation

/// The scripts of `ops/`, run as people run them.
enum Scripts {
    /// The checkout that these tests belong to.
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// How a script ended.
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// The text of a file of the checkout.
    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Runs a program, or a script of the checkout by its path there, to its end.
    static func run(_ words: [String], in folder: URL, _ environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        let name = "script-\(UUID().uuidString)"
        let out = folder.appending(path: name + ".out"), err = folder.appending(path: name + ".err")
        for file in [out, err] { try Data().write(to: file) }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words.first.map { [$0.hasPrefix("ops/") ? root.appending(path: $0).path : $0] + words.dropFirst() }
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FRESHET_") }.merging(environment) { $1 }
        // A thread of the tests blocks signals, and what it starts would inherit that: a script that never hears of SIGTERM.
        var none = sigset_t(), before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: try String(contentsOf: out, encoding: .utf8),
            errors: try String(contentsOf: err, encoding: .utf8))
    }
}
