import Features
import Interactions

/// Merges a feature delta into the stored features.
///
/// Rows are written in the order of their ids, so that two consumers do not wait for each other in a circle: first those
/// that may be new are inserted, which waits for inserts of the same ids only, then those that exist are updated, and an
/// update never waits for an insert. Counters of items, which many consumers share, are merged by the database. Histories
/// are merged here, by the code that folded them, and written where the row is still the version that was merged: users are
/// seldom shared between consumers, and a row lock would be a second write of the row.
struct FeatureWriter {
    let rules: FeatureRules
    private var cache = UserRowCache()
    private var knownItems = KnownItems()

    init(rules: FeatureRules) { self.rules = rules }

    /// What a delta changes, made ready while the database still stores the events themselves.
    struct Plan {
        fileprivate let events: FullUsers
        /// Ascending by id.
        fileprivate let users: [UserDelta]
        /// Rows whose stored version is known, merged.
        fileprivate var merged: [UserFeatureRow] = []
        /// Users whose rows must be read.
        fileprivate var unread: [UserDelta] = []
        /// Items that may have no row yet, ascending by id.
        fileprivate var newItems: [ItemDelta] = []
        /// Items that have a row, ascending by id.
        fileprivate var knownItems: [ItemDelta] = []
    }

    /// Merges what can be merged without the database. Takes the users' rows out of the cache: a plan that is not written
    /// leaves them to be read again.
    ///
    /// - Parameter events: the events that were folded into `delta`.
    mutating func plan(_ delta: FeatureDelta, events: some Sequence<Interaction>) -> Plan {
        var plan = Plan(
            events: FullUsers(delta, events: events), users: Self.sorted(delta.users.values, by: \.userID))
        plan.merged.reserveCapacity(plan.users.count)
        for user in plan.users {
            if var row = cache.take(user.userID) {
                row.merge(user, rules: rules, events: plan.events)
                plan.merged.append(row)
            } else {
                plan.unread.append(user)
            }
        }
        for item in Self.sorted(delta.items.values, by: \.itemID) {
            if knownItems.contains(item.itemID) { plan.knownItems.append(item) } else { plan.newItems.append(item) }
        }
        return plan
    }

    /// In the order of their ids. Sorts numbers: the values are large.
    private static func sorted<Value>(_ values: some Collection<Value>, by id: (Value) -> String) -> [Value] {
        let values = Array(values)
        let ids = values.map(id)
        let order = values.indices.map(Int32.init(truncatingIfNeeded:)).sorted { ids[Int($0)] < ids[Int($1)] }
        return order.map { values[Int($0)] }
    }

    /// Writes a plan in the open transaction. What is learnt counts once ``committed(_:)`` is called with the answer.
    mutating func write(_ plan: consuming Plan, _ connection: Connection, afterItems: () throws(StoreError) -> Void) throws(StoreError)
        -> Written
    {
        var written = Written()
        if plan.users.isEmpty, plan.newItems.isEmpty, plan.knownItems.isEmpty {
            try afterItems()
            return written
        }
        var merged = plan.merged
        var missing: [UserDelta] = []
        if !plan.unread.isEmpty {
            try read(plan.unread, events: plan.events, &merged, &missing, connection)
            if !merged.isEmpty && merged.count > plan.merged.count { merged.sort { $0.userID < $1.userID } }
        }
        let rowType = try connection.rowType(of: "user_features")
        let items = try write(plan, &written, connection)
        // The database adds up the items while the rows of the users are encoded.
        let update = UserFeatureRow.parts(of: merged).first.map { Self.parameters(merged[$0], rowType) }
        if let items { try finishItems(items, connection) }
        try Self.writeRevenue(plan.newItems + plan.knownItems, connection)
        try afterItems()

        var waiting = try insert(missing, events: plan.events, &written, connection)
        waiting += try self.update(merged, first: update, rowType, of: plan.users, &written, connection)
        while !waiting.isEmpty {
            // Another transaction wrote these since we looked.
            waiting.sort { $0.userID < $1.userID }
            merged = []
            missing = []
            try read(waiting, events: plan.events, &merged, &missing, connection)
            merged.sort { $0.userID < $1.userID }
            waiting = try insert(missing, events: plan.events, &written, connection)
            waiting += try self.update(merged, rowType, of: plan.users, &written, connection)
        }
        return written
    }

