import Features
import Interactions

/// Merges a feature delta into the stored features.
///
/// Rows are written in the order of their ids, so that two consumers do not wait for each other in a circle. Counters of
/// items, which many consumers share, are merged by the database. Histories are merged here, by the code that folded them:
/// read without a lock, and written where the row is still the version that was read. Users are seldom shared between
/// consumers, and a row lock would be a second write of the row.
enum FeatureWriter {
    static func write(
        _ delta: FeatureDelta, rules: FeatureRules, _ connection: Connection, afterItems: () throws(StoreError) -> Void
    ) throws(StoreError) {
        if delta.isEmpty { return try afterItems() }
        var waiting = delta.users.values.sorted { $0.userID < $1.userID }
        let first = try read(waiting, connection)
        // The database merges the items while the histories are merged here.
        let items = delta.items.values.sorted { $0.itemID < $1.itemID }
        try connection.send(itemUpsert, itemParameters(items))
        let merged = Result { () throws(StoreError) in try merge(first, delta, rules: rules, connection) }
        _ = try connection.finish(itemUpsert)
        try writeRevenue(items, connection)
        try afterItems()

        var found = try merged.get()
        while true {
            waiting = try write(found, of: waiting, connection)
            if waiting.isEmpty { return }
            // Another transaction wrote these between our look and our write.
            found = try merge(try read(waiting, connection), delta, rules: rules, connection)
        }
    }

    // MARK: Users

    private static func read(_ users: [UserDelta], _ connection: Connection) throws(StoreError) -> QueryResult {
        var ids = Parameters()
        ids.add(count: users.count, text: { users[$0].userID })
        return try connection.run(
            """
            select user_id, history, impressions, clicks, add_to_carts, purchases, first_time, last_time, last_partition, last_offset,
                ctid, xmin
            from user_features where user_id = any($1)
            """, ids)
    }

