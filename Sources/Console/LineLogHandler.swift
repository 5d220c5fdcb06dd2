import EventStream
import Foundation
import Interactions
import Logging
import Settings
import Synchronization

/// Writes log lines to standard error: `time level label message key=value …` for people, or one JSON object a line.
struct LineLogHandler: LogHandler {
    /// How a line looks.
    enum Format: String, Sendable {
        case text, json
    }

    let label: String
    let format: Format
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var merged = metadata
        if let explicit = event.metadata { merged.merge(explicit) { $1 } }
        let fields = merged.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
        StandardError.put(Self.line(level: event.level, label: label, message: "\(event.message)", fields: fields, format: format))
    }

    /// A line with its end.
    static func line(
        level: Logger.Level, label: String, message: String, fields: [(String, String)] = [], format: Format
    ) -> String {
        let time = EventTime.now.rfc3339()
        var line = ""
        switch format {
        case .text:
            let level = level.rawValue
            line += "\(time) \(level)\(String(repeating: " ", count: max(0, 8 - level.count)))\(label) \(message)"
            for (key, value) in fields {
                let plain = !value.isEmpty && !value.contains { $0 == " " || $0 == "\"" || $0 == "=" || $0.isNewline }
                line += " \(key)=\(plain ? value : JSONText.quoted(value))"
            }
        case .json:
            line += #"{"time":"\#(time)","level":"\#(level.rawValue)","role":\#(JSONText.quoted(label)),"#
            line += #""message":\#(JSONText.quoted(message))"#
            for (key, value) in fields { line += ",\(JSONText.quoted(key)):\(JSONText.quoted(value))" }
            line += "}"
        }
        return line.replacing("\n", with: " ") + "\n"
    }
}

/// Standard error, a whole line at a time.
enum StandardError {
    private static let chosen = Mutex<LineLogHandler.Format?>(nil)

    /// The form of the lines, once the configuration has said it.
    static var format: LineLogHandler.Format? { chosen.withLock { $0 } }

    private static let secrets = Mutex(Redaction())

    /// Takes secrets out of all that is written from now on: those of before stay hidden, too.
    static func hide(_ redaction: Redaction) { secrets.withLock { $0 = $0.merging(redaction) } }

    /// A text as it may be shown.
    static func redacted(_ text: String) -> String { secrets.withLock { $0 }.applied(to: text) }

    /// Takes the form that `log.format` names.
    static func setFormat(_ name: String) {
        chosen.withLock { $0 = LineLogHandler.Format(rawValue: name) ?? .text }
    }

    /// Tells people how work goes on, or what is odd; a line of JSON where `log.format` asks for that.
    static func write(_ text: String) {
        guard format == .json else { return put(text) }
        let message = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if !message.isEmpty { put(LineLogHandler.line(level: .info, label: "progress", message: message, format: .json)) }
    }

    private static let output = BoundedLineOutput(descriptor: STDERR_FILENO)

    /// Lines that nobody got: of a full disk, a closed pipe, a reader that no longer reads.
    static var droppedLines: Int { output.droppedLines }

    /// Writes `text` as it is, whole lines at a time, so that those of several threads do not mix. What cannot be written is dropped and
    /// counted: a full disk or a closed terminal must not end a role that only wanted to tell something, nor hold it up.
    static func put(_ text: String) {
        output.write(redacted(text)) { lines, reason in
            LineLogHandler.line(
                level: .warning, label: "log", message: "\(lines) \(lines == 1 ? "line" : "lines") before this one could not be written: \(reason)",
                format: format ?? .text)
        }
    }

    /// Whether a person is likely to be watching.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 && format != .json }
}

/// Standard output, where results go.
enum StandardOutput {
    private static let news = BoundedLineOutput(descriptor: STDOUT_FILENO)

    /// Writes a line of a role that goes on whether or not somebody gets it. What cannot be written is dropped; the log tells so once, and
    /// the next line that is written how many there were.
    static func news(_ text: String) {
        let wasWhole = news.droppedLines == 0
        guard !news.write(text + "\n", note: { _, _ in "" }), wasWhole else { return }
        StandardError.write("standard output takes no lines; what this command tells there is dropped until it does\n")
    }

    /// Writes `text` and a line end. Where that cannot be done, the process ends with a sentence and status 1: a result that nobody
    /// gets is no success.
    static func line(_ text: String) {
        let code = writeAll(text + "\n", to: STDOUT_FILENO)
        guard code != 0 else { return }
        StandardError.write("Error: cannot write to standard output: \(String(cString: strerror(code)))\n")
        exit(1)
    }

    /// Writes all of `text`; the number of the error, or 0.
    private static func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
        Array(text.utf8).withUnsafeBytes { LineWriter.writeAll($0, to: descriptor) }
    }
}

extension EventTime {
    /// The wall clock.
    static var now: EventTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return EventTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
