import Features
import Interactions

/// What a training set was read at.
public struct TrainingWatermark: Sendable, Equatable {
    /// Which transactions were visible, as PostgreSQL writes a `pg_snapshot`; the next increment reads those that were not.
    /// A single last id would skip rows of a transaction that commits late.
    public var snapshot: String
    /// The stored offsets at that moment.
    public var offsets: [StoredOffset]
    /// The time of the newest interaction that was read from, impressions left out.
    public var newestEventTime: EventTime?

    /// Makes a watermark.
    public init(snapshot: String, offsets: [StoredOffset], newestEventTime: EventTime?) {
        self.snapshot = snapshot
        self.offsets = offsets
        self.newestEventTime = newestEventTime
    }
}

/// One interaction as training reads it.
public struct TrainingRow: Sendable, Equatable {
    /// Who dealt with the item.
    public var userID: String
    /// The item's id.
    public var itemID: String
    /// What the user did.
    public var type: InteractionType
    /// When it happened.
    public var time: EventTime
    /// Where the record stands in its source.
    public var position: Position
    /// The order's amount in minor units of its currency; nil where none was sent.
    public var amountMinor: Int64?
    /// ISO 4217; nil where none was sent.
    public var currency: String?
    /// How many units were dealt with.
    public var quantity: Int32
    /// The transaction that stored it.
    public var transactionID: UInt64
    // Read only when asked for: the answer it belongs to, and the event's context.
    /// The answer that the event followed; nil where it names none.
    public var requestID: String?
    /// The item's place in that answer, from 0; nil where it names none.
    public var slot: Int32?
    /// The model that gave that answer; nil where it names none.
    public var modelVersion: Int32?
    /// What else was sent with the event, as a JSON object.
    public var context: String?
}

/// One interaction as the bytes that the server sent; ids and context are lent for the call that gets it.
public struct TrainingEvent {
    /// The user's id as UTF-8; borrowed for the call.
    public var userID: UnsafeRawBufferPointer
    /// The item's id as UTF-8; borrowed for the call.
    public var itemID: UnsafeRawBufferPointer
    /// The type's raw value.
    public var type: UInt8
    /// When it happened.
    public var time: EventTime
    /// Where the record stands in its source.
    public var position: Position
    /// Whether a former training did not see it; true where none is named.
    public var isNew: Bool
    /// The event's context as JSON; read only when asked for.
    public var context: UnsafeRawBufferPointer?
    /// Price × quantity in minor units of one currency; nil where it cannot be compared. See ``OrderAmounts``.
    public var amountMinor: Int64?
}

/// A consistent view of the store for one training: everything is read at the same moment.
///
/// Owns a connection with an open transaction; one thread at a time. The stored offsets of the watermark are exactly those
/// up to which the visible interactions were ingested.
public final class TrainingSnapshot {
    /// Memory for the sort of the export.
    static let sortMemoryMegabytes = 256

    /// Up to where the snapshot sees.
    public let watermark: TrainingWatermark
    /// In which currency amounts and prices are compared.
    public let amounts: OrderAmounts
    let connection: Connection
    /// SQL: a condition that leaves out the rows of users whose erasure was accepted before this moment and is not finished, and of those
    /// who do not want personalisation.
    let visible: String

    /// Takes the snapshot.
    ///
    /// - Parameters:
    ///   - rates: `currency.rates`; without them only the amounts of one currency count: see ``OrderAmounts``.
    ///   - base: `currency.base` where it is set; else the currency in which most people paid.
    ///   - until: orders up to this time decide.
    public init(url: String, rates: CurrencyRates? = nil, base: String? = nil, until: EventTime? = nil) throws(StoreError) {
        connection = try Connection(
            url: url, role: "freshet train", extraSettings: "set work_mem = '\(Self.sortMemoryMegabytes)MB'")
        try connection.execute("begin isolation level repeatable read read only")
        let head = try connection.run(
            """
            select pg_current_snapshot()::text,
                (select event_time from interactions where type between 1 and 3 order by event_time desc limit 1)
            """)
        watermark = TrainingWatermark(
            snapshot: head.string(0, 0) ?? "", offsets: try StoredOffset.all(connection), newestEventTime: head.time(0, 1))
        let wanted = try Wishes.visible("interactions", connection)
        visible = try OpenErasures.visible("interactions", connection) + wanted
        amounts = try OrderAmounts(connection, rates: rates, base: base, until: until)
    }

