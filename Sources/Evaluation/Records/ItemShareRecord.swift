/// How many lists an item may be in, what a training did for it, and what it cost. Shares are of lists of ten, on held-out questions.
public struct ItemShareRecord: Codable, Sendable, Equatable {
    /// The share that was asked for.
    public var limit: Double
    /// The share that was held to: at least what a catalogue of this size allows, and loosened where it would have cost too much.
    public var bound: Double
    /// Share of the lists that hold the most shown item, without prices.
    public var before: Double
    /// The same with them.
    public var after: Double?
    /// NDCG@10 without prices, and with them.
    public var beforeNDCG: Double, afterNDCG: Double?
    /// What the first bound would have cost of NDCG@10, as a share; nil where nothing was above it.
    public var askedCost: Double?
    /// Items that cost something.
    public var priced: Int?

    private enum CodingKeys: String, CodingKey {
        case limit, bound
        case before = "most_shown_before"
        case after = "most_shown_after"
        case beforeNDCG = "NDCG@10_before"
        case afterNDCG = "NDCG@10_after"
        case askedCost = "asked_cost_share"
        case priced = "priced_items"
    }

    /// Before anything was done.
    public init(limit: Double, bound: Double, before: Double, beforeNDCG: Double) {
        self.limit = limit
        self.bound = bound
        self.before = before
        self.beforeNDCG = beforeNDCG
    }

    /// What the prices cost of NDCG@10, as a share of what it was without them.
    public var cost: Double { beforeNDCG > 0 ? 1 - (afterNDCG ?? beforeNDCG) / beforeNDCG : 0 }

    /// For people.
    public var sentence: String {
        func percent(_ share: Double) -> String { "\(decimal(100 * share, places: 1)) %" }
        let asked = "ranking.item_share_limit_percent asks for \(percent(limit)) of the lists at most"
        guard let askedCost, let after else {
            return "The most shown item is in \(percent(before)) of the lists; \(asked)."
        }
        var words = "\(asked); the most shown item was in \(percent(before)), and "
        guard (priced ?? 0) > 0 else {
            return words + "stays there: no prices help that cost no more of NDCG@10 than ranking.item_share_cost_percent allows (the "
                + "bound asked for: \(percent(askedCost)))."
        }
        words += "is in \(percent(after)) with prices on \(priced ?? 0) items, which cost \(percent(cost)) of NDCG@10"
        if bound > limit * 1.000_001 {
            words += " (held to \(percent(bound)), as few as the catalogue or ranking.item_share_cost_percent allow; the bound asked for "
                + "would cost \(percent(askedCost)))"
        }
        return words + "."
    }
}
