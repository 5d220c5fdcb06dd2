import Foundation
import Synchronization

/// Standard error, a whole line at a time.
public enum StandardError {
    private static let chosen = Mutex<LineLogHandler.Format?>(nil)

    /// The form of the lines, once the configuration has said it.
    public static var format: LineLogHandler.Format? { chosen.withLock { $0 } }

    private static let redaction = Mutex<@Sendable (String) -> String>({ $0 })

    /// Takes what is secret out of all that is written from now on.
    ///
    /// - Parameter redact: a text as it may be shown; it takes the place of the one before.
    public static func redact(by redact: @escaping @Sendable (String) -> String) { redaction.withLock { $0 = redact } }

    /// A text as it may be shown.
    public static func redacted(_ text: String) -> String { redaction.withLock { $0 }(text) }

    /// Takes the form that `log.format` names.
    public static func setFormat(_ name: String) {
        chosen.withLock { $0 = LineLogHandler.Format(rawValue: name) ?? .text }
    }

    /// Tells people how work goes on, or what is odd; a line of JSON where `log.format` asks for that.
    public static func write(_ text: String) {
        guard format == .json else { return put(text) }
        let message = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if !message.isEmpty { put(LineLogHandler.line(level: .info, label: "progress", message: message, format: .json)) }
    }

    private static let output = BoundedLineOutput(descriptor: STDERR_FILENO)

    /// Lines that nobody got: of a full disk, a closed pipe, a reader that no longer reads.
    public static var droppedLines: Int { output.droppedLines }

    /// Writes `text` as it is, whole lines at a time, so that those of several threads do not mix. What cannot be written is dropped and
    /// counted: a full disk or a closed terminal must not end a role that only wanted to tell something, nor hold it up.
    public static func put(_ text: String) {
        output.write(redacted(text)) { lines, reason in
            LineLogHandler.line(
                level: .warning, label: "log",
                message: "\(lines) \(lines == 1 ? "line" : "lines") before this one could not be written: \(reason)",
                format: format ?? .text)
        }
    }

    /// Whether a person is likely to be watching.
    public static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 && format != .json }
}
