import Features
import Interactions

/// An item as the catalogue holds it.
public struct CatalogueItem: Sendable, Equatable {
    /// The item's record, as it was sent last.
    public var record: ItemRecord
    /// Whether a deletion of it is the newest that was heard.
    public var isDeleted: Bool
    /// The version of the catalogue that this row came with.
    public var catalogueVersion: Int64

    /// The list price as it was sent, where ``comparePrice(_:)`` put another into the record.
    public var shownPriceMicros: Int64?
    /// When the first record of it was stored; read only for a training.
    public var firstSeen: EventTime?
    /// The members of a group that stands as one item, deleted ones too, in the order of their ids; see ``units(_:)``.
    public var variants: [CatalogueItem] = []

    /// An item at a version of the catalogue.
    package init(record: ItemRecord, isDeleted: Bool, catalogueVersion: Int64) {
        self.record = record
        self.isDeleted = isDeleted
        self.catalogueVersion = catalogueVersion
    }

    /// Whether it may be recommended, at some time.
    public var isAvailable: Bool { record.isOffered && !isDeleted }

    /// Whether it may be recommended at a time; a group where a member may.
    public func isAvailable(at time: EventTime) -> Bool {
        variants.isEmpty ? !isDeleted && record.isAvailable(at: time) : variants.contains { $0.isAvailable(at: time) }
    }

    /// Puts the price into the currency of a scale, so that it can be compared with others; nil where it cannot.
    public mutating func comparePrice(_ prices: AmountScale) {
        guard shownPriceMicros == nil, let price = record.priceMicros else { return }
        shownPriceMicros = price
        record.priceMicros = prices.micros(price, record.currency)
    }

    /// The same of a group and of its members.
    public mutating func comparePrices(_ prices: AmountScale) {
        comparePrice(prices)
        for place in variants.indices { variants[place].comparePrice(prices) }
    }
}

/// The counters of an item.
public struct ItemFeatures: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// How often it was shown.
    public var impressions: Int64
    /// How often it was clicked.
    public var clicks: Int64
    /// How often it was put into a cart.
    public var addToCarts: Int64
    /// How often it was bought; a purchase of which all was given back counts no more.
    public var purchases: Int64
    /// Pieces sold, less those that were given back.
    public var units: Int64
    /// Clicks, each worth less the older it is.
    public var clickDecay: DecayedCount
    /// Purchases, each worth less the older it is.
    public var purchaseDecay: DecayedCount
    /// The time of its earliest event.
    public var firstTime: EventTime
    /// The time of its latest event.
    public var lastTime: EventTime
    /// Minor units by currency, less what was given back.
    public var revenueMinor: [String: Int64] = [:]
    /// What came back of it.
    public var returns = ReturnTally()
}

/// The counters and the history of a user.
public struct UserFeatures: Sendable, Equatable {
    /// The user's id.
    public var userID: String
    /// The newest interactions.
    public var history: UserHistory
    /// How many items were shown to the user.
    public var impressions: Int64
    /// How often the user clicked.
    public var clicks: Int64
    /// How often the user put an item into a cart.
    public var addToCarts: Int64
    /// How often the user bought an item and did not give all of it back.
    public var purchases: Int64
    /// How often the user gave something back.
    public var returns: Int64
    /// The time of the user's earliest event.
    public var firstTime: EventTime
    /// The time of the user's latest event.
    public var lastTime: EventTime
}

/// How items were received: those that were asked for, and all together.
public struct Exposure: Sendable {
    /// Items that were shown or clicked at all.
    public var items: [(itemID: String, impressions: Int64, clicks: Int64)]
    /// How often all items together were shown.
    public var impressions: Int64
    /// Of each item at most as many as its impressions: clicks from elsewhere say nothing of what was shown.
    public var clicks: Int64
}

extension StoreQueries {
    static let itemFields = """
        item_id, title, description, categories, tags, price_micros, currency, attributes, embedding, published_at, updated_at, \
        hidden, item_group_id, available_from, available_until, stock, deleted, catalogue_version
        """

    /// One item, or nil when no record of it was ever accepted. Hidden and deleted items are found too.
    public func item(_ itemID: String) throws(StoreError) -> CatalogueItem? {
        try pool.reading { (connection) throws(StoreError) in
            var id = Parameters()
            id.add(itemID)
            let rows = try connection.run("select \(Self.itemFields) from items where item_id = $1", id)
            return rows.count == 0 ? nil : CatalogueItem(rows, 0)
        }
    }

    /// The record of a user, or nil.
    public func user(_ userID: String) throws(StoreError) -> UserRecord? {
        try pool.reading { (connection) throws(StoreError) in
            var id = Parameters()
            id.add(userID)
            let rows = try connection.run("select user_id, attributes, aliases, updated_at from users where user_id = $1", id)
            if rows.count == 0 { return nil }
            return UserRecord(
                userID: rows.string(0, 0) ?? userID, attributes: rows.json(0, 1), aliases: rows.strings(0, 2), updatedAt: rows.time(0, 3))
        }
    }