    /// The stored rows with the delta added, by id.
    private static func merge(
        _ rows: QueryResult, _ delta: FeatureDelta, rules: FeatureRules, _ connection: Connection
    ) throws(StoreError) -> [UserFeatureRow] {
        var merged: [UserFeatureRow] = []
        merged.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            guard let userID = rows.string(row, 0), let change = delta.users[userID] else { continue }
            var features = UserFeatureRow(change)
            try features.merge(rows, row, rules: rules, place: connection.place)
            merged.append(features)
        }
        merged.sort { $0.userID < $1.userID }
        return merged
    }

    /// Writes the rows that were found and inserts the others. Returns the users that another transaction came between.
    private static func write(
        _ found: [UserFeatureRow], of waiting: [UserDelta], _ connection: Connection
    ) throws(StoreError) -> [UserDelta] {
        var left: [UserDelta] = []
        var known: Set<String> = []
        if found.count < waiting.count {
            known = Set(found.map(\.userID))
            let missing = waiting.filter { !known.contains($0.userID) }
            let inserted = try insert(missing.map(UserFeatureRow.init), connection)
            if inserted.count < missing.count { left = missing.filter { !inserted.contains($0.userID) } }
        }
        if found.isEmpty { return left }
        // The place finds the row without a look-up in the index; the version and the id prove that it is the one read.
        let updated = try connection.run(
            """
            update user_features f set history = n.history, impressions = n.impressions, clicks = n.clicks,
                add_to_carts = n.add_to_carts, purchases = n.purchases, first_time = n.first_time, last_time = n.last_time,
                last_partition = n.last_partition, last_offset = n.last_offset
            from unnest($1::text[], $2::bytea[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::timestamptz[],
                $8::timestamptz[], $9::int4[], $10::int8[], $11::tid[], $12::xid[])
                n(user_id, history, impressions, clicks, add_to_carts, purchases, first_time, last_time, last_partition, last_offset,
                  place, version)
            where f.ctid = n.place and f.xmin = n.version and f.user_id = n.user_id collate "C"
            """, UserFeatureRow.parameters(found, withVersions: true)
        ).affected
        if updated == found.count { return left }
        var ids = Parameters()
        ids.add(found.map(\.userID))
        let ours = try connection.run(
            "select user_id from user_features where user_id = any($1) and xmin = pg_current_xact_id()::xid", ids)
        let done = Set((0..<ours.count).compactMap { ours.string($0, 0) })
        let skipped = Set(found.map(\.userID)).subtracting(done)
        return left + waiting.filter { skipped.contains($0.userID) }
    }

    /// Inserts rows that were missing and returns the ids of those that were missing still.
    static func insert(_ rows: [UserFeatureRow], _ connection: Connection) throws(StoreError) -> Set<String> {
        if rows.isEmpty { return [] }
        let inserted = try connection.run(
            """
            insert into user_features
                (user_id, history, impressions, clicks, add_to_carts, purchases, first_time, last_time, last_partition, last_offset)
            select * from unnest($1::text[], $2::bytea[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::timestamptz[],
                $8::timestamptz[], $9::int4[], $10::int8[])
            on conflict do nothing returning user_id
            """, UserFeatureRow.parameters(rows, withVersions: false))
        return Set((0..<inserted.count).compactMap { inserted.string($0, 0) })
    }

    // MARK: Items

    /// `merge` of decayed counts in SQL: the larger landmark wins and keeps the sums for it and the one before.
    private static func decayMerge(_ name: String) -> String {
        let (old, new) = ("t.\(name)", "excluded.\(name)")
        return """
            \(name)_landmark = greatest(\(old)_landmark, \(new)_landmark),
            \(name)_newest = case when \(old)_landmark = \(new)_landmark then saturating_sum(\(old)_newest, \(new)_newest)
                when \(old)_landmark > \(new)_landmark then \(old)_newest else \(new)_newest end,
            \(name)_previous = case when \(old)_landmark = \(new)_landmark then saturating_sum(\(old)_previous, \(new)_previous)
                when \(old)_landmark - 1 = \(new)_landmark then saturating_sum(\(old)_previous, \(new)_newest)
                when \(old)_landmark > \(new)_landmark then \(old)_previous
                when \(new)_landmark - 1 = \(old)_landmark then saturating_sum(\(new)_previous, \(old)_newest)
                else \(new)_previous end
            """
    }

    private static let itemUpsert = """
        insert into item_features as t
            (item_id, impressions, clicks, add_to_carts, purchases, units, click_landmark, click_newest, click_previous,
             purchase_landmark, purchase_newest, purchase_previous, first_time, last_time)
        select * from unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[],
            $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::timestamptz[], $14::timestamptz[])
        on conflict (item_id) do update set
            impressions = t.impressions + excluded.impressions, clicks = t.clicks + excluded.clicks,
            add_to_carts = t.add_to_carts + excluded.add_to_carts, purchases = t.purchases + excluded.purchases,
            units = saturating_sum(t.units, excluded.units),
            \(decayMerge("click")),
            \(decayMerge("purchase")),
            first_time = least(t.first_time, excluded.first_time), last_time = greatest(t.last_time, excluded.last_time)
        """

    private static func itemParameters(_ items: [ItemDelta]) -> Parameters {
        let count = items.count
        var rows = Parameters()
        rows.add(count: count, text: { items[$0].itemID })
        rows.add(count: count) { items[$0].impressions }
        rows.add(count: count) { items[$0].clicks }
        rows.add(count: count) { items[$0].addToCarts }
        rows.add(count: count) { items[$0].purchases }
        rows.add(count: count) { items[$0].units }
        rows.add(count: count) { items[$0].clickDecay.landmark }
        rows.add(count: count) { items[$0].clickDecay.newest }
        rows.add(count: count) { items[$0].clickDecay.previous }
        rows.add(count: count) { items[$0].purchaseDecay.landmark }
        rows.add(count: count) { items[$0].purchaseDecay.newest }
        rows.add(count: count) { items[$0].purchaseDecay.previous }
        rows.add(count: count, time: { items[$0].firstTime })
        rows.add(count: count, time: { items[$0].lastTime })
        return rows
    }

    private static func writeRevenue(_ items: [ItemDelta], _ connection: Connection) throws(StoreError) {
        var revenue: [(itemID: String, currency: String, minor: Int64)] = []
        for item in items {
            for (currency, minor) in item.revenue { revenue.append((item.itemID, currency, minor)) }
        }
        if revenue.isEmpty { return }
        revenue.sort { ($0.itemID, $0.currency) < ($1.itemID, $1.currency) }
        var sums = Parameters()
        sums.add(count: revenue.count, text: { revenue[$0].itemID })
        sums.add(count: revenue.count, text: { revenue[$0].currency })
        sums.add(count: revenue.count) { revenue[$0].minor }
        try connection.run(
            """
            insert into item_revenue as t (item_id, currency, revenue_minor)
            select * from unnest($1::text[], $2::text[], $3::int8[])
            on conflict (item_id, currency) do update set revenue_minor = saturating_sum(t.revenue_minor, excluded.revenue_minor)
            """, sums)
    }
}
