#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A rival for shops where people buy the same things again: what a user had most often, then what everybody has.
///
/// Most of what people had they had once, so what decides between equal counts decides much: everybody's taste of late does better than
/// that of all time, and a decay, which makes equal counts different by their age, leaves it no say. With a half-life an older time counts
/// less: 2^(−age / half-life) at the moment of the question.
public struct BuyAgainRival: Rival {
    /// What everybody's taste adds to an item's score: a share of the most popular one's.
    private let shares: [Float]
    private let halfLifeMilliseconds: Double?

    /// What an own item is given besides its counts, so that however small these are it stands before what is not the user's own. In a
    /// rival without a half-life counts are 1 or more.
    private let ofOwn: Float

    /// Ranks by what everybody took, as counted before.
    ///
    /// - Parameters:
    ///   - counts: everybody's events by item row, of all time or of late; not below 0.
    ///   - popularity: what the most popular item is worth, in times that a user had an item; just below 1 or less decides between equal
    ///     counts alone.
    ///   - halfLifeMilliseconds: the age at which a time counts half; above 0. Nil counts each time in full.
    public init(counts: [Float], popularity: Float = 0.999, halfLifeMilliseconds: Int64? = nil) {
        precondition(halfLifeMilliseconds.map { $0 > 0 } ?? true, "the half-life must be above 0 ms, got \(halfLifeMilliseconds ?? 0)")
        let most = max(counts.max() ?? 0, .leastNormalMagnitude)
        shares = counts.map { popularity * $0 / most }
        ofOwn = halfLifeMilliseconds == nil ? 0 : 1e-6
        self.halfLifeMilliseconds = halfLifeMilliseconds.map { Double($0) }
    }

    /// The score of every item row for a history in which every time counts in full. Rows out of range are skipped.
    public func scores(history: [Int32]) -> [Float] {
        scores(RivalQuestion(history: history, times: [Int64](repeating: 0, count: history.count), now: 0))
    }

    public func scores(_ question: RivalQuestion) -> [Float] {
        var scores = shares
        for (row, time) in zip(question.history, question.times) where row >= 0 && Int(row) < scores.count {
            guard let halfLifeMilliseconds else {
                scores[Int(row)] += 1
                continue
            }
            let age = max(0, Double(question.now) - Double(time)) / halfLifeMilliseconds
            scores[Int(row)] += ofOwn + Float(exp2(-age))
        }
        return scores
    }

    /// The best `count` rows for a history that are not excluded; ties in row order.
    public func rank(_ count: Int, history: [Int32], excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores(history: history)) { excluded.contains($0) }
    }
}
