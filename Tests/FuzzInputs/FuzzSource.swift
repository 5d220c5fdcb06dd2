/// The randomness of one input: a function of the run's seed and the input's number, so that any input can be made again alone.
///
/// SplitMix64; the same on every machine.
public struct FuzzSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts at input `index` of the run with `seed`.
    public init(seed: UInt64, index: Int) {
        state = seed &* 0xD134_2543_DE82_EF95 ^ UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15
        // Neighbours start far apart.
        state = next() ^ next() << 1
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A whole number from 0 to `limit` − 1.
    public mutating func below(_ limit: Int) -> Int {
        // The high half of a product: no division, and no bias that an input would notice.
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(limit)).high)
    }

    /// True once in so many times.
    public mutating func once(in times: Int) -> Bool { below(times) == 0 }

    /// One of a list, which must not be empty.
    public mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

    /// A size in bytes or members: mostly small, now and then about `limit`, on both sides of it.
    public mutating func size(about limit: Int) -> Int {
        switch below(16) {
        case 0: limit - 2 + below(5)
        case 1: below(limit + 1)
        default: below(12)
        }
    }
}

extension [UInt8] {
    mutating func add(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func add(_ text: String) { append(contentsOf: text.utf8) }
}
