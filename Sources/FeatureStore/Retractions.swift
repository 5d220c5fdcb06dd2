import Features
import Interactions

/// Takes feedback back, with the events that brought it and all that they counted for.
enum Retractions {
    /// Removes the feedback, its events, and what they added to counters, histories and exclusions.
    ///
    /// What a history had lost to newer entries does not come back. What returns took from a purchase stays taken.
    /// - Returns: Users whose features were changed.
    static func apply(_ retractions: [Retraction], rules: FeatureRules, _ connection: Connection) throws(StoreError) -> Set<String> {
        if retractions.isEmpty { return [] }
        let gone = try removed(retractions, connection)
        if gone.isEmpty { return [] }
        var delta = FeatureDelta(rules: rules)
        for event in gone { delta.fold(event) }
        try takeFromItems(delta, connection)
        var users: Set<String> = []
        for userID in delta.users.keys.sorted() {
            let own = gone.filter { $0.userID == userID }
            if try takeFromUser(userID, own, rules: rules, connection) { users.insert(userID) }
        }
        return users
    }

    /// Deletes the rows, and gives back the events that were stored of them.
    private static func removed(_ retractions: [Retraction], _ connection: Connection) throws(StoreError) -> [Interaction] {
        var asked = Parameters()
        asked.add(count: retractions.count, text: { retractions[$0].userID })
        asked.add(count: retractions.count, text: { retractions[$0].itemID })
        asked.add(count: retractions.count, text: { retractions[$0].feedbackType })
        asked.add(count: retractions.count, int32: { retractions[$0].position.partition })
        asked.add(count: retractions.count) { retractions[$0].position.offset }
        // What stands behind the retraction in its partition was said after it.
        let found = try connection.run(
            """
            delete from feedback f using unnest($1::text[], $2::text[], $3::text[], $4::int4[], $5::int8[]) n(u, i, t, p, o)
            where f.user_id = n.u collate "C" and f.item_id = n.i collate "C" and (n.t is null or f.type = n.t collate "C")
                and not (f.source_partition = n.p and f.source_offset > n.o)
            returning f.event_time, f.event_id
            """, asked)
        if found.count == 0 { return [] }
        let zero = EventTime(milliseconds: 0)
        var keys = Parameters()
        keys.add(count: found.count, time: { found.time($0, 0) ?? zero })
        keys.add(count: found.count, text: { found.string($0, 1) })
        let rows = try connection.run(
            """
            delete from interactions i using unnest($1::timestamptz[], $2::text[]) n(at, id)
            where i.event_time = n.at and i.event_id = n.id collate "C"
            returning i.event_id, i.type, i.user_id, i.item_id, i.event_time, i.amount_minor, i.currency, i.quantity, i.context,
                i.source_partition, i.source_offset
            """, keys)
        return (0..<rows.count).compactMap { row in
            guard let type = rows.int16(row, 1).flatMap({ InteractionType(rawValue: UInt8(clamping: $0)) }) else { return nil }
            return Interaction(
                eventID: rows.string(row, 0) ?? "", type: type, userID: rows.string(row, 2) ?? "", itemID: rows.string(row, 3) ?? "",
                time: rows.time(row, 4) ?? zero, amountMinor: rows.int64(row, 5), currency: rows.string(row, 6),
                quantity: rows.int32(row, 7) ?? 1, context: rows.string(row, 8),
                position: Position(partition: rows.int32(row, 9) ?? 0, offset: rows.int64(row, 10) ?? 0))
        }
    }

    /// Adds what the events had added once more, with the other sign: all of it is sums.
    private static func takeFromItems(_ delta: FeatureDelta, _ connection: Connection) throws(StoreError) {
        let items = delta.items.values.map(\.negated).sorted { $0.itemID < $1.itemID }
        if items.isEmpty { return }
        let type = try connection.rowType(of: "item_features")
        try connection.run(FeatureWriter.itemUpdate, FeatureWriter.itemParameter(items, type))
        try FeatureWriter.writeRevenue(items, connection)
    }

    /// Takes events out of a user's row. False where there is none: the user was erased.
    private static func takeFromUser(
        _ userID: String, _ events: [Interaction], rules: FeatureRules, _ connection: Connection
    ) throws(StoreError) -> Bool {
        var id = Parameters()
        id.add(userID)
        let rows = try connection.run(
            "select \(UserFeatureRow.columns), ctid, xmin from user_features where user_id = $1 for update", id)
        if rows.count == 0 { return false }
        var row = try UserFeatureRow(rows, 0, place: connection.place)
        let items = Array(Set(events.map(\.itemID)))
        // What the history has lost is known to the events alone.
        let ways = row.metItems == nil ? [:] : try waysLeft(userID, items, connection)
        row.takeBack(events, waysLeft: ways)
        var written = FeatureWriter.Written()
        _ = try FeatureWriter(rules: rules).update(
            [row], try connection.rowType(of: "user_features"), of: [], &written, connection)
        guard written.users.count == 1 else {
            throw StoreError(
                .serialization, isRetriable: true,
                "\(connection.place): the features of a user changed while feedback was taken back — the batch is stored again")
        }
        return true
    }

    /// In which ways the user still met the items: a bit for each type.
    private static func waysLeft(
        _ userID: String, _ items: [String], _ connection: Connection
    ) throws(StoreError) -> [String: UInt8] {
        var asked = Parameters()
        asked.add(userID)
        asked.add(items)
        // Only the filters know users, see ErasureWork.
        try connection.execute("set local enable_indexscan = off; set local enable_indexonlyscan = off")
        let rows = try connection.run(
            """
            select item_id, bit_or(1 << type) from interactions
            where user_id = $1 and item_id = any($2) and type in (1, 2, 3) group by item_id
            """, asked)
        try connection.execute("set local enable_indexscan = on; set local enable_indexonlyscan = on")
        var ways = Dictionary(uniqueKeysWithValues: items.map { ($0, UInt8(0)) })
        for row in 0..<rows.count { ways[rows.string(row, 0) ?? ""] = UInt8(clamping: rows.int32(row, 1) ?? 0) }
        return ways
    }
}

extension ItemDelta {
    /// What undoes it. The times stay: of what is left nobody knows the earliest and the latest.
    fileprivate var negated: ItemDelta {
        var undone = self
        undone.impressions = -impressions
        undone.clicks = -clicks
        undone.addToCarts = -addToCarts
        undone.purchases = -purchases
        undone.units = -units
        undone.clickDecay = clickDecay.negated
        undone.purchaseDecay = purchaseDecay.negated
        undone.revenue = revenue.mapValues { -$0 }
        return undone
    }
}

extension DecayedCount {
    fileprivate var negated: DecayedCount { DecayedCount(landmark: landmark, newest: -newest, previous: -previous) }
}
