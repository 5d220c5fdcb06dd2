import Console
import Foundation
import Logging
import Synchronization

/// The demonstration's broker: `freshet broker` as a process of its own, so that nothing else ends with it. It ends with this one,
/// however this one ends.
public final class DemoBroker: Sendable {
    /// `127.0.0.1:port`, the same through all its lives.
    public let bootstrapServers: String

    /// One life: the process, and the pipe whose end it waits for. Unchecked: used under the lock only.
    private struct Life: @unchecked Sendable {
        var process: Process
        var input: Pipe
    }

    private static let maxLives = 20
    private static let startLimitSeconds = 30
    private let life: Mutex<Life>
    private let logger: Logger
    /// What of this process's command line goes for it, too.
    private let settings: [String]

    /// Starts it on `port`, or on a free one where that is taken, and waits until it listens.
    ///
    /// - Parameter settings: words of the command line for it: `--set KEY=VALUE`, …
    /// - Throws: `CommandFailure` where it does not start.
    public init(port: UInt16, settings: [String], logger: Logger) throws {
        self.settings = settings
        let (life, address) = try Self.start(["--port", "\(port)", "--or-any-port"], settings)
        bootstrapServers = address
        self.life = Mutex(life)
        self.logger = logger
    }

    /// Ends it, and waits.
    public func close() {
        life.withLock { life in
            try? life.input.fileHandleForWriting.close()
            let limit = Date(timeIntervalSinceNow: 5)
            while life.process.isRunning {
                if Date() > limit { kill(life.process.processIdentifier, SIGKILL) }
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
    }

    /// Starts it again on the same port where its process has ended, which a failure of the broker alone does not make it do.
    ///
    /// - Throws: `CommandFailure` where it has ended again and again.
    public func keepRunning() async throws {
        for _ in 0..<Self.maxLives {
            while life.withLock({ $0.process.isRunning }) { try await Task.sleep(for: .milliseconds(200)) }
            logger.error(
                """
                the process of the demonstration's broker has ended; another one, empty, takes its place on \(bootstrapServers), \
                and the rest goes on
                """)
            let port = bootstrapServers.split(separator: ":").last.map(String.init) ?? "0"
            let next = try await OwnThread.run(named: "freshet-broker") { [settings] in try Self.start(["--port", port], settings).life }
            life.withLock { $0 = next }
        }
        throw CommandFailure("the demonstration's broker has ended \(Self.maxLives) times; its own words are above")
    }

    private static func start(_ arguments: [String], _ settings: [String]) throws -> (life: Life, address: String) {
        let process = Process(), input = Pipe(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["broker", "--ends-with-input"] + arguments + settings
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // Its own words go to standard error, which both share.
        let address = line(from: output.fileHandleForReading.fileDescriptor)
        guard address.hasPrefix("127.0.0.1:") else {
            kill(process.processIdentifier, SIGKILL)
            throw CommandFailure("the demonstration's broker did not start; its own words are above")
        }
        return (Life(process: process, input: input), address)
    }

    /// What a process says up to the end of a line, or of its time.
    private static func line(from descriptor: Int32) -> String {
        var said: [UInt8] = [], byte: UInt8 = 0
        let limit = ContinuousClock.now + .seconds(startLimitSeconds)
        while ContinuousClock.now < limit {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) > 0 else { continue }
            guard read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") else { break }
            said.append(byte)
        }
        return String(decoding: said, as: UTF8.self)
    }

    /// The file of this program.
    private static var program: String {
        let link = "/proc/self/exe"
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) ?? CommandLine.arguments[0]
        // A file that was replaced meanwhile is still reached through the link.
        return FileManager.default.isExecutableFile(atPath: path) ? path : link
    }
}
