import Interactions

/// What serving needs to know of an item, whatever the model thinks of it.
public struct CatalogueEntry: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// Its title; nil where none was sent.
    public var title: String?
    /// The first one is the item's main category: trending lists are spread by it.
    public var categories: [String]
    /// List price in millionths of the currency's unit.
    public var priceMicros: Int64?
    /// The price's currency, an ISO 4217 code.
    public var currency: String?
    /// The same in the currency in which all prices of the snapshot are compared; nil where that is not known.
    public var comparablePriceMicros: Int64?
    /// False for an item that is hidden, sold out or not offered now: it stays known, so that histories can use it, and is not
    /// recommended.
    public var available: Bool
    /// Where time changes that without a record.
    public var window: OfferWindow?
    /// The members of a group that is recommended as one item, in the order of their ids; of all else empty.
    public var variants: [ItemVariant]
    /// When it appeared; nil where that was not sent.
    public var publishedAt: EventTime?

    /// Makes an entry. A price that is given alone is comparable: the shop has one currency.
    public init(
        itemID: String, title: String? = nil, categories: [String] = [], priceMicros: Int64? = nil,
        currency: String? = nil, available: Bool = true, publishedAt: EventTime? = nil, comparablePriceMicros: Int64?? = .none,
        window: OfferWindow? = nil, variants: [ItemVariant] = []
    ) {
        self.itemID = itemID
        self.title = title
        self.categories = categories
        self.priceMicros = priceMicros
        self.currency = currency
        self.comparablePriceMicros = comparablePriceMicros ?? priceMicros
        self.available = available
        self.window = window
        self.variants = variants
        self.publishedAt = publishedAt
    }
}

/// Where an item's vector comes from. It decides the reason that an answer gives.
public enum VectorOrigin: UInt8, Sendable {
    /// Content and what training learned of the item's id.
    case trained
    /// Content alone: the item is newer than the model.
    case content
    /// Adapted to a category from a few samples, after the training.
    case adapted
}

/// A change of the catalogue since a snapshot was built.
public enum CatalogueChange: Sendable, Equatable {
    /// A new or changed item. With a vector, the vector replaces what the snapshot had (the index's answer for this item is
    /// then ignored and the item is found by brute force); without, an indexed item keeps its vector.
    case upsert(CatalogueEntry, vector: [Float]?, origin: VectorOrigin)
    /// The item, or a member of a group, is gone. The row stays, unavailable where nothing is left of it, until the next build.
    case delete(itemID: String)
}
