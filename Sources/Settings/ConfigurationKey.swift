/// One setting: its name, its kind, what it is when nobody sets it, and a line for people.
public struct ConfigurationKey: Sendable {
    /// What values a key takes.
    public enum Kind: Sendable {
        case text
        /// A secret: never printed.
        case secret
        /// Text that must not be empty.
        case name
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        /// A number, or the word auto: training chooses.
        case numberOrAuto(ClosedRange<Double>)
        /// RFC 3339.
        case time
        case boolean
        case choice([String])
        /// Comma-separated or `[a, b]` in the environment and in flags, a sequence in YAML.
        case list(allowed: [String]?)
        /// A list of secrets that open something: never printed, none of them empty or twice.
        case keys
        /// A list of so many numbers, not all of them 0.
        case numbers(count: Int, ClosedRange<Double>)
        /// The least and the most of something in whole percent, such as 10-40, or auto.
        case share
        /// The three letters of an ISO 4217 code; kept in capitals.
        case currency
        /// A mapping in YAML; one variable or flag an entry elsewhere, or `{a: b}`.
        case map
        /// A mapping from names in events to the types of events.
        case eventTypes
        /// A mapping from topics to how their records become Freshet's own.
        case topics
        /// A mapping from currencies to numbers above 0.
        case rates

        /// Whether values have names.
        public var isMap: Bool {
            switch self {
            case .map, .eventTypes, .topics, .rates: true
            default: false
            }
        }

        /// Whether there may be several values in order.
        public var isList: Bool {
            switch self {
            case .list, .keys, .numbers: true
            default: false
            }
        }
    }

    /// What code asks by.
    public let id: KeyName
    /// What it takes.
    public let kind: Kind
    /// The text of its value where nobody sets it; empty for none.
    public let fallback: String
    /// A line for people.
    public let summary: String

    /// A key as ``all`` lists it.
    public init(_ id: KeyName, _ kind: Kind, _ fallback: String, _ summary: String) {
        self.id = id
        self.kind = kind
        self.fallback = fallback
        self.summary = summary
    }

    /// Section and name: `database.url`.
    public var name: String { id.rawValue }

    /// `database.url` → `FRESHET_DATABASE_URL`.
    public var environmentName: String { id.environmentName }

    /// The part before the first dot.
    public var section: Substring { id.section }
}

extension ConfigurationKey {
    /// Every key of this program, one for each ``KeyName``. `train.*` beyond those listed here are the trainer's own settings.
    public static let all: [ConfigurationKey] = ofService + ofLearning

    /// The keys by name.
    public static let byName: [String: ConfigurationKey] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
