import Interactions

/// What the user tower sees of one user: vectors of the items they met, oldest first, and what else is known.
public struct UserTowerInput: Sendable {
    /// `[length, dimension]`, row-major, oldest first.
    public var vectors: [Float]
    /// The snapshot's row of each item, `[length]`.
    public var rows: [Int32]
    /// The type of each interaction, in the order of the items.
    public var types: [InteractionType]
    /// The time of each interaction, in the order of the items.
    public var times: [EventTime]
    /// The user's attributes, a JSON object as text.
    public var attributes: String?
    /// The request's context: device, country and the like.
    public var context: [String: String]

    /// Makes an input. `vectors.count` must be `rows.count` × the model's dimension.
    public init(
        vectors: [Float], rows: [Int32], types: [InteractionType], times: [EventTime], attributes: String? = nil,
        context: [String: String] = [:]
    ) {
        self.vectors = vectors
        self.rows = rows
        self.types = types
        self.times = times
        self.attributes = attributes
        self.context = context
    }
}

/// The part of a trained model that answers requests. A value of closures, so that this target needs no model to be tested
/// and any kind of user tower fits.
public struct ServingModel: Sendable {
    /// The version in the registry.
    public var version: Int
    /// The length of item and user vectors.
    public var dimension: Int
    /// How many of the newest entries of a history the user tower reads.
    public var historyLimitItems: Int
    /// The softmax temperature of training: `score / temperature` is a logit. Used by objectives.
    public var temperature: Float
    /// How many trailing components of an item's vector hold its popularity rather than what it is like: they count when a
    /// user's vector meets an item's, and are left out when two items are compared.
    public var biasComponents: Int
    /// Interactions rated below this are left out of histories, as they were left out of training; 0 keeps all.
    public var ratingsFrom: Double = 0
    /// The user's vector, `[dimension]`, at a time; `nil` where the input says nothing that the model can use.
    public var encodeUser: @Sendable (_ input: UserTowerInput, _ now: EventTime) -> [Float]?
    /// Whether a token `name=value` of a user or of the moment changes the user's vector: what the model has not learned, segments say.
    public var knowsAttribute: @Sendable (_ token: String) -> Bool

    /// Makes the serving part of a model.
    public init(
        version: Int, dimension: Int, historyLimitItems: Int = 50, temperature: Float = 0.05,
        biasComponents: Int = 0, knowsAttribute: @escaping @Sendable (_ token: String) -> Bool = { _ in true },
        encodeUser: @escaping @Sendable (_ input: UserTowerInput, _ now: EventTime) -> [Float]?
    ) {
        precondition(dimension > 0, "a model's dimension is at least 1, not \(dimension)")
        precondition(historyLimitItems > 0, "a model reads at least 1 item of a history, not \(historyLimitItems)")
        precondition(temperature > 0, "a temperature is above 0, not \(temperature)")
        precondition(
            0..<dimension ~= biasComponents, "\(biasComponents) of \(dimension) components cannot hold a popularity")
        self.version = version
        self.dimension = dimension
        self.historyLimitItems = historyLimitItems
        self.temperature = temperature
        self.biasComponents = biasComponents
        self.encodeUser = encodeUser
        self.knowsAttribute = knowsAttribute
    }
}
