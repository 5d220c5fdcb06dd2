#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A rival that recommends the same list to everybody: items by their number of events.
public struct PopularityRival: Sendable {
    /// Events per item row.
    public let scores: [Float]

    /// Counts the events per item row. Rows are below `itemCount`.
    public init(items: [Int32], itemCount: Int) {
        var counts = [Float](repeating: 0, count: itemCount)
        for row in items { counts[Int(row)] += 1 }
        scores = counts
    }

    /// The best `count` rows that are not excluded; ties in row order.
    public func rank(_ count: Int, excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores) { excluded.contains($0) }
    }
}

/// A rival that counts an event the less the older it is by the data clock: weight 2^(−age / half-life).
public struct RecentPopularityRival: Sendable {
    /// Decayed events per item row.
    public let scores: [Float]

    /// Sums the decayed events per item row.
    ///
    /// - Parameters:
    ///   - items: the item row of each event, below `itemCount`.
    ///   - times: the time of each event in milliseconds.
    ///   - now: the data clock; events later than it count in full.
    ///   - halfLifeMilliseconds: the age at which an event counts half; above 0.
    public init(items: [Int32], times: [Int64], itemCount: Int, now: Int64, halfLifeMilliseconds: Int64) {
        precondition(items.count == times.count, "one time per item: \(items.count) items, \(times.count) times")
        precondition(halfLifeMilliseconds > 0, "the half-life must be above 0 ms, got \(halfLifeMilliseconds)")
        var sums = [Double](repeating: 0, count: itemCount)
        for (row, time) in zip(items, times) {
            let age = Double(max(0, now - time))
            sums[Int(row)] += exp2(-age / Double(halfLifeMilliseconds))
        }
        scores = sums.map { Float($0) }
    }

    /// The best `count` rows that are not excluded; ties in row order.
    public func rank(_ count: Int, excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores) { excluded.contains($0) }
    }
}
