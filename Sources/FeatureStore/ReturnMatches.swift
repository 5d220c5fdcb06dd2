import Features
import Interactions

/// A user and an item between whom there are purchases and returns.
struct TradePair: Hashable, Comparable {
    var userID: String
    var itemID: String

    static func < (left: TradePair, right: TradePair) -> Bool { (left.userID, left.itemID) < (right.userID, right.itemID) }
}

/// What became of a pair's purchases, for the user's history.
struct TradeOutcome {
    /// Where an event stands in a history.
    struct Place: Hashable {
        var time: EventTime
        var position: Position

        init(_ time: EventTime, _ position: Position) {
            self.time = time
            self.position = position
        }
    }

    /// Purchases of which all was given back.
    var returned: Set<Place> = []
    /// Whether there is a purchase of which not all was given back.
    var isBought = false
}

/// What the log and `purchase_returns` say of one pair.
struct PairTrades {
    var purchases: [Trade] = []
    /// With whether the open transaction stored it.
    var returns: [(trade: Trade, isNew: Bool)] = []
    /// Matches that are stored, with their purchase.
    var stored: [(purchase: Trade, returnTime: EventTime, returnID: String, pieces: Int32)] = []
}

/// Reads and writes `purchase_returns`: which return takes how much of which purchase back.
///
/// Whoever writes holds the rows of the users in `user_features` to the end of the transaction, so that nobody else stores purchases
/// or returns of the pair meanwhile, and what was stored before is visible.
enum ReturnMatches {
    /// The newest purchases and returns of a pair that are looked at; what is older is as good as never bought. Nobody buys a thing so
    /// often, and a sender who pretends it holds no one up.
    static let tradesPerPairLimit = 1_000
    /// Pairs that one statement reads.
    static let pairsPerStatementLimit = 256

    /// SQL: how many purchases of a user were wholly given back.
    static func returnedPurchases(of userID: String) -> String {
        """
        (select count(*) from (select from purchase_returns where user_id = \(userID) group by purchase_time, purchase_id, purchase_quantity
            having sum(pieces) >= purchase_quantity) wholly)
        """
    }

    /// Those of the pairs that have a return.
    static func withReturns(_ pairs: [TradePair], _ connection: Connection) throws(StoreError) -> [TradePair] {
        if pairs.isEmpty { return [] }
        let rows = try connection.run(
            """
            select n.number from unnest($1::text[], $2::text[]) with ordinality n(user_id, item_id, number)
            where exists (select from interactions i where i.user_id = n.user_id collate "C" and i.item_id = n.item_id collate "C"
                and i.type >= 3 and i.type = 4)
            order by n.number
            """, parameters(pairs))
        return (0..<rows.count).compactMap { row in rows.int64(row, 0).map { pairs[Int($0) - 1] } }
    }

    private static func parameters(_ pairs: [TradePair]) -> Parameters {
        var parameters = Parameters()
        parameters.add(count: pairs.count, text: { pairs[$0].userID })
        parameters.add(count: pairs.count, text: { pairs[$0].itemID })
        return parameters
    }

