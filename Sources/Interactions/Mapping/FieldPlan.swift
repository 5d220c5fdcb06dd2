import Bytes

/// One field of a mapping, made ready: what is looked up once a topic rather than once a record.
final class FieldPlan {
    /// Where a value may stand, and how.
    struct Place {
        /// The token of a path.
        var token: Int
        /// The path, for reasons.
        var path: RecordPath
        /// Whether it begins in the whole record.
        var isOfRecord: Bool
    }

    /// What stands for a value.
    struct Word {
        let text: FixedText
        let json: FixedText
    }

    /// The field's name; of a member of an object, the member's.
    let name: String
    /// What stands before its value: a quoted name and a colon.
    let opening: FixedText
    let takes: MappedField.Takes
    let places: [Place]
    /// JSON for where no place has a value; nil where the field is left out then.
    let otherwise: FixedText?
    /// What stands for values, by their text.
    let words: [Word]?
    let unit: TimeUnit?
    let zone: LocalZone?
    let isInMinorUnits: Bool
    /// The digits behind the point of a number that stands as the base64 of its bytes.
    let scale: Int?
    /// Whether records have texts for times, as their schema says.
    let isTyped: Bool
    /// What stands before an id.
    let plainPrefix: String
    /// What the mapping says of it.
    let source: FieldSource
    /// The prefix as it is written within quotes.
    let prefix: FixedText
    /// Whether a present value is taken as it stands, whatever it is.
    let isPlain: Bool
    /// Whether it is the id of an event, which ends with the line's where a record has lines.
    let isEventID: Bool

    init(
        _ name: String, _ source: FieldSource, takes: MappedField.Takes, isTyped: Bool, texts: TextStore, token: (RecordPath) -> Int,
        isOfRecord: (RecordPath) -> Bool
    ) {
        self.name = name
        opening = texts.keep((JSONText.quoted(name) + ":").utf8)
        self.takes = takes
        isEventID = takes == .id && name == "event_id"
        places = source.paths.map { Place(token: token($0), path: $0, isOfRecord: isOfRecord($0)) }
        otherwise = source.otherwise.map { texts.keep($0.utf8) }
        words = source.words.map { words in
            words.sorted { $0.key < $1.key }.map { Word(text: texts.keep($0.key.utf8), json: texts.keep($0.value.utf8)) }
        }
        unit = source.unit
        zone = source.zone
        isInMinorUnits = source.isInMinorUnits
        scale = source.scale
        self.isTyped = isTyped
        plainPrefix = source.prefix
        self.source = source
        prefix = texts.keep(JSONText.quoted(source.prefix).utf8.dropFirst().dropLast())
        let isConverted = words != nil || unit != nil || zone != nil || isInMinorUnits || prefix.count > 0 || isTyped && takes == .time
        isPlain = !isConverted && [.id, .word, .time, .object, .other].contains(takes)
    }

    /// The paths as a person reads them: `payload.user.id`, `a or b`.
    var shownPaths: String { places.map(\.path.description).joined(separator: " or ") }

    /// What a reason says about where the value came from.
    var origin: String { places.isEmpty ? "; the mapping gives it to every record" : "; mapped from \(shownPaths)" }
}

/// What is needed of a field for every record, without a count of references: most fields need no more.
struct FieldStep {
    /// What stands before its value.
    let opening: FixedText
    /// The token of its first path; -1 where it has none.
    let token: Int
    /// Whether a value that is there is copied as it stands.
    let isCopied: Bool
    /// Whether something stands instead where the first path has no value.
    let hasMore: Bool

    init(_ plan: FieldPlan, hasLines: Bool) {
        opening = plan.opening
        token = plan.places.first?.token ?? -1
        isCopied = plan.isPlain && !(hasLines && plan.isEventID)
        hasMore = plan.places.count > 1 || plan.otherwise != nil
    }
}

/// A condition of a mapping, made ready.
struct ConditionPlan {
    private enum Test {
        case isOneOf, isNoneOf, isThere, isAway
    }

    private let token: Int
    private let test: Test
    private let texts: [FixedText]

    init(_ condition: TopicMapping.Condition, token: Int, texts store: TextStore) {
        self.token = token
        switch condition.test {
        case .isOneOf(let words): (test, texts) = (.isOneOf, words.map { store.keep($0.utf8) })
        case .isNoneOf(let words): (test, texts) = (.isNoneOf, words.map { store.keep($0.utf8) })
        case .exists(let wanted): (test, texts) = (wanted ? .isThere : .isAway, [])
        }
    }

    func holds(_ tokens: UnsafeMutablePointer<JSONToken>, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let token = tokens[token]
        switch test {
        case .isOneOf: return texts.contains { $0.isEqual(token, bytes) }
        case .isNoneOf: return !texts.contains { $0.isEqual(token, bytes) }
        case .isThere: return token.isPresent
        case .isAway: return !token.isPresent
        }
    }
}
