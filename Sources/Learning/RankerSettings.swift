/// How the ranker over counters is learned.
package struct RankerSettings: Sendable {
    /// Whether one is wanted at all.
    package var isWanted: Bool
    /// What an order's worth counts beside whether there is one, from 0 to 1; nil: what keeps most of both.
    package var valueShare: Float?
    /// Items that EASE models.
    package var easeItemsLimit: Int
    /// The same seed gives the same ranker.
    package var seed: UInt64

    /// All of it.
    package init(
        isWanted: Bool, valueShare: Float? = nil, easeItemsLimit: Int = 6_000, seed: UInt64 = 1
    ) {
        (self.isWanted, self.valueShare) = (isWanted, valueShare)
        (self.easeItemsLimit, self.seed) = (easeItemsLimit, seed)
    }
}
