#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// ``PopularityRival`` that goes on counting.
public struct LivePopularity: ReplayRanker {
    public let name = "popularity"
    private var scores: [Float]

    /// Nothing counted yet. Rows are below `itemCount`.
    public init(itemCount: Int) { scores = [Float](repeating: 0, count: itemCount) }

    public mutating func rank(
        _ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool
    ) -> [Int32] {
        topRows(count, of: scores, excluding: isExcluded)
    }

    public mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) { scores[Int(event.item)] += 1 }
}

/// ``RecentPopularityRival`` that goes on counting: an event weighs 2^(−age / half-life) at every moment.
///
/// Weights are kept relative to a landmark that moves on (forward decay), so that nothing has to be aged.
public struct LiveRecentPopularity: ReplayRanker {
    public let name: String
    private let halfLife: Double
    private var landmark: Int64?
    private var scores: [Double]

    /// The landmark moves when weights have grown to 2 to this power.
    private static let largestExponent = 60.0

    /// Nothing counted yet. Rows are below `itemCount`; the half-life is above 0.
    public init(itemCount: Int, halfLifeMilliseconds: Int64, name: String = "recent popularity") {
        precondition(halfLifeMilliseconds > 0, "the half-life must be above 0 ms, got \(halfLifeMilliseconds)")
        self.name = name
        halfLife = Double(halfLifeMilliseconds)
        scores = [Double](repeating: 0, count: itemCount)
    }

    public mutating func rank(
        _ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool
    ) -> [Int32] {
        // One factor for all: the order is that of the weights as they stand.
        topRows(count, of: scores.map { Float($0) }, excluding: isExcluded)
    }

    public mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) {
        let start = landmark ?? event.time
        landmark = start
        var exponent = Double(event.time - start) / halfLife
        if exponent > Self.largestExponent {
            let scale = exp2(-exponent)
            for row in scores.indices { scores[row] *= scale }
            landmark = event.time
            exponent = 0
        }
        scores[Int(event.item)] += exp2(exponent)
    }
}

/// ``MarkovRival`` that goes on counting: after the same events it gives the same scores.
public struct LiveMarkov: ReplayRanker {
    public let name = "windowed Markov"
    private let window, lastItems: Int
    private let decay: Double
    private var leaving, reaching: [Double]
    private var followers: [Followers]

    /// What followed one item, and how much.
    private struct Followers {
        var items: [Int32] = []
        var sums: [Double] = []
        var slots: [Int32: Int32] = [:]

        mutating func add(_ item: Int32, _ share: Double) {
            if let slot = slots[item] {
                sums[Int(slot)] += share
            } else {
                slots[item] = Int32(items.count)
                items.append(item)
                sums.append(share)
            }
        }
    }

    /// Nothing counted yet; parameters as those of ``MarkovRival``.
    public init(itemCount: Int, window: Int = 10, lastItems: Int = 20, decay: Double = 0.8) {
        self.window = window
        self.lastItems = lastItems
        self.decay = decay
        leaving = [Double](repeating: 0, count: itemCount)
        reaching = leaving
        followers = [Followers](repeating: Followers(), count: itemCount)
    }

    /// The score of every item row after a history, oldest first.
    public func scores(history: ArraySlice<Int32>) -> [Float] {
        var result = [Double](repeating: 0, count: leaving.count)
        var weight = 1.0
        for row in history.suffix(lastItems).reversed() {
            defer { weight *= decay }
            let from = leaving[Int(row)]
            guard from > 0 else { continue }
            let item = followers[Int(row)]
            for (place, other) in item.items.enumerated() {
                result[Int(other)] += weight * item.sums[place] / (from * reaching[Int(other)]).squareRoot()
            }
        }
        return result.map { Float($0) }
    }

    public mutating func rank(
        _ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool
    ) -> [Int32] {
        topRows(count, of: scores(history: past.items[...]), excluding: isExcluded)
    }

    public mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) {
        var distance = 0
        for row in past.items.suffix(window).reversed() {
            distance += 1
            guard row != event.item else { continue }
            let share = 1 / Double(distance)
            leaving[Int(row)] += share
            reaching[Int(event.item)] += share
            followers[Int(row)].add(event.item, share)
        }
    }
}
