import Bytes
import Interactions
import Logging

/// Writes log lines to standard error: `time level label message key=value …` for people, or one JSON object a line.
public struct LineLogHandler: LogHandler {
    /// How a line looks.
    public enum Format: String, Sendable {
        /// Words for people.
        case text
        /// One JSON object.
        case json
    }

    let label: String
    let format: Format
    /// The least that is written.
    public var logLevel: Logger.Level
    /// What is said with every line.
    public var metadata: Logger.Metadata = [:]

    /// Lines of the role `label`.
    public init(label: String, format: Format, logLevel: Logger.Level) {
        self.label = label
        self.format = format
        self.logLevel = logLevel
    }

    /// One value that is said with every line.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line to standard error.
    public func log(event: LogEvent) {
        var merged = metadata
        if let explicit = event.metadata { merged.merge(explicit) { $1 } }
        let fields = merged.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
        StandardError.put(Self.line(level: event.level, label: label, message: "\(event.message)", fields: fields, format: format))
    }

    /// A line with its end.
    public static func line(
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
            line += JSONWriter.object { object in
                object.field("time", time)
                object.field("level", level.rawValue)
                object.field("role", label)
                object.field("message", message)
                for (key, value) in fields {
                    object.key(data: key)
                    object.string(value)
                }
            }
        }
        return line.replacing("\n", with: " ") + "\n"
    }
}
