import Interactions

/// Which feedback is asked for; the parts that are there must all hold.
public struct FeedbackFilter: Sendable, Equatable {
    /// Of this user, of this item, under this name.
    public var userID: String?, itemID: String?, type: String?

    /// Makes a filter.
    public init(userID: String? = nil, itemID: String? = nil, type: String? = nil) {
        self.userID = userID
        self.itemID = itemID
        self.type = type
    }
}

/// A key of feedback, for pages in its order.
public struct FeedbackPlace: Sendable, Equatable {
    /// Its parts in their order.
    public var userID: String, itemID: String, type: String

    /// Makes a key.
    public init(userID: String, itemID: String, type: String) {
        self.userID = userID
        self.itemID = itemID
        self.type = type
    }
}

extension StoreQueries {
    /// Feedback behind a place, in the order of user, item and name, one for each: values added up over distinct events.
    ///
    /// - Parameters:
    ///   - after: the last one of the page before; nil begins.
    ///   - limit: so many at most.
    /// - Complexity: O(rows of the user, or of the item); without either, O(rows up to the end of the page).
    public func feedback(_ filter: FeedbackFilter, after: FeedbackPlace? = nil, limit: Int) throws(StoreError) -> [Feedback] {
        var asked = Parameters(), conditions: [String] = []
        func place() -> String { "$\(conditions.count + 1)" }
        for (column, value) in [("user_id", filter.userID), ("item_id", filter.itemID), ("type", filter.type)] {
            guard let value else { continue }
            conditions.append("\(column) = \(place()) collate \"C\"")
            asked.add(value)
        }
        let count = conditions.count
        if let after {
            let places = (1...3).map { "$\(count + $0) collate \"C\"" }.joined(separator: ", ")
            conditions.append("(user_id, item_id, type) > (\(places))")
            asked.add(after.userID)
            asked.add(after.itemID)
            asked.add(after.type)
        }
        asked.add(Int32(clamping: limit))
        let limitPlace = count + (after == nil ? 1 : 4)
        let whereClause = conditions.isEmpty ? "" : "where " + conditions.joined(separator: " and ")
        let newest = "order by stated_time desc, source_offset desc, event_id desc"
        let parameters = asked
        return try pool.reading { (connection) throws(StoreError) in
            let rows = try connection.run(
                """
                select user_id, item_id, type, sum(value), min(stated_time), max(stated_time), (array_agg(labels \(newest)))[1]::text,
                    coalesce((array_agg(comment \(newest)))[1], '')
                from feedback \(whereClause) group by user_id, item_id, type order by user_id, item_id, type limit $\(limitPlace)
                """, parameters)
            let zero = EventTime(milliseconds: 0)
            return (0..<rows.count).map { row in
                Feedback(
                    userID: rows.string(row, 0) ?? "", itemID: rows.string(row, 1) ?? "", type: rows.string(row, 2) ?? "",
                    value: rows.double(row, 3) ?? 0, time: rows.time(row, 4) ?? zero, updated: rows.time(row, 5) ?? zero,
                    labels: rows.string(row, 6), comment: rows.string(row, 7) ?? "")
            }
        }
    }

    /// Items of the catalogue behind an id, in the order of their ids as bytes; deleted ones are left out.
    ///
    /// - Parameters:
    ///   - after: the last one of the page before; empty begins.
    ///   - limit: so many at most.
    public func items(after: String, limit: Int) throws(StoreError) -> [ItemRecord] {
        try pool.reading { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(after)
            asked.add(Int32(clamping: limit))
            let rows = try connection.run(
                "select \(Self.itemFields) from items where item_id > $1 and not deleted order by item_id limit $2", asked)
            return (0..<rows.count).map { CatalogueItem(rows, $0).record }
        }
    }

    /// Users behind an id, in the order of their ids as bytes: those that a record or an event names.
    ///
    /// - Parameters:
    ///   - after: the last one of the page before; empty begins.
    ///   - limit: so many at most.
    public func users(after: String, limit: Int) throws(StoreError) -> [UserRecord] {
        try pool.reading { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(after)
            asked.add(Int32(clamping: limit))
            let rows = try connection.run(
                """
                select n.user_id, u.attributes from (
                    (select user_id from users where user_id > $1 order by user_id limit $2)
                    union (select user_id from user_features where user_id > $1 and user_id <> '' order by user_id limit $2)
                ) n left join users u on u.user_id = n.user_id order by n.user_id limit $2
                """, asked)
            return (0..<rows.count).map { UserRecord(userID: rows.string($0, 0) ?? "", attributes: rows.json($0, 1)) }
        }
    }

    /// Items that may be shown and whose title holds all of these words, whatever the case of letters: those whose title is nearest in
    /// length to the words first. Reads all titles.
    ///
    /// - Parameter limit: so many at most.
    public func items(titled words: [String], limit: Int) throws(StoreError) -> [ItemRecord] {
        try pool.reading { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(words.map { word in
                "%" + word.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
            })
            asked.add(Int32(clamping: limit))
            let rows = try connection.run(
                """
                select \(Self.itemFields) from items where title ilike all($1::text[]) and not deleted and not hidden
                order by length(title), item_id limit $2
                """, asked)
            return (0..<rows.count).map { CatalogueItem(rows, $0).record }
        }
    }

    /// Items that may be shown, those that appeared last first; undated ones are left out.
    ///
    /// - Parameters:
    ///   - categories: an item must have all of these.
    ///   - limit: so many at most.
    public func newestItems(having categories: [String], limit: Int) throws(StoreError) -> [ItemRecord] {
        try pool.reading { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(categories)
            asked.add(Int32(clamping: limit))
            let rows = try connection.run(
                """
                select \(Self.itemFields) from items
                where published_at <= now() and not deleted and not hidden and categories @> $1::text[]
                    and (stock is null or stock > 0) and (available_from is null or available_from <= now())
                    and (available_until is null or available_until > now())
                order by published_at desc, item_id limit $2
                """, asked)
            return (0..<rows.count).map { CatalogueItem(rows, $0).record }
        }
    }

    /// Of these items, those of which the catalogue has never heard.
    public func unknownItems(among ids: [String]) throws(StoreError) -> [String] {
        try pool.reading { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(ids)
            let rows = try connection.run(
                """
                select n.id from unnest($1::text[]) n(id)
                where not exists (select from items i where i.item_id = n.id collate "C")
                """, asked)
            return (0..<rows.count).compactMap { rows.string($0, 0) }
        }
    }
}