    /// Streams clicks, carts and purchases, less what was given back, in the order in which the table holds them: a sort of wide rows in
    /// the server takes longer than all else.
    ///
    /// - Parameters:
    ///   - until: only events up to this time.
    ///   - withContext: whether the context is read too.
    ///   - seen: what a former training saw: its watermark's snapshot, and the time of the newest event that it read.
    ///   - each: gets every row; what it throws ends the export.
    public func forEachEvent(
        until: EventTime? = nil, withContext: Bool = false, seen: (snapshot: String, until: EventTime?)? = nil,
        _ each: (TrainingEvent) throws(StoreError) -> Void
    ) throws(StoreError) {
        var isNew = "true"
        if let seen {
            _ = try Self.oldestTransaction(of: seen.snapshot)
            isNew = "not pg_visible_in_snapshot(committed_by, '\(seen.snapshot)'::pg_snapshot)"
            if let newest = seen.until { isNew += " or event_time > \(Self.literal(newest))" }
        }
        let net = try NetPurchases(connection, until: until, readsAll: true)
        let sql = """
            copy (
                select user_id, item_id, type, event_time, source_partition, source_offset, (\(isNew))::int::smallint,
                    \(withContext ? "context" : "null::json"),
                    \(amounts.sql("interactions", amount: net.amount("interactions")))
                from interactions\(net.join("interactions"))
                where type > 0\(net.kept("interactions"))\(Self.condition(until: until))\(visible)
            ) to stdout (format binary)
            """
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        try connection.copyOut(sql) { (row) throws(StoreError) in
            try each(
                TrainingEvent(
                    userID: try row.next() ?? nothing, itemID: try row.next() ?? nothing,
                    type: UInt8(truncatingIfNeeded: try row.int16() ?? 0), time: try row.time() ?? EventTime(milliseconds: 0),
                    position: Position(partition: try row.int32() ?? 0, offset: try row.int64() ?? 0),
                    isNew: try row.int16() == 1, context: try row.next(), amountMinor: try row.int64()))
        }
    }

    /// The contexts of the newest clicks, carts and purchases as JSON, newest first; nil where none was sent.
    ///
    /// - Parameter each: gets the bytes for the call; what it throws ends the reading.
    public func forEachNewestContext(
        limit: Int, until: EventTime? = nil, _ each: (UnsafeRawBufferPointer?) throws(StoreError) -> Void
    ) throws(StoreError) {
        try connection.copyOut(
            """
            copy (
                select context from interactions where type between 1 and 3\(Self.condition(until: until))\(visible)
                order by event_time desc, event_id desc limit \(max(0, limit))
            ) to stdout (format binary)
            """
        ) { (row) throws(StoreError) in try each(try row.next()) }
    }

    /// COPY takes no parameters; only a number is written into its text.
    static func condition(until: EventTime?) -> String {
        until.map { " and event_time <= \(literal($0))" } ?? ""
    }

    static func literal(_ time: EventTime) -> String {
        "timestamptz '1970-01-01 00:00:00+00' + \(time.milliseconds) * interval '1 millisecond'"
    }

