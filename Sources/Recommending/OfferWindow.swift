import Interactions

/// When an item may be recommended, of one for which that changes without a record: it is there from some time on, until some time.
public struct OfferWindow: Sendable, Equatable {
    /// Not before; nil is no bound.
    public var from: EventTime?
    /// Not from then on; nil is no bound.
    public var until: EventTime?

    /// A window; nil where time changes nothing after `now`.
    public init?(from: EventTime?, until: EventTime?, after now: EventTime) {
        (self.from, self.until) = (from, until)
        guard next(after: now) != nil else { return nil }
    }

    /// Whether a time lies in it.
    public func holds(at time: EventTime) -> Bool {
        (from.map { $0 <= time } ?? true) && (until.map { time < $0 } ?? true)
    }

    /// The next time at which ``holds(at:)`` may change; nil where it does not any more.
    public func next(after time: EventTime) -> EventTime? {
        if let until, until <= time { return nil }
        if let from, from > time { return from }
        return until
    }
}

/// A member of a group that is recommended as one item.
public struct ItemVariant: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// Its title; nil where none was sent.
    public var title: String?
    /// List price in millionths, of ``currency``.
    public var priceMicros: Int64?
    /// ISO 4217.
    public var currency: String?
    /// The price as the snapshot compares prices; nil where it cannot.
    public var comparablePriceMicros: Int64?
    /// Whether it may be recommended now.
    public var available: Bool
    /// Where time changes that.
    public var window: OfferWindow?
    /// What it has and not all others have, as tokens `name=value` in lower case.
    public var traits: [String]

    /// Makes a variant.
    public init(
        itemID: String, title: String? = nil, priceMicros: Int64? = nil, currency: String? = nil, comparablePriceMicros: Int64? = nil,
        available: Bool = true, window: OfferWindow? = nil, traits: [String] = []
    ) {
        self.itemID = itemID
        self.title = title
        self.priceMicros = priceMicros
        self.currency = currency
        self.comparablePriceMicros = comparablePriceMicros
        self.available = available
        self.window = window
        self.traits = traits
    }
}

extension CatalogueEntry {
    /// Whether time changes what may be recommended of it.
    var isTimed: Bool { window != nil || variants.contains { $0.window != nil } }

    /// The next time at which that may change.
    func nextChange(after time: EventTime) -> EventTime? {
        ([window] + variants.map(\.window)).compactMap { $0?.next(after: time) }.min()
    }

    /// The entry at a time.
    func at(_ time: EventTime) -> CatalogueEntry {
        func now(_ window: OfferWindow?, _ available: inout Bool) -> OfferWindow? {
            guard let window else { return nil }
            available = window.holds(at: time)
            return window.next(after: time) == nil ? nil : window
        }
        var next = self
        next.window = now(window, &next.available)
        for place in next.variants.indices {
            var variant = next.variants[place]
            variant.window = now(variant.window, &variant.available)
            next.variants[place] = variant
        }
        if !variants.isEmpty { next.available = next.variants.contains(where: \.available) }
        return next
    }

    /// What stands of a member of the group: its own words and price, and what the group has in common.
    func variant(_ itemID: String) -> CatalogueEntry? {
        variants.first { $0.itemID == itemID }.map { variant in
            CatalogueEntry(
                itemID: variant.itemID, title: variant.title ?? title, categories: categories, priceMicros: variant.priceMicros,
                currency: variant.currency, available: variant.available, publishedAt: publishedAt,
                comparablePriceMicros: .some(variant.comparablePriceMicros))
        }
    }
}
