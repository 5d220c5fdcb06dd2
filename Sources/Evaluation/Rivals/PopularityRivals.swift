#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A rival that recommends the same list to everybody: items by their number of events.
public struct PopularityRival: Sendable {
    /// Events per item row.
    public let scores: [Float]

    /// Ranks by events per item row that were counted before.
    public init(counts: [Int]) {
        scores = counts.map { Float($0) }
    }

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
        self.init(itemCount: itemCount, now: now, halfLifeMilliseconds: halfLifeMilliseconds) { add in
            for (row, time) in zip(items, times) { add(row, time) }
        }
    }

    /// Sums the decayed events per item row, without holding them all.
    ///
    /// - Parameter forEachEvent: calls what it is given with the item row, below `itemCount`, and the time of every event.
    public init(
        itemCount: Int, now: Int64, halfLifeMilliseconds: Int64, forEachEvent: (_ add: (_ item: Int32, _ time: Int64) -> Void) -> Void
    ) {
        precondition(halfLifeMilliseconds > 0, "the half-life must be above 0 ms, got \(halfLifeMilliseconds)")
        var sums = [Double](repeating: 0, count: itemCount)
        forEachEvent { item, time in
            let age = Double(max(0, now - time))
            sums[Int(item)] += exp2(-age / Double(halfLifeMilliseconds))
        }
        scores = sums.map { Float($0) }
    }

    /// Counts the events of a window, each in full: the bestsellers of the last four weeks, say. What has none comes after, by its share of
    /// all events.
    ///
    /// - Parameter forEachEvent: as above.
    public init(
        itemCount: Int, now: Int64, windowMilliseconds: Int64, forEachEvent: (_ add: (_ item: Int32, _ time: Int64) -> Void) -> Void
    ) {
        precondition(windowMilliseconds > 0, "the window must be above 0 ms, got \(windowMilliseconds)")
        var inside = [Double](repeating: 0, count: itemCount), all = inside
        forEachEvent { item, time in
            all[Int(item)] += 1
            if now - time < windowMilliseconds { inside[Int(item)] += 1 }
        }
        let most = max(all.max() ?? 0, 1)
        scores = zip(inside, all).map { Float($0 + 1e-3 * $1 / most) }
    }

    /// The best `count` rows that are not excluded; ties in row order.
    public func rank(_ count: Int, excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores) { excluded.contains($0) }
    }
}
