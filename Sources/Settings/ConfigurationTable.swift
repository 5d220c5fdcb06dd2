import TowerModel

/// Every key with what it takes, as `docs/configuration.md` lists them.
public enum ConfigurationTable {
    /// One key.
    public struct Row: Sendable {
        /// Section and name.
        public var name: String
        /// What it takes, in words.
        public var takes: String
        /// What it is where nobody sets it; empty for nothing.
        public var fallback: String
        /// A line for people.
        public var summary: String
    }

    /// The keys of the program, then the trainer's own.
    public static var rows: [Row] {
        let own = ConfigurationKey.all.map { key in
            Row(name: key.name, takes: key.kind.words, fallback: key.fallback, summary: key.summary)
        }
        let trainer = TowerConfiguration.keys.map { key in
            Row(name: "train." + key.name, takes: key.range, fallback: TowerConfiguration().value(of: key.name) ?? "", summary: key.summary)
        }
        return own + trainer
    }

    /// The table in Markdown, line by line.
    public static var markdown: [String] {
        ["| key | takes | default | meaning |", "|---|---|---|---|"]
            + rows.map { "| `\($0.name)` | \($0.takes) | \($0.fallback.isEmpty ? "" : "`\($0.fallback)`") | \($0.summary) |" }
    }
}

extension ConfigurationKey.Kind {
    /// What a key of this kind takes, in words.
    var words: String {
        switch self {
        case .text, .name: "text"
        case .number(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .numberOrAuto(let range): "auto, or \(range.lowerBound) to \(range.upperBound)"
        case .time: "time"
        case .secret: "text, never printed"
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .choice(let choices): choices.joined(separator: ", ")
        case .list(let allowed): allowed.map { "list of " + $0.joined(separator: ", ") } ?? "list"
        case .keys: "list of keys, never printed"
        case .numbers(let count, let range): "list of \(count) numbers from \(range.lowerBound) to \(range.upperBound)"
        case .share: "auto, or least-most in whole percent, such as 10-40"
        case .currency: "ISO 4217 code"
        case .map: "mapping"
        case .eventTypes: "mapping to \(EventTypeNames.all.joined(separator: ", "))"
        case .topics: "mapping from topics to kind, format, fields, each and when"
        case .rates: "mapping from ISO 4217 codes to numbers above 0"
        }
    }
}
