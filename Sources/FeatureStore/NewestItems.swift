import Interactions

/// An item of which nothing is older in the catalogue.
public struct NewestItem: Sendable, Equatable {
    /// What a person needs to recognise it: id, title, categories, price and when it was published.
    public var record: ItemRecord
    /// When its first record was stored.
    public var addedAt: EventTime
}

extension StoreQueries {
    /// The items that may be recommended and came last, newest first: by when they were published, else by when they were stored.
    /// A publication to come counts as now. Reads every row of the items; not for a request's path.
    public func newestItems(limit: Int) throws(StoreError) -> [NewestItem] {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int32(clamping: min(max(0, limit), Self.listedRowsLimit)))
            let rows = try connection.run(
                """
                select item_id, title, categories, price_micros, currency, published_at, created_at from items
                where \(Offers.offered("items")) and coalesce(available_from <= now(), true) and coalesce(available_until > now(), true)
                order by least(coalesce(published_at, created_at), now()) desc, created_at desc, item_id limit $1
                """, parameters)
            return (0..<rows.count).map { row in
                NewestItem(
                    record: ItemRecord(
                        itemID: rows.string(row, 0) ?? "", title: rows.string(row, 1), categories: rows.strings(row, 2),
                        priceMicros: rows.int64(row, 3), currency: rows.string(row, 4), publishedAt: rows.time(row, 5)),
                    addedAt: rows.time(row, 6) ?? EventTime(milliseconds: 0))
            }
        }
    }
}
