import TowerModel

/// How often each item is a target, estimated from the targets that go by (Yi et al. 2019, algorithm 2): a moving mean of how many targets
/// pass between two occurrences of an item, whose inverse is its share. It follows a catalogue whose demand changes.
struct StreamingFrequency {
    /// Weight of a new gap in the mean.
    private static let rate: Float = 0.05

    /// Targets so far, over ``unit``, at the last occurrence of each item, −1 before the first; and the mean gap, in targets.
    private var last: [Float]
    private var gaps: [Float]
    private var seen: Int64 = 0

    /// Begins with shares counted elsewhere; items without one begin as rare as one in all targets.
    init(shares: [Float]) {
        last = [Float](repeating: -1, count: shares.count)
        gaps = shares.map { 1 / max($0, 1e-7) }
    }

    /// The estimated share of an item.
    func share(of item: Int32) -> Float { 1 / max(1, gaps[Int(item)]) }

    /// Notes targets in their order.
    mutating func note(_ targets: UnsafeBufferPointer<Int32>) {
        for target in targets {
            let item = Int(target)
            seen += 1
            // Whole numbers stay exact in a Float up to 2²⁴; the count starts anew before.
            if seen >= 1 << 24 { restart() }
            if last[item] >= 0 { gaps[item] += Self.rate * (Float(seen) - last[item] - gaps[item]) }
            last[item] = Float(seen)
        }
    }

    private mutating func restart() {
        let shift = Float(seen)
        for item in last.indices where last[item] >= 0 { last[item] = max(-1, last[item] - shift) }
        seen = 0
    }

    /// State for a checkpoint.
    func tensors() -> [NamedTensor] {
        [
            NamedTensor(name: "frequency.last", shape: [last.count, 1], values: last),
            NamedTensor(name: "frequency.gaps", shape: [gaps.count, 1], values: gaps),
            NamedTensor(name: "frequency.seen", shape: [1, 1], values: [Float(seen)]),
        ]
    }

    /// Reads the state of ``tensors()``.
    mutating func read(_ reader: TensorReader) throws(ModelError) {
        last = try reader.values("frequency.last", rows: last.count, columns: 1)
        gaps = try reader.values("frequency.gaps", rows: gaps.count, columns: 1)
        seen = Int64(try reader.values("frequency.seen", rows: 1, columns: 1)[0])
    }
}