    /// The oldest transaction that a snapshot did not see finished; text that is no snapshot is refused, so that it may stand in SQL.
    private static func oldestTransaction(of snapshot: String) throws(StoreError) -> UInt64 {
        let parts = snapshot.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let oldest = UInt64(parts[0]), UInt64(parts[1]) != nil,
            parts[2].utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2C })
        else {
            throw StoreError(.conflict, "the former watermark's snapshot “\(snapshot)” is not one — train from the beginning")
        }
        return oldest
    }

    /// Streams interactions ordered by (user, time, offset, partition), ids byte by byte. Of purchases what was given back is left out.
    ///
    /// - Parameters:
    ///   - types: which interactions; impressions only when named, and returns never.
    ///   - after: the snapshot of a former training's watermark: only rows that it did not see.
    ///   - until: only events up to this time.
    ///   - withContext: whether request, slot, model version and context are read too.
    ///   - each: gets every row; what it throws ends the export.
    public func forEachInteraction(
        types: Set<InteractionType> = InteractionType.acts, after: String? = nil, until: EventTime? = nil,
        withContext: Bool = false, _ each: (TrainingRow) throws(StoreError) -> Void
    ) throws(StoreError) {
        // COPY takes no parameters; only numbers and a snapshot made of digits are written into its text.
        var conditions = "true"
        // -1 is no type: an empty set reads nothing.
        conditions += " and type in (\(types.isEmpty ? "-1" : types.map { String($0.rawValue) }.sorted().joined(separator: ", ")))"
        if !types.contains(.impression) { conditions += " and type > 0" }
        if let after {
            let oldest = try Self.oldestTransaction(of: after)
            conditions += " and committed_by >= '\(oldest)'::xid8 and not pg_visible_in_snapshot(committed_by, '\(after)'::pg_snapshot)"
        }
        let net = try NetPurchases(connection, until: until, readsAll: true)
        conditions += net.kept("interactions") + Self.condition(until: until) + visible
        let more = withContext ? "request_id, slot, model_version, context" : "null::text, null::integer, null::integer, null::json"
        let sql = """
            copy (
                select user_id, item_id, type, event_time, source_partition, source_offset, \(net.amount("interactions")), currency,
                    \(net.quantity("interactions")), committed_by::text::bigint, \(more)
                from interactions\(net.join("interactions")) where \(conditions)
                order by user_id, event_time, source_offset, source_partition, item_id, type
            ) to stdout (format binary)
            """
        var userID = ""
        try connection.copyOut(sql) { (row) throws(StoreError) in
            // Rows come user by user: one String serves them all.
            if let bytes = try row.next(), !bytes.elementsEqual(userID.utf8) { userID = String(decoding: bytes, as: UTF8.self) }
            let itemID = try row.string() ?? ""
            let type = InteractionType(rawValue: UInt8(truncatingIfNeeded: try row.int16() ?? 0)) ?? .click
            let time = try row.time() ?? EventTime(milliseconds: 0)
            let position = Position(partition: try row.int32() ?? 0, offset: try row.int64() ?? 0)
            let amountMinor = try row.int64()
            let currency = try row.string()
            let quantity = try row.int32() ?? 1
            let transactionID = UInt64(bitPattern: try row.int64() ?? 0)
            try each(
                TrainingRow(
                    userID: userID, itemID: itemID, type: type, time: time, position: position, amountMinor: amountMinor,
                    currency: currency, quantity: quantity, transactionID: transactionID, requestID: try row.string(),
                    slot: try row.int32(), modelVersion: try row.int32(), context: try row.string()))
        }
    }

    /// Streams the catalogue, hidden and deleted items too, those of a group as one with its ``CatalogueItem/variants``; ordered by what
    /// they are learned under (``ItemRecord/unitID``). Prices are those of ``amounts``: in one currency, nil where they cannot be
    /// compared.
    public func forEachItem(_ each: (CatalogueItem) throws(StoreError) -> Void) throws(StoreError) {
        let prices = amounts.prices
        let sql = """
            copy (select \(StoreQueries.itemFields), created_at from items order by \(CatalogueItem.unitID), item_id)
            to stdout (format binary)
            """
        var members: [CatalogueItem] = []
        func endGroup() throws(StoreError) {
            guard let groupID = members.first?.record.groupID else { return }
            var unit = CatalogueItem.unit(members, groupID: groupID)
            unit.comparePrice(prices)
            members = []
            try each(unit)
        }
        try connection.copyOut(sql) { (row) throws(StoreError) in
            var item = try CatalogueItem(&row)
            item.firstSeen = try row.time()
            if item.record.groupID != members.first?.record.groupID { try endGroup() }
            if item.record.groupID != nil {
                members.append(item)
            } else {
                item.comparePrice(prices)
                try each(item)
            }
        }
        try endGroup()
    }

    /// Streams the users that sent a record, ordered by user id.
    public func forEachUser(_ each: (UserRecord) throws(StoreError) -> Void) throws(StoreError) {
        try connection.copyOut(
            """
            copy (select user_id, attributes, aliases, updated_at from users where true\(try Wishes.visible("users", connection))
                order by user_id) to stdout (format binary)
            """
        ) { (row) throws(StoreError) in
            var record = UserRecord(userID: try row.string() ?? "")
            record.attributes = try row.json()
            record.aliases = try row.strings()
            record.updatedAt = try row.time()
            try each(record)
        }
    }
}
