import Synchronization

/// Quantiles of latency over about the last minute.
///
/// Log-linear buckets (sixteen for each power of two of microseconds, so within 1/16 of the truth) in windows of ten seconds
/// that are used in turn. Recording takes a lock only in the first request of a window.
final class RecentLatency: Sendable {
    private static let windowSeconds: Int64 = 10
    private static let windows = 7
    private static let subBuckets = 16
    /// Up to 2^27 µs, a little over two minutes.
    private static let largestExponent = 26
    private static let bucketCount = (largestExponent - 3) * subBuckets + subBuckets

    private let counts: [AtomicCounters]
    /// Which window each slot holds now, plus one; 0 means none.
    private let held = AtomicCounters(count: windows)
    private let turn = Mutex(())

    init() {
        counts = (0..<Self.windows).map { _ in AtomicCounters(count: Self.bucketCount) }
    }

    func record(_ duration: Duration, second: Int64) {
        let window = second / Self.windowSeconds
        let slot = Int(window.magnitude % UInt64(Self.windows))
        let stamp = UInt64(bitPattern: window) &+ 1
        if held[slot] != stamp {
            turn.withLock { _ in
                let before = held[slot]
                guard before != stamp else { return }
                counts[slot].clear()
                _ = held.exchange(slot, from: before, to: stamp)
            }
        }
        counts[slot].add(1, to: Self.bucket(duration.wholeMicroseconds))
    }

    /// The latency in milliseconds at each of the given shares, or nil where nothing was recorded in the last minute.
    func quantiles(_ shares: [Double], second: Int64) -> [Double]? {
        var merged = [UInt64](repeating: 0, count: Self.bucketCount)
        let window = second / Self.windowSeconds
        for slot in 0..<Self.windows {
            let age = UInt64(bitPattern: window) &+ 1 &- held[slot]
            guard held[slot] != 0, age < UInt64(Self.windows) else { continue }
            for bucket in 0..<Self.bucketCount { merged[bucket] += counts[slot][bucket] }
        }
        let total = merged.reduce(0, +)
        guard total > 0 else { return nil }
        return shares.map { share in
            let rank = UInt64((share * Double(total)).rounded(.up))
            var seen: UInt64 = 0
            for (bucket, count) in merged.enumerated() {
                seen += count
                if seen >= max(1, rank) { return Self.upperBound(bucket) / 1_000 }
            }
            return Self.upperBound(Self.bucketCount - 1) / 1_000
        }
    }

    private static func bucket(_ microseconds: UInt64) -> Int {
        guard microseconds >= UInt64(subBuckets) else { return Int(microseconds) }
        let exponent = 63 - microseconds.leadingZeroBitCount
        guard exponent <= largestExponent else { return bucketCount - 1 }
        return (exponent - 3) * subBuckets + Int(microseconds >> UInt64(exponent - 4)) - subBuckets
    }

    /// The largest latency in microseconds that falls into a bucket.
    private static func upperBound(_ bucket: Int) -> Double {
        guard bucket >= subBuckets else { return Double(bucket) }
        let exponent = bucket / subBuckets + 3
        let sub = bucket % subBuckets + subBuckets
        return Double((UInt64(sub + 1) << UInt64(exponent - 4)) - 1)
    }
}
