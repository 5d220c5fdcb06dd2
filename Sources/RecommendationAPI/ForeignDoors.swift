import Interactions

/// Which feedback is asked for; the parts that are there must all hold.
public struct FeedbackQuestion: Sendable, Equatable {
    /// Of this user.
    public var userID: String?
    /// Of this item.
    public var itemID: String?
    /// Under this name.
    public var type: String?
    /// User, item and name of the last one of the page before; nil begins.
    public var after: [String]?
    /// So many at most.
    public var limit: Int

    /// Makes a question.
    public init(userID: String? = nil, itemID: String? = nil, type: String? = nil, after: [String]? = nil, limit: Int) {
        self.userID = userID
        self.itemID = itemID
        self.type = type
        self.after = after
        self.limit = limit
    }
}

/// What the doors for clients of other systems need beside the operations of our own.
public struct ForeignDoors: Sendable {
    /// Names that events may have: those of Freshet and those of `ingest.event_types`.
    public var typeNames: Set<String>
    /// Feedback in the order of user, item and name.
    public var feedback: @Sendable (FeedbackQuestion) async throws -> [Feedback]
    /// Items behind an id, in the order of their ids.
    public var items: @Sendable (_ after: String, _ limit: Int) async throws -> [ItemRecord]
    /// Users behind an id, in the order of their ids.
    public var users: @Sendable (_ after: String, _ limit: Int) async throws -> [UserRecord]
    /// Items whose title holds all of the words.
    public var search: @Sendable (_ words: [String], _ limit: Int) async throws -> [ItemRecord]
    /// The newest items that have all of the categories.
    public var newest: @Sendable (_ categories: [String], _ limit: Int) async throws -> [ItemRecord]
    /// Of items, those of which nothing was ever stored.
    public var unknownItems: @Sendable (_ ids: [String]) async throws -> [String]

    /// Makes what the doors need.
    public init(
        typeNames: Set<String>, feedback: @escaping @Sendable (FeedbackQuestion) async throws -> [Feedback],
        items: @escaping @Sendable (_ after: String, _ limit: Int) async throws -> [ItemRecord],
        users: @escaping @Sendable (_ after: String, _ limit: Int) async throws -> [UserRecord],
        search: @escaping @Sendable (_ words: [String], _ limit: Int) async throws -> [ItemRecord],
        newest: @escaping @Sendable (_ categories: [String], _ limit: Int) async throws -> [ItemRecord],
        unknownItems: @escaping @Sendable (_ ids: [String]) async throws -> [String]
    ) {
        self.typeNames = typeNames
        self.feedback = feedback
        self.items = items
        self.users = users
        self.search = search
        self.newest = newest
        self.unknownItems = unknownItems
    }
}
