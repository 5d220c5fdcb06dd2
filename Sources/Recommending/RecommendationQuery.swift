/// How much a request cares for what. Where the model has heads, the score of an item is
/// `click · ln pCTR + conversion · ln pCVR + value · ln E[value]`: see ``RankingHeads``. Without heads it is, in log odds,
/// `click · (inner product / temperature) + value · ln(price / median price)`, and `conversion` says nothing.
public struct ObjectiveWeights: Sendable, Equatable {
    /// The exponent of the probability of interest. 1 ranks as the model was trained.
    public var click: Float
    /// The exponent of the expected order value, or of the item's price: 0 ignores it, 1 ranks by expected value.
    public var value: Float
    /// The exponent of the probability that interest ends in a purchase.
    public var conversion: Float

    /// Makes weights.
    public init(click: Float = 1, value: Float = 0, conversion: Float = 0) {
        self.click = click
        self.value = value
        self.conversion = conversion
    }
}

/// One request for recommendations.
public struct RecommendationQuery: Sendable, Equatable {
    /// How many items a request may ask for.
    public static let countRange = 1...1_000

    /// The user, where one is known. The caller reads their history; this target only repeats the id in the answer.
    public var userID: String?
    /// The session that asks; nil where it is not known.
    public var sessionID: String?
    /// How many items to recommend. Outside ``countRange`` it counts as the nearest bound.
    public var count: Int
    /// Only items of this category.
    public var category: String?
    /// Items not to recommend, beside those that the rules exclude.
    public var exclude: [String]
    /// What is known of the moment: device, country and the like.
    public var context: [String: String]
    /// Rank exactly these instead of recalling candidates. See ``recommend(_:history:excluded:attributes:snapshot:now:requestID:)``.
    public var items: [String]?
    /// Whether to say in words why an item is there.
    public var explain: Bool
    /// What the goals count for; nil: what the model says.
    public var objective: ObjectiveWeights?
    /// Whether the caller may read what is known of the user; false asks for an answer by the context alone.
    public var isPersonalised: Bool

    /// Makes a query.
    public init(
        userID: String? = nil, sessionID: String? = nil, count: Int = 10, category: String? = nil, exclude: [String] = [],
        context: [String: String] = [:], items: [String]? = nil, explain: Bool = false, objective: ObjectiveWeights? = nil,
        isPersonalised: Bool = true
    ) {
        self.userID = userID
        self.sessionID = sessionID
        self.count = count
        self.category = category
        self.exclude = exclude
        self.context = context
        self.items = items
        self.explain = explain
        self.objective = objective
        self.isPersonalised = isPersonalised
    }

    /// The same question of nobody in particular.
    public var ofNobody: RecommendationQuery {
        var query = self
        (query.userID, query.sessionID, query.isPersonalised) = (nil, nil, false)
        return query
    }

    /// By what the list of a user without a history is varied: the user, else the session.
    var varietySeed: String? { userID ?? sessionID }

    /// ``count`` within ``countRange``.
    var boundedCount: Int {
        min(max(count, Self.countRange.lowerBound), Self.countRange.upperBound)
    }
}
