import Bytes

/// One field of a mapping, made ready: what is looked up once a topic rather than once a record.
struct FieldPlan {
    /// Where a value may stand, and how.
    struct Place {
        /// The token of a path.
        var token: Int
        /// The path, for reasons.
        var path: RecordPath
        /// Whether it begins in the whole record.
        var isOfRecord: Bool
    }

    /// The field's name; of a member of an object, the member's.
    let name: String
    /// What stands before its value: a quoted name and a colon.
    let opening: [UInt8]
    let takes: MappedField.Takes
    let places: [Place]
    /// JSON for where no place has a value; nil where the field is left out then.
    let otherwise: [UInt8]?
    /// What stands for values, by their text.
    let words: [(text: [UInt8], json: [UInt8])]?
    let unit: TimeUnit?
    let zone: LocalZone?
    let isInMinorUnits: Bool
    /// What stands before an id, as it is written within quotes.
    let prefix: [UInt8]

    /// Whether a present value of this kind is taken as it stands.
    let isPlain: Bool

    init(
        _ name: String, _ source: FieldSource, takes: MappedField.Takes, token: (RecordPath) -> Int, isOfRecord: (RecordPath) -> Bool
    ) {
        self.name = name
        opening = Array((JSONText.quoted(name) + ":").utf8)
        self.takes = takes
        isEventID = takes == .id && name == "event_id"
        places = source.paths.map { Place(token: token($0), path: $0, isOfRecord: isOfRecord($0)) }
        otherwise = source.otherwise.map { Array($0.utf8) }
        words = source.words.map { words in
            words.sorted { $0.key < $1.key }.map { (Array($0.key.utf8), Array($0.value.utf8)) }
        }
        unit = source.unit
        zone = source.zone
        isInMinorUnits = source.isInMinorUnits
        prefix = Array(JSONText.quoted(source.prefix).utf8.dropFirst().dropLast())
        let isConverted = words != nil || unit != nil || zone != nil || isInMinorUnits || !prefix.isEmpty
        isPlain = !isConverted && [.id, .word, .time, .object, .other].contains(takes)
    }

    /// The paths as a person reads them: `payload.user.id`, `a or b`.
    var shownPaths: String { places.map(\.path.description).joined(separator: " or ") }

    /// Whether it is the id of an event, which ends with the line's where a record has lines.
    let isEventID: Bool

    /// What a reason says about where the value came from.
    var origin: String { places.isEmpty ? "; the mapping gives it to every record" : "; mapped from \(shownPaths)" }
}

/// A condition of a mapping, made ready.
struct ConditionPlan {
    let token: Int
    let isOfRecord: Bool
    let test: TopicMapping.Condition.Test
    private let texts: [[UInt8]]

    init(_ condition: TopicMapping.Condition, token: Int, isOfRecord: Bool) {
        self.token = token
        self.isOfRecord = isOfRecord
        test = condition.test
        texts = switch condition.test {
        case .isOneOf(let words), .isNoneOf(let words): words.map { Array($0.utf8) }
        case .exists: []
        }
    }

    func holds(_ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch test {
        case .isOneOf: TokenText.index(of: token, among: texts, bytes) != nil
        case .isNoneOf: TokenText.index(of: token, among: texts, bytes) == nil
        case .exists(let wanted): token.isPresent == wanted
        }
    }
}

/// A value compared with texts, without a copy of it: strings as they mean, numbers as they are written, `true` and `false` as words.
enum TokenText {
    static func index(of token: JSONToken, among texts: [[UInt8]], _ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        texts.firstIndex { isEqual(token, $0, bytes) }
    }

    static func isEqual(_ token: JSONToken, _ text: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch token.kind {
        case .string where token.traits.contains(.escaped): return JSONText.unescaped(token, bytes).utf8.elementsEqual(text)
        case .string, .number, .yes, .no:
            guard token.count == text.count else { return false }
            for index in 0..<text.count where bytes[token.start &+ index] != text[index] { return false }
            return true
        case .absent, .null, .array, .object: return false
        }
    }
}
