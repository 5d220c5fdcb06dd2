#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A rival for shops where people buy the same things again: what a user had most often, then what everybody has.
///
/// With a half-life an older time counts less: 2^(−age / half-life) at the moment of the question.
public struct BuyAgainRival: Rival {
    /// Each item's share of the most popular one's events, below 1, so that it only decides between equal own counts.
    private let shares: [Float]
    private let halfLifeMilliseconds: Double?

    /// What the share of everybody counts beside decayed own counts, which are equal by chance only: it stands behind them.
    private static let shareBesideDecayed: Float = 1e-6

    /// Ranks by events per item row that were counted before.
    ///
    /// - Parameter halfLifeMilliseconds: the age at which a time counts half; above 0. Nil counts each time in full.
    public init(counts: [Int], halfLifeMilliseconds: Int64? = nil) {
        precondition(halfLifeMilliseconds.map { $0 > 0 } ?? true, "the half-life must be above 0 ms, got \(halfLifeMilliseconds ?? 0)")
        let most = Float(counts.max() ?? 0), weight = halfLifeMilliseconds == nil ? 1 : Self.shareBesideDecayed
        shares = counts.map { weight * Float($0) / (most + 1) }
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
            // However long past, what is the user's own stands before what is not.
            let age = max(0, Double(question.now) - Double(time)) / halfLifeMilliseconds
            scores[Int(row)] += 2 * Self.shareBesideDecayed + Float(exp2(-age))
        }
        return scores
    }

    /// The best `count` rows for a history that are not excluded; ties in row order.
    public func rank(_ count: Int, history: [Int32], excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores(history: history)) { excluded.contains($0) }
    }
}
