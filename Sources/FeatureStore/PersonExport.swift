import Interactions

/// Everything that the database holds of a person, page by page, as one JSON object a line.
///
/// Each page is a statement of its own, so that whoever reads slowly holds no connection: what comes in meanwhile may be among the lines.
/// What is to be erased, or was, is not. Histories, counters and links between purchases and returns are computed from the events; of
/// the folded history only its size is told.
public struct PersonExport: Sendable {
    /// Lines of a page at most.
    public static let pageLimitRows = 2_000
    /// Other ids of a person that are followed at most, as requests follow them.
    public static let idsLimit = UserStateReader.aliasesLimit

    /// The ids of the person: the user's own, then those that the record names, and those that their records name.
    public let ids: [String]
    private var part: Part? = .records
    private var after = Place()
    /// The page that was read to see whether there is anything.
    fileprivate var read: [String]?

    /// What lines are made of, in this order.
    private enum Part: Int {
        case records, wishes, identities, features, feedback, returns, interactions, letters
    }

    /// Where the next page begins.
    private struct Place {
        var time = EventTime(milliseconds: DatabaseTime.earliest), id = "", number: Int64 = 0
    }

    fileprivate init(ids: [String]) { self.ids = ids }

    /// The next lines; nil at the end. An empty page is not the end.
    ///
    /// - Complexity: a page of events reads those parts of the log that may hold any of the person, a few milliseconds for ten million.
    public mutating func nextPage(_ queries: StoreQueries) throws(StoreError) -> [String]? {
        if let read {
            self.read = nil
            return read
        }
        guard let part else { return nil }
        let (ids, after) = (ids, after)
        let rows = try queries.pool.reading { (connection) throws(StoreError) in
            let statement = try Self.statement(part, connection)
            var parameters = Parameters()
            parameters.add(ids)
            switch part {
            case .records, .wishes, .features: break
            case .identities, .feedback, .returns, .interactions:
                parameters.add(after.time)
                parameters.add(after.id)
            case .letters: parameters.add(after.number)
            }
            return try connection.run(statement, parameters)
        }
        if rows.count < Self.pageLimitRows {
            (self.part, self.after) = (Part(rawValue: part.rawValue + 1), Place())
        } else if part == .letters {
            self.after.number = rows.int64(rows.count - 1, 1) ?? .max
        } else {
            self.after.time = rows.time(rows.count - 1, 1) ?? EventTime(milliseconds: .max)
            self.after.id = rows.string(rows.count - 1, 2) ?? ""
        }
        return (0..<rows.count).compactMap { rows.string($0, 0) }
    }

    private static let type = "(array['impression', 'click', 'add_to_cart', 'purchase', 'return'])[i.type + 1]"

    private static func statement(_ part: Part, _ connection: Connection) throws(StoreError) -> String {
        switch part {
        case .records:
            return """
                select row_to_json(n)::text from (
                    select 'user' as kind, user_id, attributes, aliases, updated_at, field_times from users where user_id = any($1)) n
                order by user_id
                """
        case .wishes:
            return """
                select row_to_json(n)::text from (
                    select 'wish' as kind, user_id, personalised, wished_at, own as of_this_id, lifted_at
                    from wishes where user_id = any($1)) n
                order by user_id
                """
        case .identities:
            return """
                select row_to_json(n)::text, identified_at, user_id || ' ' || anonymous_id as ids from (
                    select 'identity' as kind, user_id, alias as anonymous_id, identified_at
                    from identities where user_id = any($1)) n
                where (identified_at, user_id || ' ' || anonymous_id) > ($2, $3) order by identified_at, ids limit \(pageLimitRows)
                """
        case .features:
            return """
                select row_to_json(n)::text from (
                    select 'counters' as kind, user_id, impressions, clicks, add_to_carts, purchases, returns, first_time, last_time,
                        octet_length(history) as history_bytes, octet_length(met_items) as met_items_bytes
                    from user_features where user_id = any($1)) n
                order by user_id
                """
        case .feedback:
            return """
                select row_to_json(n)::text, event_time, user_id || ' ' || item_id || ' ' || type || ' ' || event_id as ids from (
                    select 'feedback' as kind, user_id, item_id, type, event_id, event_time, value, stated_time, labels, comment
                    from feedback where user_id = any($1)) n
                where (event_time, user_id || ' ' || item_id || ' ' || type || ' ' || event_id) > ($2, $3)
                order by event_time, ids limit \(pageLimitRows)
                """
        case .returns:
            return """
                select row_to_json(n)::text, return_time, return_id || ' ' || purchase_id as ids from (
                    select 'matched_return' as kind, * from purchase_returns where user_id = any($1)) n
                where (return_time, return_id || ' ' || purchase_id) > ($2, $3) order by return_time, ids limit \(pageLimitRows)
                """
        case .interactions:
            return """
                select row_to_json(n)::text, event_time, event_id from (
                    select 'interaction' as kind, i.event_id, \(type) as type, i.user_id, i.item_id, i.event_time, i.price_micros,
                        i.amount_minor, i.currency, i.quantity, i.session_id, i.request_id, i.slot, i.model_version, i.context
                    from interactions i
                    where i.user_id = any($1) and (i.event_time, i.event_id) > ($2, $3)\(try OpenErasures.visible("i", connection))
                    order by i.event_time, i.event_id limit \(pageLimitRows)) n
                order by event_time, event_id
                """
        case .letters:
            // A refused record may hold any bytes, also such as are no text.
            return """
                select row_to_json(n)::text, id from (
                    select 'dead_letter' as kind, id, source as topic, partition, "offset", code, field, detail, received_at,
                        replace(encode(payload, 'base64'), e'\\n', '') as payload_base64, payload_bytes
                    from dead_letters d
                    where (key = any(array(select convert_to(name, 'UTF8') from unnest($1) name))
                        or user_id = any(array(select convert_to(name, 'UTF8') from unnest($1) name)))
                        and id > $2\(OpenErasures.hidesLetters("d"))
                    order by id limit \(pageLimitRows)) n
                order by id
                """
        }
    }
}

extension StoreQueries {
    /// What is stored of a person, to be read page by page; nil where nothing is stored under the id.
    ///
    /// - Parameter id: the user's, or one that exactly one user's record names as an alias: then it is that user who is meant. An id that
    ///   several people share stands for itself alone.
    public func export(of id: String) throws(StoreError) -> PersonExport? {
        let ids = try pool.reading { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(id)
            let owners = try connection.run(
                """
                select user_id from users where aliases @> array[$1::text] and aliases <> '{}' and user_id <> $1
                    and not exists (select from users where user_id = $1) limit 2
                """, parameters)
            let person = owners.count == 1 ? owners.string(0, 0) ?? id : id
            parameters = Parameters()
            parameters.add(person)
            let rows = try connection.run(
                """
                with recursive person(id, depth) as (
                    select $1::text collate "C", 0
                    union
                    select alias collate "C", depth + 1 from person p join users u on u.user_id = p.id cross join unnest(u.aliases) alias
                    where depth < 2)
                select id from (select id, min(depth) as depth from person group by id) n order by depth, id limit \(PersonExport.idsLimit)
                """, parameters)
            return (0..<rows.count).compactMap { rows.string($0, 0) }
        }
        var export = PersonExport(ids: ids)
        // Something is stored if any page has a line.
        while let page = try export.nextPage(self) {
            guard page.isEmpty else {
                export.read = page
                return export
            }
        }
        return nil
    }
}
