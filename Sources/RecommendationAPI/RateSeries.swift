import Synchronization

/// How many happened in one second.
public struct RatePoint: Sendable, Equatable {
    /// Seconds since 1970.
    public var second: Int64
    /// How many happened in it.
    public var count: Int64

    /// Makes a point.
    public init(second: Int64, count: Int64) {
        self.second = second
        self.count = count
    }
}

/// Counts by second over a fixed span: a ring of counters without a lock.
///
/// Two threads that both meet a new second may lose a few counts of it; that is fine for a plot and not for accounts.
public final class RateSeries: Sendable {
    /// Each slot holds the low 24 bits of a second above a 40-bit count.
    private let slots: AtomicCounters
    /// The span that is kept.
    public let spanSeconds: Int

    /// Makes a series over the last `spanSeconds` seconds.
    public init(spanSeconds: Int = 600) {
        precondition(spanSeconds > 0 && spanSeconds < 1 << 24, "a span of \(spanSeconds) s is not between 1 and 2^24")
        self.spanSeconds = spanSeconds
        slots = AtomicCounters(count: spanSeconds)
    }

    /// Adds to the count of a second since 1970.
    public func record(_ count: Int = 1, second: Int64) {
        let slot = Int(second.magnitude % UInt64(spanSeconds))
        let stamp = Self.stamp(second)
        let held = slots[slot]
        if held & ~Self.countMask == stamp {
            slots.add(UInt64(count), to: slot)
        } else if !slots.exchange(slot, from: held, to: stamp | UInt64(count)) {
            slots.add(UInt64(count), to: slot)
        }
    }

    /// The counts of the last `seconds` complete seconds before `second`, oldest first, seconds without any included.
    public func points(before second: Int64, seconds: Int) -> [RatePoint] {
        let span = Int64(min(seconds, spanSeconds - 1))
        return (second - span..<second).map { RatePoint(second: $0, count: count(ofSecond: $0)) }
    }

    /// The mean a second over the last `seconds` complete seconds before `second`.
    public func perSecond(before second: Int64, seconds: Int) -> Double {
        let counts = points(before: second, seconds: seconds)
        return counts.isEmpty ? 0 : Double(counts.reduce(0) { $0 + $1.count }) / Double(counts.count)
    }

    private func count(ofSecond second: Int64) -> Int64 {
        let held = slots[Int(second.magnitude % UInt64(spanSeconds))]
        return held & ~Self.countMask == Self.stamp(second) ? Int64(held & Self.countMask) : 0
    }

    private static let countMask: UInt64 = (1 << 40) - 1

    private static func stamp(_ second: Int64) -> UInt64 {
        UInt64(truncatingIfNeeded: second) << 40
    }
}

/// A fixed number of counters that threads add to without a lock.
///
/// `@unchecked Sendable`: the memory is allocated once, freed in `deinit`, and touched in between through atomics only.
final class AtomicCounters: @unchecked Sendable {
    let count: Int
    private let storage: UnsafeMutablePointer<Atomic<UInt64>>

    init(count: Int) {
        self.count = count
        storage = .allocate(capacity: count)
        for index in 0..<count { (storage + index).initialize(to: Atomic(0)) }
    }

    deinit {
        storage.deinitialize(count: count)
        storage.deallocate()
    }

    subscript(index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "counter \(index) of \(count)")
        return storage[index].load(ordering: .relaxed)
    }

    func add(_ amount: UInt64, to index: Int) {
        precondition(index >= 0 && index < count, "counter \(index) of \(count)")
        storage[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Replaces a value where nobody else did meanwhile; tells whether it did.
    func exchange(_ index: Int, from expected: UInt64, to desired: UInt64) -> Bool {
        precondition(index >= 0 && index < count, "counter \(index) of \(count)")
        return storage[index].compareExchange(expected: expected, desired: desired, ordering: .relaxed).exchanged
    }

    /// Sets every counter to zero.
    func clear() {
        for index in 0..<count { storage[index].store(0, ordering: .relaxed) }
    }
}
