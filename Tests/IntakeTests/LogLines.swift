import Foundation
import Logging

/// What a logger was told, for tests that look for a sentence.
final class LogLines: @unchecked Sendable {
    // Read and written under the lock only.
    private let lock = NSLock()
    private var told: [String] = []

    /// Level and message of each line, in order.
    var lines: [String] { lock.withLock { told } }

    func count(of words: String) -> Int { lines.count { $0.contains(words) } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.lock.withLock { lines.told.append("\(event.level) \(event.message)") } }
    }
}