    /// Adds what a delta changes of users, in the open transaction. Its items are left as they are: they were counted before.
    static func addUsers(of delta: FeatureDelta, events: [Interaction], rules: FeatureRules, _ connection: Connection) throws(StoreError) {
        var writer = FeatureWriter(rules: rules)
        var plan = writer.plan(delta, events: events)
        (plan.newItems, plan.knownItems) = ([], [])
        var written = try writer.write(plan, connection, afterItems: {})
        _ = try writer.matchReturns(among: events, &written, connection)
    }

    /// What a transaction taught that is true once it is committed.
    struct Written {
        var users: [UserFeatureRow] = []
        fileprivate var items: [String] = []

        /// Rows of users, and the entries of their histories all together.
        var histories: (rows: Int, entries: Int) { (users.count, users.reduce(0) { $0 + $1.history.entries.count }) }
    }

    /// Keeps the rows that a committed transaction wrote.
    mutating func committed(_ written: Written) {
        for row in written.users { cache.keep(row) }
        for item in written.items { knownItems.insert(item) }
    }

    // MARK: Users

    /// What the rows that one statement reads may take, in bytes, where histories are full.
    private static let readBytesTarget = 64 << 20
    private static let bytesPerHistoryEntry = 64

    /// Reads the rows of users: those found are merged, the others are missing.
    private func read(
        _ users: [UserDelta], events: FullUsers, _ merged: inout [UserFeatureRow], _ missing: inout [UserDelta], _ connection: Connection
    ) throws(StoreError) {
        let page = max(64, Self.readBytesTarget / (rules.historyLimitEvents * Self.bytesPerHistoryEntry))
        for start in stride(from: 0, to: users.count, by: page) {
            try readPage(Array(users[start..<min(start + page, users.count)]), events: events, &merged, &missing, connection)
        }
    }

    private func readPage(
        _ users: [UserDelta], events: FullUsers, _ merged: inout [UserFeatureRow], _ missing: inout [UserDelta], _ connection: Connection
    ) throws(StoreError) {
        var ids = Parameters()
        ids.add(count: users.count, text: { users[$0].userID })
        let rows = try connection.run("select \(UserFeatureRow.columns), ctid, xmin from user_features where user_id = any($1)", ids)
        var places: [String: Int] = [:]
        places.reserveCapacity(users.count)
        for (index, user) in users.enumerated() { places[user.userID] = index }
        var isFound = [Bool](repeating: false, count: users.count)
        for row in 0..<rows.count {
            var features = try UserFeatureRow(rows, row, place: connection.place)
            guard let index = places[features.userID] else { continue }
            isFound[index] = true
            features.merge(users[index], rules: rules, events: events)
            merged.append(features)
        }
        for index in users.indices where !isFound[index] { missing.append(users[index]) }
    }

    private static func parameters(_ rows: ArraySlice<UserFeatureRow>, _ type: RowType) -> Parameters {
        var parameters = UserFeatureRow.parameter(rows, type)
        parameters.add(count: rows.count, place: { rows[rows.startIndex + $0].place })
        return parameters
    }

    /// Updates rows, in as many statements as their bytes want. Returns the users that another transaction came between.
    ///
    /// - Parameter first: the parameters of the first part, where they are ready.
    func update(
        _ rows: [UserFeatureRow], first: Parameters? = nil, _ type: RowType, of users: [UserDelta], _ written: inout Written,
        _ connection: Connection
    ) throws(StoreError) -> [UserDelta] {
        var waiting: [UserDelta] = []
        for (number, part) in UserFeatureRow.parts(of: rows).enumerated() {
            let ready = number == 0 ? first : nil
            waiting += try updatePart(
                Array(rows[part]), ready ?? Self.parameters(rows[part], type), of: users, &written, connection)
        }
        return waiting
    }