    /// What the log says of pairs, and what is stored of their matches, in the order of the pairs.
    static func trades(of pairs: [TradePair], _ connection: Connection) throws(StoreError) -> [PairTrades] {
        var result = [PairTrades](repeating: PairTrades(), count: pairs.count)
        let fields = "event_id, event_time, source_partition, source_offset, quantity, price_micros, amount_minor, currency"
        let asked = parameters(pairs)
        let logged = try connection.run(
            """
            select n.number, \(fields.split(separator: ", ").map { "t." + $0 }.joined(separator: ", ")), t.type, t.context, t.is_new
            from unnest($1::text[], $2::text[]) with ordinality n(user_id, item_id, number) cross join lateral (
                select \(fields), type, case when type = 4 then context end as context, committed_by = pg_current_xact_id() as is_new
                from interactions i
                where i.user_id = n.user_id collate "C" and i.item_id = n.item_id collate "C" and i.type >= 3\(
                    try OpenErasures.visible("i", connection))
                order by i.event_time desc, i.event_id desc limit \(tradesPerPairLimit)) t
            """, asked)
        for row in 0..<logged.count {
            let pair = Int(logged.int64(row, 0) ?? 0) - 1
            guard result.indices.contains(pair) else { continue }
            var trade = trade(logged, row, from: 1)
            if logged.int16(row, 9) == Int16(InteractionType.return.rawValue) {
                trade.purchaseEventID = logged.string(row, 10).flatMap { JSONText.string("purchase_event_id", inObject: $0) }
                result[pair].returns.append((trade, logged.bool(row, 11)))
            } else {
                result[pair].purchases.append(trade)
            }
        }
        let stored = try connection.run(
            """
            select n.number, \(fields.split(separator: ", ").map { "p." + $0 }.joined(separator: ", ")),
                m.return_time, m.return_id, m.pieces
            from unnest($1::text[], $2::text[]) with ordinality n(user_id, item_id, number)
                join purchase_returns m on m.user_id = n.user_id collate "C" and m.item_id = n.item_id collate "C"
                join interactions p on p.event_time = m.purchase_time and p.event_id = m.purchase_id
            """, asked)
        for row in 0..<stored.count {
            let pair = Int(stored.int64(row, 0) ?? 0) - 1
            guard result.indices.contains(pair), let time = stored.time(row, 9) else { continue }
            result[pair].stored.append((trade(stored, row, from: 1), time, stored.string(row, 10) ?? "", stored.int32(row, 11) ?? 0))
        }
        return result
    }

    private static func trade(_ rows: QueryResult, _ row: Int, from column: Int) -> Trade {
        Trade(
            eventID: rows.string(row, column) ?? "", time: rows.time(row, column + 1) ?? EventTime(milliseconds: 0),
            position: Position(partition: rows.int32(row, column + 2) ?? 0, offset: rows.int64(row, column + 3) ?? 0),
            quantity: rows.int32(row, column + 4) ?? 1, priceMicros: rows.int64(row, column + 5),
            amountMinor: rows.int64(row, column + 6), currency: rows.string(row, column + 7))
    }

    /// A match on its way to the table.
    struct Row {
        var pair: TradePair
        var purchase: Trade
        var taken: Trade
        var pieces: Int32
    }

    /// Puts matches in place of all that are stored of the pairs.
    static func replace(_ pairs: [TradePair], by rows: [Row], _ connection: Connection) throws(StoreError) {
        try connection.run(
            """
            delete from purchase_returns m using unnest($1::text[], $2::text[]) n(user_id, item_id)
            where m.user_id = n.user_id collate "C" and m.item_id = n.item_id collate "C"
            """, parameters(pairs))
        if rows.isEmpty { return }
        var values = parameters(rows.map(\.pair))
        values.add(count: rows.count, time: { rows[$0].purchase.time })
        values.add(count: rows.count, text: { rows[$0].purchase.eventID })
        values.add(count: rows.count, time: { rows[$0].taken.time })
        values.add(count: rows.count, text: { rows[$0].taken.eventID })
        values.add(count: rows.count, int32: { rows[$0].purchase.quantity })
        values.add(count: rows.count, int32: { rows[$0].pieces })
        try connection.run(
            """
            insert into purchase_returns (user_id, item_id, purchase_time, purchase_id, return_time, return_id, purchase_quantity, pieces)
            select * from unnest(
                $1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[], $7::int4[], $8::int4[])
            """, values)
    }

    /// Removes matches of users whose purchase or return is no longer in the log.
    static func forget(of userIDs: [String], _ connection: Connection) throws(StoreError) {
        var ids = Parameters()
        ids.add(userIDs)
        try connection.run(
            """
            delete from purchase_returns m where m.user_id = any($1) and (
                not exists (select from interactions i where i.event_time = m.purchase_time and i.event_id = m.purchase_id)
                or not exists (select from interactions i where i.event_time = m.return_time and i.event_id = m.return_id))
            """, ids)
    }
}
