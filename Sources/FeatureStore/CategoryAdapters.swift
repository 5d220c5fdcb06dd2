import Interactions

/// An adapter of one category as the database keeps it.
public struct StoredAdapter: Sendable, Equatable {
    /// Ascends with each adapter that is stored.
    public var adapterID: Int64
    /// The category's name.
    public var category: String
    /// How many interactions it was adapted from.
    public var events: Int64
    /// The items that it was adapted from.
    public var supportItemIDs: [String]
    /// The adapter itself, as its writer encoded it.
    public var payload: [UInt8]
    /// A JSON object as text.
    public var metrics: String
    /// When it was stored, by the database's clock.
    public var createdAt: EventTime
}

/// Which adapter is the newest. The checksum tells one of a restored database from one of before under the same id.
public struct AdapterMark: Sendable, Equatable {
    /// The newest adapter's id.
    public var adapterID: Int64
    /// The SHA-256 of its payload.
    public var checksum: [UInt8]
}

/// One interaction with an item of a category.
public struct CategoryEvent: Sendable, Equatable {
    /// Who dealt with the item.
    public var userID: String
    /// The item of the category.
    public var itemID: String
    /// When the event happened.
    public var time: EventTime
}

/// Adapters of categories: written by `freshet adapt`, read by whatever serves.
extension StoreQueries {
    /// Adapters of one category that are kept; older ones go when a newer one comes.
    public static let keptAdaptersOfCategory = 5
    /// Adapters that a server reads at most: the newest categories.
    public static let adaptersLimit = 10_000

    /// The id of the newest adapter of a model version; 0 without one.
    public func newestAdapterID(ofVersion version: Int32) throws(StoreError) -> Int64 {
        try pool.withConnection { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(version)
            let newest = try connection.run("select coalesce(max(adapter_id), 0) from category_adapters where model_version = $1", row)
            return newest.int64(0, 0) ?? 0
        }
    }

    /// The newest adapter of a model version; nil without one.
    public func newestAdapter(ofVersion version: Int32) throws(StoreError) -> AdapterMark? {
        try pool.withConnection { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(version)
            let rows = try connection.run(
                "select adapter_id, checksum from category_adapters where model_version = $1 order by adapter_id desc limit 1", row)
            return rows.count == 0 ? nil : AdapterMark(adapterID: rows.int64(0, 0) ?? 0, checksum: Array(rows.bytes(0, 1)))
        }
    }

    /// The newest adapter of each category of a model version, newest first.
    ///
    /// - Throws: `malformedAnswer` where a payload is not what its checksum says.
    public func adapters(ofVersion version: Int32, field: String) throws(StoreError) -> [StoredAdapter] {
        try pool.withConnection { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(version)
            row.add(field)
            row.add(Int32(Self.adaptersLimit))
            let rows = try connection.run(
                """
                select adapter_id, category, events, support_items, payload, metrics, created_at, sha256(payload) = checksum
                from (select distinct on (category) * from category_adapters where model_version = $1 and field = $2
                      order by category, adapter_id desc) newest
                order by adapter_id desc limit $3
                """, row)
            var found: [StoredAdapter] = []
            for place in 0..<rows.count {
                let category = rows.string(place, 1) ?? ""
                guard rows.bool(place, 7) else {
                    throw StoreError(
                        .malformedAnswer,
                        "\(connection.place): the adapter of '\(category)' is damaged: its checksum differs — run freshet adapt --category")
                }
                found.append(
                    StoredAdapter(
                        adapterID: rows.int64(place, 0) ?? 0, category: category, events: rows.int64(place, 2) ?? 0,
                        supportItemIDs: rows.strings(place, 3), payload: Array(rows.bytes(place, 4)), metrics: rows.json(place, 5) ?? "{}",
                        createdAt: rows.time(place, 6) ?? EventTime(milliseconds: 0)))
            }
            return found
        }
    }

    /// Stores an adapter, the newest of its category from then on, and returns its id.
    public func storeAdapter(
        version: Int32, field: String, category: String, events: Int64, supportItemIDs: [String], payload: [UInt8], metrics: String
    ) throws(StoreError) -> Int64 {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.transaction { () throws(StoreError) in
                var row = Parameters()
                row.add(version)
                row.add(field)
                row.add(category)
                row.add(events)
                row.add(supportItemIDs)
                row.add(bytes: payload)
                row.add(json: metrics)
                let stored = try connection.run(
                    """
                    insert into category_adapters (model_version, field, category, events, support_items, payload, checksum, metrics)
                    values ($1, $2, $3, $4, $5, $6, sha256($6), $7) returning adapter_id
                    """, row
                ).int64(0, 0) ?? 0
                var old = Parameters()
                old.add(version)
                old.add(field)
                old.add(category)
                old.add(Int32(Self.keptAdaptersOfCategory))
                try connection.run(
                    """
                    delete from category_adapters where adapter_id in (
                        select adapter_id from category_adapters where model_version = $1 and field = $2 and category = $3
                        order by adapter_id desc offset $4)
                    """, old)
                return stored
            }
        }
    }

    /// How many interactions other than impressions items have, together, and when the first came.
    public func interactions(withItems itemIDs: [String]) throws(StoreError) -> (count: Int64, first: EventTime?) {
        try pool.withConnection { (connection) throws(StoreError) in
            var ids = Parameters()
            ids.add(itemIDs)
            let rows = try connection.run(
                """
                select \(SaturatingSum.sql("clicks::numeric + add_to_carts + purchases")), min(first_time)
                from item_features where item_id = any($1)
                """, ids)
            return (rows.int64(0, 0) ?? 0, rows.time(0, 1))
        }
    }

    /// The newest interactions other than impressions with items, oldest first.
    ///
    /// - Parameter from: none of them is older; the search is over the events since then.
    public func events(withItems itemIDs: [String], from: EventTime, limit: Int) throws(StoreError) -> [CategoryEvent] {
        try pool.withConnection { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(itemIDs)
            row.add(from)
            row.add(Int32(clamping: limit))
            let kept = try NetPurchases(connection).kept("interactions") + OpenErasures.visible("interactions", connection)
                + Wishes.visible("interactions", connection)
            let rows = try connection.run(
                """
                select user_id, item_id, event_time from (
                    select user_id, item_id, event_time, event_id from interactions
                    where item_id = any($1) and event_time >= $2 and type > 0\(kept)
                    order by event_time desc, event_id desc limit $3) newest
                order by event_time, event_id
                """, row)
            return (0..<rows.count).map {
                CategoryEvent(
                    userID: rows.string($0, 0) ?? "", itemID: rows.string($0, 1) ?? "", time: rows.time($0, 2) ?? EventTime(milliseconds: 0)
                )
            }
        }
    }
}
