import Features

/// The dials of serving.
public struct RecommendingRules: Sendable, Equatable {
    /// How much likeness to the item that a user met last counts beside their whole taste, from 0 to 1. Above 0 such items
    /// are recalled too, at the price of one more search a request.
    public var similarWeight: Float
    /// What is added to the score of an item that is newer than the model. 0 treats it as any other.
    public var freshBonus: Float
    /// What each further item of a category counts in a trending list, from 0 to 1. 1 is popularity alone.
    /// The lists of users without a history are spread by it too.
    public var trendingDiscount: Float
    /// What each further item of a category counts in the list of a user with a history, from 0 to 1. 1 is the ranking alone.
    public var categoryDiscount: Float
    /// How much chance there is in the lists of users without a history, in log odds; by their id. 0 gives everybody the same.
    public var variety: Float
    /// A category with at most this many items is searched exactly; a larger one through the index.
    public var exactCategoryItems: Int
    /// How many of the most popular items the ranking blend counts as trending: as many as it was trained with. Lists look at more.
    public var trendedItems: Int
    /// How many repeats, discoveries and new items lists hold.
    public var shares: ListShares
    /// What prices of other currencies are worth; without them those of one currency are compared.
    public var rates: CurrencyRates?

    /// Makes rules.
    public init(
        similarWeight: Float = 0, freshBonus: Float = 0, trendingDiscount: Float = 0.85, exactCategoryItems: Int = 20_000,
        categoryDiscount: Float = 1, variety: Float = 0, trendedItems: Int = 500,
        rates: CurrencyRates? = nil, shares: ListShares = ListShares()
    ) {
        self.similarWeight = min(max(similarWeight, 0), 1)
        self.freshBonus = freshBonus
        self.trendingDiscount = min(max(trendingDiscount, 0), 1)
        self.exactCategoryItems = max(exactCategoryItems, 0)
        self.categoryDiscount = min(max(categoryDiscount, 0), 1)
        self.variety = max(variety, 0)
        self.trendedItems = max(trendedItems, 0)
        self.rates = rates
        self.shares = shares
    }
}
