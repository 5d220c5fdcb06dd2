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

let start: Int64 = 1_793_520_000_000

/// Events with many ties: few users, few items, coarse times, so that order could matter wherever it may not.
func randomEvents(
    _ count: Int, users: Int = 7, items: Int = 11, spanMilliseconds: Int64 = 60 * 86_400_000, seed: UInt64
) -> [Interaction] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { index in
        let type = InteractionType.allCases.randomElement(using: &random)!
        let coarse = Bool.random(using: &random)
        let time = Int64.random(in: 0..<spanMilliseconds, using: &random)
        let partition = Int32.random(in: 0...2, using: &random)
        return Interaction(
            eventID: "e\(index)", type: type, userID: "u\(Int.random(in: 0..<users, using: &random))",
            itemID: "i\(Int.random(in: 0..<items, using: &random))",
            time: EventTime(milliseconds: start + (coarse ? time / 86_400_000 * 86_400_000 : time)),
            amountMinor: type == .purchase ? Int64.random(in: 1...99_999, using: &random) : nil,
            currency: ["EUR", "USD", "JPY"].randomElement(using: &random)!,
            quantity: Int32.random(in: 1...5, using: &random),
            position: Position(partition: partition, offset: Int64(index)))
    }
}
