import CandidateRanking

/// Why an item is in an answer. The raw value is what users see.
public enum RecommendationReason: String, Sendable, CaseIterable {
    /// What the user did with it or in its categories, or their taste as the towers found it, moved it most.
    case personal
    /// It goes with, follows or is like an item that the user met, or that the request names.
    case similar
    /// It is newer than the model and was found by its content.
    case fresh
    /// It belongs to a category whose vectors were adapted from a few samples.
    case adapted
    /// Many people choose it, and nothing of the user moved it as much.
    case trending
}

/// One recommended item.
public struct RecommendedItem: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// Larger is better. Comparable within one answer only.
    public var score: Float
    /// What moved the item most; of a batch that explains nothing, which part found it.
    public var reason: RecommendationReason
    /// The reason in words, where the query asked for it.
    public var explanation: String?
    /// Whether the item was given its place to learn who likes it, not for its score.
    public var isExploration: Bool
    /// The kind of knowledge without which the score would be lowest; nil where nothing of the ranking was asked.
    public var strongest: SignalGroup?
    /// Why it stands before others that the ranking prefers; nil where the ranking put it there.
    public var share: ShareCause?

    /// Makes a recommended item.
    public init(
        itemID: String, score: Float, reason: RecommendationReason, explanation: String? = nil, isExploration: Bool = false,
        strongest: SignalGroup? = nil, share: ShareCause? = nil
    ) {
        self.itemID = itemID
        self.score = score
        self.reason = reason
        self.explanation = explanation
        self.isExploration = isExploration
        self.strongest = strongest
        self.share = share
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
