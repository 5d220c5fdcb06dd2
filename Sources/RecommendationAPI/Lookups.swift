import Bytes
import Interactions

/// Counts of what users did, exact.
public struct InteractionCounts: Sendable, Equatable {
    /// Times it was shown.
    public var impressions: Int64
    /// Times it was clicked on.
    public var clicks: Int64
    /// Times it was put into a cart.
    public var addToCarts: Int64
    /// Times it was bought; a purchase of which all was given back counts no more.
    public var purchases: Int64
    /// Returns, also those that match no purchase.
    public var returns: Int64

    /// Makes counts.
    public init(impressions: Int64 = 0, clicks: Int64 = 0, addToCarts: Int64 = 0, purchases: Int64 = 0, returns: Int64 = 0) {
        self.impressions = impressions
        self.clicks = clicks
        self.addToCarts = addToCarts
        self.purchases = purchases
        self.returns = returns
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("impression")
            writer.integer(impressions)
            writer.key("click")
            writer.integer(clicks)
            writer.key("add_to_cart")
            writer.integer(addToCarts)
            writer.key("purchase")
            writer.integer(purchases)
            writer.key("return")
            writer.integer(returns)
        }
    }
}

/// What is known of a user.
public struct UserView: Sendable, Equatable {
    /// One event of the recent history.
    public struct HistoryLine: Sendable, Equatable {
        /// What it was done with.
        public var itemID: String
        /// What was done.
        public var type: InteractionType
        /// When.
        public var time: EventTime
        /// Whether all of this purchase was given back.
        public var isReturned: Bool
        /// Where the catalogue knows the item.
        public var item: ItemSummary?

        /// Makes a line.
        public init(itemID: String, type: InteractionType, time: EventTime, isReturned: Bool = false, item: ItemSummary? = nil) {
            self.itemID = itemID
            self.type = type
            self.time = time
            self.isReturned = isReturned
            self.item = item
        }
    }

    /// Who.
    public var userID: String
    /// A JSON object as text.
    public var attributes: String?
    /// Sessions and other ids of the same person.
    public var aliases: [String]
    /// Whether the person's history is read and kept; nil where nobody said anything, which is a yes.
    public var personalised: Bool?
    /// Newest first.
    public var history: [HistoryLine]
    /// All that they did, by kind.
    public var counts: InteractionCounts
    /// The oldest event; nil without any.
    public var firstSeen: EventTime?
    /// The newest event; nil without any.
    public var lastSeen: EventTime?

    /// Makes a view.
    public init(
        userID: String, attributes: String? = nil, aliases: [String] = [], personalised: Bool? = nil,
        history: [HistoryLine] = [],
        counts: InteractionCounts = InteractionCounts(), firstSeen: EventTime? = nil, lastSeen: EventTime? = nil
    ) {
        self.userID = userID
        self.attributes = attributes
        self.aliases = aliases
        self.personalised = personalised
        self.history = history
        self.counts = counts
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
    }

    func json() -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 256 + history.count * 128)
        writer.object { writer in
            writer.field("user_id", userID)
            writer.key("attributes")
            writer.raw(attributes ?? "{}")
            writer.key("aliases")
            writer.strings(aliases)
            if let personalised { writer.field("personalised", personalised) }
            writer.key("counts")
            counts.write(to: &writer)
            writer.field("first_seen", firstSeen)
            writer.field("last_seen", lastSeen)
            writer.key("history")
            writer.array { writer in
                for line in history { line.write(to: &writer) }
            }
        }
        return writer.bytes
    }
}

extension UserView.HistoryLine {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("item_id", itemID)
            writer.field("type", type.name)
            writer.field("timestamp", time)
            if isReturned {
                writer.key("returned")
                writer.bool(true)
            }
            if let item {
                writer.key("details")
                item.write(to: &writer, withID: false)
            }
        }
    }
}

/// What is known of an item.
public struct ItemView: Sendable, Equatable {
    /// Whether and how an item can be recommended now.
    public enum IndexState: String, Sendable, CaseIterable {
        /// Part of the model's index.
        case indexed
        /// New: encoded from its content and searched beside the index.
        case fresh
        /// In the catalogue and not recommended now: hidden, sold out, or out of its time.
        case hidden
        /// Deleted: never recommended.
        case deleted
        /// In the catalogue; no model serves it yet.
        case unindexed
    }

    /// The item as the catalogue has it.
    public var record: ItemRecord
    /// What was done with it, by kind.
    public var counts: InteractionCounts
    /// How recall finds it now.
    public var indexState: IndexState
    /// The catalogue version that last changed the item.
    public var catalogueVersion: Int64?

    /// Makes a view.
    public init(
        record: ItemRecord, counts: InteractionCounts = InteractionCounts(), indexState: IndexState,
        catalogueVersion: Int64? = nil
    ) {
        self.record = record
        self.counts = counts
        self.indexState = indexState
        self.catalogueVersion = catalogueVersion
    }

    func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("item_id", record.itemID)
            writer.field("title", record.title)
            writer.field("description", record.description)
            writer.key("categories")
            writer.strings(record.categories)
            writer.key("tags")
            writer.strings(record.tags)
            if let priceMicros = record.priceMicros {
                writer.key("price")
                writer.micros(priceMicros)
            }
            writer.field("currency", record.currency)
            writer.key("attributes")
            writer.raw(record.attributes ?? "{}")
            writer.field("published_at", record.publishedAt)
            writer.field("updated_at", record.updatedAt)
            writer.key("hidden")
            writer.bool(record.hidden)
            writer.field("item_group_id", record.groupID)
            writer.field("available_from", record.availableFrom)
            writer.field("available_until", record.availableUntil)
            writer.field("stock", record.stock)
            if let embedding = record.embedding {
                writer.key("embedding_dimension")
                writer.integer(embedding.count)
            }
            writer.field("index_state", indexState.rawValue)
            if let catalogueVersion {
                writer.key("catalogue_version")
                writer.integer(catalogueVersion)
            }
            writer.key("counts")
            counts.write(to: &writer)
        }
        return writer.bytes
    }
}
