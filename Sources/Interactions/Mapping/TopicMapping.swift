/// How the records of a topic become Freshet's own: which fields stand where, which records count, and whether one holds several.
///
/// A value; ``RecordMapper`` does the work. Whoever reads settings has checked what belongs together.
public struct TopicMapping: Sendable, Equatable {
    /// What the topic holds.
    public var kind: MappedKind
    /// The array whose elements are records of their own; nil where a record is one.
    public var each: Lines?
    /// What a record, or a line, must be for it to count; all of them together.
    public var conditions: [Condition]
    /// What each field is made of, by its name; members of `context` or `attributes` as `context.device`.
    public var fields: [String: FieldSource]
    /// What its records are written in.
    public var format: RecordFormat

    /// A mapping of its parts.
    public init(
        kind: MappedKind, each: Lines? = nil, conditions: [Condition] = [], fields: [String: FieldSource], format: RecordFormat = .json
    ) {
        self.kind = kind
        self.format = format
        self.each = each
        self.conditions = conditions
        self.fields = fields
    }

    /// An array inside a record, such as the lines of an order.
    public struct Lines: Sendable, Equatable {
        /// The array, from the whole record on. A value that is no array is its only line.
        public var path: RecordPath
        /// A line's own number or name, from the line on; nil for its place in the array, counted from 0. The ids of events end with it.
        public var id: RecordPath?

        /// The lines at a path.
        public init(path: RecordPath, id: RecordPath? = nil) {
            self.path = path
            self.id = id
        }
    }

    /// What a value must be for a record, or a line, to count.
    public struct Condition: Sendable, Equatable {
        /// What is asked of the value.
        public enum Test: Sendable, Equatable {
            /// It is one of these, as text.
            case isOneOf([String])
            /// It is none of these, or there is none.
            case isNoneOf([String])
            /// There is one other than null (true), or there is none (false).
            case exists(Bool)
        }

        /// The value.
        public var path: RecordPath
        /// What is asked of it.
        public var test: Test

        /// A condition.
        public init(path: RecordPath, _ test: Test) {
            self.path = path
            self.test = test
        }
    }
}

/// What a field is made of.
public struct FieldSource: Sendable, Equatable {
    /// Where values stand; the first that is there, not null and no empty text, counts.
    public var paths: [RecordPath]
    /// The value where no path has one: JSON. Without paths it is the value of every record.
    public var otherwise: String?
    /// What stands for each value, as text: JSON by text. Nil takes values as they are; a value without an entry is refused.
    public var words: [String: String]?
    /// What numbers count, of a time.
    public var unit: TimeUnit?
    /// Where a time without an offset was written.
    public var zone: LocalZone?
    /// Whether an amount counts cents, or what the currency has for them.
    public var isInMinorUnits = false
    /// What stands before an id.
    public var prefix = ""
    /// The digits behind the point of an amount or number whose text is the base64 of its bytes; nil where it is none.
    public var scale: Int?

    /// A source of paths, a fallback, or both; the rest is set afterwards.
    public init(paths: [RecordPath] = [], otherwise: String? = nil) {
        self.paths = paths
        self.otherwise = otherwise
    }
}

/// What the records of a topic are written in.
public enum RecordFormat: String, Sendable, CaseIterable {
    /// JSON of any shape.
    case json
    /// Avro's binary encoding behind a schema registry's framing.
    case avro
    /// Changes of a table's rows as Debezium writes them, in JSON or Avro.
    case debezium
}

/// What a number, or text of digits, counts since 1970-01-01T00:00:00Z.
public enum TimeUnit: String, Sendable, CaseIterable {
    case seconds = "s"
    case milliseconds = "ms"
    case microseconds = "us"
    case nanoseconds = "ns"
    /// No number at all: RFC 3339 text.
    case rfc3339 = "rfc3339"

    /// The power of ten that makes milliseconds of it.
    var shift: Int {
        switch self {
        case .seconds: 3
        case .milliseconds, .rfc3339: 0
        case .microseconds: -3
        case .nanoseconds: -6
        }
    }
}
