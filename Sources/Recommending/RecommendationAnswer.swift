/// Why an item is in an answer. The raw value is what users see.
public enum RecommendationReason: String, Sendable, CaseIterable {
    /// The user's vector found it in the index.
    case personal
    /// It is like an item that the user met lately, or that the request names.
    case similar
    /// It is newer than the model and was found by its content.
    case fresh
    /// It belongs to a category whose vectors were adapted from a few samples.
    case adapted
    /// Many people choose it now.
    case trending
}

/// One recommended item.
public struct RecommendedItem: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// Larger is better. Comparable within one answer only.
    public var score: Float
    /// Where the item came from.
    public var reason: RecommendationReason
    /// The reason in words, where the query asked for it.
    public var explanation: String?
    /// Whether the item was given its place to learn who likes it, not for its score.
    public var isExploration: Bool

    /// Makes a recommended item.
    public init(
        itemID: String, score: Float, reason: RecommendationReason, explanation: String? = nil, isExploration: Bool = false
    ) {
        self.itemID = itemID
        self.score = score
        self.reason = reason
        self.explanation = explanation
        self.isExploration = isExploration
    }
}

/// What a request gets: items best first, without repeats.
public struct RecommendationAnswer: Sendable, Equatable {
    /// The answer's id, which events that follow it may name.
    public var requestID: String
    /// Who asked; nil of a request without a user.
    public var userID: String?
    /// The version of the model that served, or nil where there is none yet.
    public var modelVersion: Int?
    /// The version of the catalogue that served.
    public var catalogueVersion: Int64
    /// The best first.
    public var items: [RecommendedItem]

    /// Makes an answer.
    public init(
        requestID: String, userID: String?, modelVersion: Int?, catalogueVersion: Int64, items: [RecommendedItem]
    ) {
        self.requestID = requestID
        self.userID = userID
        self.modelVersion = modelVersion
        self.catalogueVersion = catalogueVersion
        self.items = items
    }
}