    private func updatePart(
        _ rows: [UserFeatureRow], _ parameters: Parameters, of users: [UserDelta], _ written: inout Written, _ connection: Connection
    ) throws(StoreError) -> [UserDelta] {
        if rows.isEmpty { return [] }
        // The place finds the row without a look-up in the index; the version and the id prove that it is the one merged.
        let updated = try connection.run(
            """
            update user_features f set history = n.history, impressions = n.impressions, clicks = n.clicks,
                add_to_carts = n.add_to_carts, purchases = n.purchases, first_time = n.first_time, last_time = n.last_time,
                last_partition = n.last_partition, last_offset = n.last_offset, met_items = coalesce(n.met_items, f.met_items),
                returns = n.returns
            from rows from (unnest($1::user_features[]), unnest($2::tid[]), unnest($3::xid[])) with ordinality
                n(\(UserFeatureRow.columns), place, version, number)
            where f.ctid = n.place and f.xmin = n.version and f.user_id = n.user_id
            returning n.number, f.ctid, f.xmin
            """, parameters)
        var isDone = [Bool](repeating: false, count: rows.count)
        for row in 0..<updated.count {
            let index = Int(updated.int64(row, 0) ?? 0) - 1
            guard rows.indices.contains(index) else { continue }
            isDone[index] = true
            var now = rows[index]
            now.place = RowPlace(updated, row, 1)
            written.users.append(now)
        }
        if updated.count == rows.count { return [] }
        let skipped = Set(rows.indices.filter { !isDone[$0] }.map { rows[$0].userID })
        return users.filter { skipped.contains($0.userID) }
    }

    /// Inserts rows that were missing. Returns the users that another transaction inserted meanwhile.
    private func insert(
        _ users: [UserDelta], events: FullUsers, _ written: inout Written, _ connection: Connection
    ) throws(StoreError) -> [UserDelta] {
        if users.isEmpty { return [] }
        var rows = users.map { UserFeatureRow($0, rules: rules, events: events) }
        var left: [UserDelta] = []
        for part in UserFeatureRow.parts(of: rows) { left += try insertPart(part, users, &rows, &written, connection) }
        return left
    }

    private func insertPart(
        _ part: Range<Int>, _ users: [UserDelta], _ rows: inout [UserFeatureRow], _ written: inout Written, _ connection: Connection
    ) throws(StoreError) -> [UserDelta] {
        let inserted = try Self.insert(rows[part], connection)
        // The rows come back in the order in which they were sent; those that were there already are left out.
        var left: [UserDelta] = []
        var next = 0
        for index in part {
            if next < inserted.count, rows[index].userID.utf8.elementsEqual(inserted.bytes(next, 0)) {
                rows[index].place = RowPlace(inserted, next, 1)
                written.users.append(rows[index])
                next += 1
            } else {
                left.append(users[index])
            }
        }
        return left
    }

    /// Inserts rows in their order and returns `user_id, ctid, xmin` of those that were missing still.
    @discardableResult
    static func insert(_ rows: ArraySlice<UserFeatureRow>, _ connection: Connection) throws(StoreError) -> QueryResult {
        try connection.run(
            """
            insert into user_features (\(UserFeatureRow.columns))
            select \(UserFeatureRow.columns) from unnest($1::user_features[]) on conflict do nothing returning user_id, ctid, xmin
            """, UserFeatureRow.parameter(rows, try connection.rowType(of: "user_features")))
    }

    // MARK: Items

