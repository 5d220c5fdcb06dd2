import Interactions

/// What makes an item trending: clicks, and purchases that count for several, each less the older it is.
public enum TrendingScore {
    /// Clicks that a purchase counts for.
    public static let purchaseWeight = 5.0

    /// Clicks that an interaction counts for; nil where its type makes nothing trending.
    public static func weight(of type: InteractionType?) -> Double? {
        switch type {
        case .click: 1
        case .purchase: purchaseWeight
        default: nil
        }
    }

    /// The score of what was counted of an item: decayed clicks and purchases of the same moment.
    public static func score(
        clicks: ScaledValue, purchases: ScaledValue, purchaseWeight: Double = TrendingScore.purchaseWeight
    ) -> ScaledValue {
        clicks + purchases.times(purchaseWeight)
    }
}
