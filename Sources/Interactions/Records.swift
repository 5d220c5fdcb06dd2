/// An item of the catalogue as its latest record describes it.
public struct ItemRecord: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// Its title; nil where none was sent.
    public var title: String?
    /// Its description; nil where none was sent.
    public var description: String?
    /// Its categories, in the order in which they were sent.
    public var categories: [String]
    /// Its tags, in the order in which they were sent.
    public var tags: [String]
    /// List price in millionths of the currency's unit.
    public var priceMicros: Int64?
    /// ISO 4217, of ``priceMicros``; nil where none was sent.
    public var currency: String?
    /// A JSON object as text; values are strings, numbers, booleans or lists of them.
    public var attributes: String?
    /// A vector that the sender computed; any dimension up to the decoder's bound.
    public var embedding: [Float]?
    /// When it appeared; nil where that was not sent.
    public var publishedAt: EventTime?
    /// When the sender last changed it: an older record never overwrites a newer one.
    public var updatedAt: EventTime?
    /// Whether it may not be recommended.
    public var hidden: Bool
    /// What its variants have in common, such as the sizes of a shoe: at most one of a group stands in a list. Nil where it has none.
    public var groupID: String?
    /// It may not be recommended before; nil is no bound.
    public var availableFrom: EventTime?
    /// It may not be recommended from then on; nil is no bound.
    public var availableUntil: EventTime?
    /// How many there are, at least 0; none hides it. Nil where nobody counts.
    public var stock: Int32?

    /// Makes an item record from parts that are already valid.
    public init(
        itemID: String, title: String? = nil, description: String? = nil, categories: [String] = [], tags: [String] = [],
        priceMicros: Int64? = nil, currency: String? = nil, attributes: String? = nil, embedding: [Float]? = nil,
        publishedAt: EventTime? = nil, updatedAt: EventTime? = nil, hidden: Bool = false, groupID: String? = nil,
        availableFrom: EventTime? = nil, availableUntil: EventTime? = nil, stock: Int32? = nil
    ) {
        self.itemID = itemID
        self.title = title
        self.description = description
        self.categories = categories
        self.tags = tags
        self.priceMicros = priceMicros
        self.currency = currency
        self.attributes = attributes
        self.embedding = embedding
        self.publishedAt = publishedAt
        self.updatedAt = updatedAt
        self.hidden = hidden
        self.groupID = groupID
        self.availableFrom = availableFrom
        self.availableUntil = availableUntil
        self.stock = stock
    }
}

/// What is known of a user beside their interactions.
public struct UserRecord: Sendable, Equatable {
    /// The user's id.
    public var userID: String
    /// A JSON object as text; values are strings, numbers, booleans or lists of them.
    public var attributes: String?
    /// Other ids of the same person, such as `session:s4` before the login.
    public var aliases: [String]
    /// When the sender last changed it: an older record never overwrites a newer one.
    public var updatedAt: EventTime?
    /// Whether the person's history may be read and kept; nil leaves it as it was.
    public var personalised: Bool?

    /// Makes a user record from parts that are already valid.
    public init(
        userID: String, attributes: String? = nil, aliases: [String] = [], updatedAt: EventTime? = nil, personalised: Bool? = nil
    ) {
        self.userID = userID
        self.attributes = attributes
        self.aliases = aliases
        self.updatedAt = updatedAt
        self.personalised = personalised
    }
}

/// A change of the catalogue or of the users: a new record, some fields of one, or a deletion.
public enum RecordChange<Record: PatchableRecord>: Sendable, Equatable {
    case upsert(Record)
    /// A record with `"patch":true`, or a PATCH over HTTP.
    case patch(RecordPatch<Record>)
    /// A null value on the topic or a DELETE over HTTP, with the time that the source gives it.
    case delete(id: String, at: EventTime?)
}
