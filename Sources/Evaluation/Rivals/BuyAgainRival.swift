/// A rival for shops where people buy the same things again: what a user had most often, then what everybody has.
public struct BuyAgainRival: Sendable {
    /// Each item's share of the most popular one's events, below 1, so that it only decides between equal own counts.
    private let shares: [Float]

    /// Ranks by events per item row that were counted before.
    public init(counts: [Int]) {
        let most = Float(counts.max() ?? 0)
        shares = counts.map { Float($0) / (most + 1) }
    }

    /// The score of every item row for a history. Rows out of range are skipped.
    public func scores(history: [Int32]) -> [Float] {
        var scores = shares
        for row in history where row >= 0 && Int(row) < scores.count { scores[Int(row)] += 1 }
        return scores
    }

    /// The best `count` rows for a history that are not excluded; ties in row order.
    public func rank(_ count: Int, history: [Int32], excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores(history: history)) { excluded.contains($0) }
    }
}