    /// The counters and the history of a user, or nil when nothing of them was folded.
    public func userFeatures(_ userID: String) throws(StoreError) -> UserFeatures? {
        try pool.reading { (connection) throws(StoreError) in
            var id = Parameters()
            id.add(userID)
            let rows = try connection.run(
                """
                select history, impressions, clicks, add_to_carts, purchases, first_time, last_time, returns,
                    case when returns > 0 then \(ReturnMatches.returnedPurchases(of: "$1")) else 0 end
                from user_features where user_id = $1
                """, id)
            if rows.count == 0 { return nil }
            guard let history = UserHistory(decoding: rows.bytes(0, 0), limit: rules.historyLimitEvents) else {
                throw StoreError(
                    .malformedAnswer, "\(connection.place): user_features.history of user \(userID) is not a history of this version")
            }
            let zero = EventTime(milliseconds: 0)
            return UserFeatures(
                userID: userID, history: history, impressions: rows.int64(0, 1) ?? 0, clicks: rows.int64(0, 2) ?? 0,
                addToCarts: rows.int64(0, 3) ?? 0, purchases: max(0, (rows.int64(0, 4) ?? 0) - (rows.int64(0, 8) ?? 0)),
                returns: rows.int64(0, 7) ?? 0, firstTime: rows.time(0, 5) ?? zero, lastTime: rows.time(0, 6) ?? zero)
        }
    }

    /// The counters of items, in the order of their ids; unknown ids are left out.
    public func itemFeatures(_ itemIDs: [String]) throws(StoreError) -> [ItemFeatures] {
        try pool.reading { (connection) throws(StoreError) in
            var ids = Parameters()
            ids.add(itemIDs)
            let rows = try connection.run(
                """
                select item_id, impressions, clicks, add_to_carts, purchases, units, click_landmark, click_newest, click_previous,
                       purchase_landmark, purchase_newest, purchase_previous, first_time, last_time
                from item_features where item_id = any($1) order by item_id
                """, ids)
            let revenue = try connection.run(
                "select item_id, currency, revenue_minor from item_revenue where item_id = any($1)", ids)
            var sums: [String: [String: Int64]] = [:]
            for row in 0..<revenue.count {
                sums[revenue.string(row, 0) ?? "", default: [:]][revenue.string(row, 1) ?? ""] = revenue.int64(row, 2)
            }
            let returns = try ReturnTally.ofItems(itemIDs, connection)
            return (0..<rows.count).map { row in
                func number(_ column: Int) -> Int64 { rows.int64(row, column) ?? 0 }
                let itemID = rows.string(row, 0) ?? ""
                let zero = EventTime(milliseconds: 0)
                return ItemFeatures(
                    itemID: itemID, impressions: number(1), clicks: number(2), addToCarts: number(3), purchases: number(4),
                    units: number(5),
                    clickDecay: DecayedCount(landmark: number(6), newest: number(7), previous: number(8)),
                    purchaseDecay: DecayedCount(landmark: number(9), newest: number(10), previous: number(11)),
                    firstTime: rows.time(row, 12) ?? zero, lastTime: rows.time(row, 13) ?? zero, revenueMinor: sums[itemID] ?? [:],
                    returns: returns[itemID] ?? ReturnTally())
            }
        }
    }

    /// Impressions and clicks of some items and of all. Reads every counter; not for a request's path.
    public func exposure(of itemIDs: [String]) throws(StoreError) -> Exposure {
        try pool.reading { (connection) throws(StoreError) in
            let all = try connection.run(
                """
                select \(SaturatingSum.sql("impressions")), \(SaturatingSum.sql("least(clicks, impressions)"))
                from item_features where impressions > 0
                """)
            var exposure = Exposure(items: [], impressions: all.int64(0, 0) ?? 0, clicks: all.int64(0, 1) ?? 0)
            guard !itemIDs.isEmpty else { return exposure }
            var ids = Parameters()
            ids.add(itemIDs)
            let rows = try connection.run("select item_id, impressions, clicks from item_features where item_id = any($1)", ids)
            exposure.items = (0..<rows.count).map { row in
                (rows.string(row, 0) ?? "", rows.int64(row, 1) ?? 0, rows.int64(row, 2) ?? 0)
            }
            return exposure
        }
    }
}

extension CatalogueItem {
    /// Reads the fields of ``StoreQueries/itemFields`` from a COPY.
    init(_ row: inout CopyReader) throws(StoreError) {
        record = ItemRecord(itemID: try row.string() ?? "")
        record.title = try row.string()
        record.description = try row.string()
        record.categories = try row.strings()
        record.tags = try row.strings()
        record.priceMicros = try row.int64()
        record.currency = try row.string()
        record.attributes = try row.json()
        record.embedding = try row.floats()
        record.publishedAt = try row.time()
        record.updatedAt = try row.time()
        record.hidden = try row.bool()
        record.groupID = try row.string()
        record.availableFrom = try row.time()
        record.availableUntil = try row.time()
        record.stock = try row.int32()
        isDeleted = try row.bool()
        catalogueVersion = try row.int64() ?? 0
    }

    /// Reads the fields of ``StoreQueries/itemFields`` from a result.
    init(_ rows: QueryResult, _ row: Int) {
        record = ItemRecord(
            itemID: rows.string(row, 0) ?? "", title: rows.string(row, 1), description: rows.string(row, 2),
            categories: rows.strings(row, 3), tags: rows.strings(row, 4), priceMicros: rows.int64(row, 5),
            currency: rows.string(row, 6), attributes: rows.json(row, 7), embedding: rows.floats(row, 8),
            publishedAt: rows.time(row, 9), updatedAt: rows.time(row, 10), hidden: rows.bool(row, 11), groupID: rows.string(row, 12),
            availableFrom: rows.time(row, 13), availableUntil: rows.time(row, 14), stock: rows.int32(row, 15))
        isDeleted = rows.bool(row, 16)
        catalogueVersion = rows.int64(row, 17) ?? 0
    }
}
