import Interactions

/// SplitMix64: enough for tests, and the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

let testNow = EventTime(rfc3339: "2026-11-21T08:00:00Z")!

let kafkaOrigin = RecordOrigin(
    source: "freshet.events", cluster: "k1", position: Position(partition: 3, offset: 42))

func withRaw<Value>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    // An exact copy on the heap, so that a read past the end is a read of somebody else's memory.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    return body(UnsafeRawBufferPointer(copy))
}

func decode(
    _ text: String, rules: DecodingRules = DecodingRules(), origin: RecordOrigin = kafkaOrigin
) -> Result<Interaction, Rejection> {
    decode(Array(text.utf8), rules: rules, origin: origin)
}

func decode(
    _ bytes: [UInt8], rules: DecodingRules = DecodingRules(), origin: RecordOrigin = kafkaOrigin
) -> Result<Interaction, Rejection> {
    withRaw(bytes) { RecordDecoder(rules: rules).interaction($0, origin: origin, now: testNow) }
}

func decodeItem(_ text: String, rules: DecodingRules = DecodingRules(), origin: RecordOrigin = kafkaOrigin) -> Result<
    ItemRecord, Rejection
> {
    withRaw(Array(text.utf8)) { RecordDecoder(rules: rules).item($0, origin: origin, now: testNow) }
}

func decodeUser(_ text: String, origin: RecordOrigin = kafkaOrigin) -> Result<UserRecord, Rejection> {
    withRaw(Array(text.utf8)) { RecordDecoder().user($0, origin: origin, now: testNow) }
}

func decodeSlate(_ text: String, rules: DecodingRules = DecodingRules()) -> Result<[Interaction], Rejection> {
    withRaw(Array(text.utf8)) { RecordDecoder(rules: rules).slate($0, origin: kafkaOrigin, now: testNow) }
}

extension Result where Failure == Rejection {
    /// The rejection's code, or nil where the record was accepted.
    var code: RejectionCode? {
        if case .failure(let rejection) = self { rejection.code } else { nil }
    }

    var field: String? {
        if case .failure(let rejection) = self { rejection.field } else { nil }
    }
}

/// An event with one member replaced, removed (nil) or added.
func event(_ changes: [(String, String?)] = []) -> String {
    var members: [(String, String)] = [
        ("event_id", "\"e1\""), ("type", "\"click\""), ("user_id", "\"u1\""), ("item_id", "\"i9\""),
        ("timestamp", "\"2026-11-21T08:00:00.123Z\""),
    ]
    for (name, value) in changes {
        members.removeAll { $0.0 == name }
        if let value { members.append((name, value)) }
    }
    return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}
