/// What is known of an item beside its interactions: the input of the item tower.
public struct ItemContent: Sendable, Equatable {
    /// Words and pieces of words are hashed.
    public var title: String?
    /// Words are hashed; the weightiest of them count.
    public var description: String?
    /// Hashed as they are.
    public var categories: [String]
    /// Hashed as they are.
    public var tags: [String]
    /// List price in millionths of a currency unit.
    public var priceMicros: Int64?
    /// Tokens `key=value`, such as `brand=Acme`.
    public var attributes: [String]
    /// A vector that the sender computed.
    public var embedding: [Float]?
    /// When the item appeared, in milliseconds since 1970.
    public var publishedAt: Int64?

    /// Makes a content; all parts are optional.
    public init(
        title: String? = nil, description: String? = nil, categories: [String] = [], tags: [String] = [],
        priceMicros: Int64? = nil, attributes: [String] = [], embedding: [Float]? = nil, publishedAt: Int64? = nil
    ) {
        self.title = title
        self.description = description
        self.categories = categories
        self.tags = tags
        self.priceMicros = priceMicros
        self.attributes = attributes
        self.embedding = embedding
        self.publishedAt = publishedAt
    }
}