    /// `merge` of decayed counts in SQL: the larger landmark wins and keeps the sums for it and the one before.
    static func decayMerge(_ name: String) -> String {
        let (old, new) = ("t.\(name)", "n.\(name)")
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

    private static let itemColumns = """
        item_id, impressions, clicks, add_to_carts, purchases, units, click_landmark, click_newest, click_previous, \
        purchase_landmark, purchase_newest, purchase_previous, first_time, last_time
        """

    private static let itemInsert = """
        insert into item_features (\(itemColumns)) select \(itemColumns) from unnest($1::item_features[])
        on conflict do nothing returning item_id
        """

    static let itemUpdate = """
        update item_features t set
            impressions = saturating_sum(t.impressions, n.impressions), clicks = saturating_sum(t.clicks, n.clicks),
            add_to_carts = saturating_sum(t.add_to_carts, n.add_to_carts), purchases = saturating_sum(t.purchases, n.purchases),
            units = saturating_sum(t.units, n.units),
            \(decayMerge("click")),
            \(decayMerge("purchase")),
            first_time = least(t.first_time, n.first_time), last_time = greatest(t.last_time, n.last_time)
        from unnest($1::item_features[]) n where t.item_id = n.item_id
        """

    /// Inserts the items that have no row and sends the update of the others. Returns how many rows that must update, for
    /// ``finishItems(_:_:)``, or nil when there is none.
    private func write(_ plan: Plan, _ written: inout Written, _ connection: Connection) throws(StoreError) -> Int? {
        let type = try connection.rowType(of: "item_features")
        var known = plan.knownItems
        if !plan.newItems.isEmpty {
            let inserted = try connection.run(Self.itemInsert, Self.itemParameter(plan.newItems, type))
            var next = 0
            for item in plan.newItems {
                written.items.append(item.itemID)
                if next < inserted.count, item.itemID.utf8.elementsEqual(inserted.bytes(next, 0)) { next += 1 } else { known.append(item) }
            }
            if known.count > plan.knownItems.count { known.sort { $0.itemID < $1.itemID } }
        }
        if known.isEmpty { return nil }
        try connection.send(Self.itemUpdate, Self.itemParameter(known, type))
        return known.count
    }

    private mutating func finishItems(_ count: Int, _ connection: Connection) throws(StoreError) {
        let updated = try connection.finish(Self.itemUpdate).affected
        if updated == count { return }
        knownItems.removeAll()
        throw StoreError(
            .serialization, isRetriable: true,
            "\(connection.place): \(count - updated) rows of item_features were removed meanwhile — the batch is stored again")
    }

    static func itemParameter(_ items: [ItemDelta], _ type: RowType) -> Parameters {
        var parameters = Parameters()
        parameters.add(type, fields: 14, count: items.count) { index, buffer in
            let item = items[index]
            buffer.appendTypedField(item.itemID)
            buffer.appendTypedField(item.impressions)
            buffer.appendTypedField(item.clicks)
            buffer.appendTypedField(item.addToCarts)
            buffer.appendTypedField(item.purchases)
            buffer.appendTypedField(item.units)
            buffer.appendTypedField(item.clickDecay.landmark)
            buffer.appendTypedField(item.clickDecay.newest)
            buffer.appendTypedField(item.clickDecay.previous)
            buffer.appendTypedField(item.purchaseDecay.landmark)
            buffer.appendTypedField(item.purchaseDecay.newest)
            buffer.appendTypedField(item.purchaseDecay.previous)
            buffer.appendTypedField(item.firstTime)
            buffer.appendTypedField(item.lastTime)
        }
        return parameters
    }

    static func writeRevenue(_ items: [ItemDelta], _ connection: Connection) throws(StoreError) {
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

/// Items that have a row of features. Rows of items are never removed.
private struct KnownItems {
    /// About 50 bytes an item.
    static let itemsLimit = 1_000_000
    private var ids: Set<String> = []

    func contains(_ id: String) -> Bool { ids.contains(id) }

    mutating func insert(_ id: String) {
        if ids.count >= Self.itemsLimit { ids.removeAll() }
        ids.insert(id)
    }

    mutating func removeAll() { ids.removeAll() }
}
