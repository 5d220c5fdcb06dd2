import Features
import Interactions

/// One row of `user_features` on its way to the table.
struct UserFeatureRow {
    let userID: String
    private(set) var history: UserHistory
    private var impressions: Int64
    private var clicks: Int64
    private var addToCarts: Int64
    private var purchases: Int64
    /// How many returns of the user were stored.
    private(set) var returns: Int64
    private var firstTime: EventTime
    private var lastTime: EventTime
    private var last: Position
    /// Every item that the user dealt with; nil while the history holds all of them. See ``MetItems``.
    private(set) var metItems: [UInt8]?
    /// Whether ``metItems`` differs from what the table holds.
    private var metItemsChanged = false
    /// Where the row stands, and which transaction wrote it; as the database sent them.
    var place = RowPlace()
    /// Where ``UserRowCache`` had the row.
    var cacheSlot: Int?

    static let columns = """
        user_id, history, impressions, clicks, add_to_carts, purchases, first_time, last_time, last_partition, last_offset, met_items, \
        returns
        """
    static let fieldCount: Int32 = 12

    /// A row as the table holds it, from ``columns`` and `ctid, xmin`.
    ///
    /// - Throws: `malformedAnswer` when the stored history cannot be read.
    init(_ rows: QueryResult, _ row: Int, place name: String) throws(StoreError) {
        userID = rows.string(row, 0) ?? ""
        // All entries, also when fewer are kept by now: what is dropped must be among the items met.
        guard let stored = UserHistory(decoding: rows.bytes(row, 1), limit: .max),
            rows.isNull(row, 10) || MetItems.isWhole(rows.bytes(row, 10))
        else {
            throw StoreError(
                .malformedAnswer,
                "\(name): user_features.history or met_items of user \(userID) cannot be read by this version — restore that row "
                    + "from a backup, or erase the user")
        }
        history = stored
        impressions = rows.int64(row, 2) ?? 0
        clicks = rows.int64(row, 3) ?? 0
        addToCarts = rows.int64(row, 4) ?? 0
        purchases = rows.int64(row, 5) ?? 0
        firstTime = rows.time(row, 6) ?? EventTime(milliseconds: DatabaseTime.latest)
        lastTime = rows.time(row, 7) ?? EventTime(milliseconds: DatabaseTime.earliest)
        last = Position(partition: rows.int32(row, 8) ?? 0, offset: rows.int64(row, 9) ?? 0)
        if !rows.isNull(row, 10) { metItems = Array(rows.bytes(row, 10)) }
        returns = rows.int64(row, 11) ?? 0
        place = RowPlace(rows, row, Int(Self.fieldCount))
    }

    /// The row of a user that has nothing stored. `events` are the batch's, for users whose history is full.
    init(_ delta: UserDelta, rules: FeatureRules, events: FullUsers) {
        userID = delta.userID
        history = delta.history
        impressions = delta.impressions
        clicks = delta.clicks
        addToCarts = delta.addToCarts
        purchases = delta.purchases
        returns = delta.returns
        firstTime = delta.firstTime
        lastTime = delta.lastTime
        last = delta.last
        if let all = events[userID], all.entries.count > rules.historyLimitEvents {
            metItems = MetItems.adding(all.entries.map { MetItems.Entry($0) }, to: nil)
            metItemsChanged = true
        }
    }

    /// Adds what a batch changes. O(1) for each event newer than all before.
    mutating func merge(_ delta: UserDelta, rules: FeatureRules, events: FullUsers) {
        let limit = rules.historyLimitEvents
        let added = events[userID] ?? delta.history
        metItemsChanged = false
        if metItems != nil {
            if let more = MetItems.adding(added.entries.map { MetItems.Entry($0) }, to: metItems) {
                metItems = more
                metItemsChanged = true
            }
        } else if history.entries.count + added.entries.count > limit {
            var all = UserHistory(limit: .max)
            all.merge(history)
            all.merge(added)
            if all.entries.count > limit {
                metItems = MetItems.adding(all.entries.map { MetItems.Entry($0) }, to: nil)
                metItemsChanged = true
            }
        }
        if history.limit != limit {
            var kept = UserHistory(limit: limit)
            kept.merge(history)
            history = kept
        }
        history.merge(delta.history)
        impressions += delta.impressions
        clicks += delta.clicks
        addToCarts += delta.addToCarts
        purchases += delta.purchases
        returns += delta.returns
        firstTime = min(firstTime, delta.firstTime)
        lastTime = max(lastTime, delta.lastTime)
        last = max(last, delta.last)
    }

    /// Notes which purchases of some items were given back, and which of these items the user still has. False where that is known.
    mutating func note(_ trades: [String: TradeOutcome]) -> Bool {
        let before = history
        history.note { entry in trades[entry.itemID].map { $0.returned.contains(TradeOutcome.Place(entry.time, entry.position)) } }
        let list = metItems.flatMap { MetItems.noting(bought: trades.mapValues(\.isBought), in: $0) }
        if let list { metItems = list }
        metItemsChanged = list != nil
        return list != nil || history != before
    }

    /// Takes events back that are in no table any more.
    ///
    /// - Parameter waysLeft: of the items met, in which ways they were met by what is left; items that it does not name stay as they are.
    mutating func takeBack(_ events: [Interaction], waysLeft: [String: UInt8]) {
        let gone = Set(events.map { TakenBack(itemID: $0.itemID, type: $0.type, time: $0.time, position: $0.position) })
        var kept = UserHistory(limit: history.limit)
        for entry in history.entries
        where !gone.contains(TakenBack(itemID: entry.itemID, type: entry.type, time: entry.time, position: entry.position)) {
            kept.insert(entry)
        }
        history = kept
        for event in events {
            switch event.type {
            case .impression: impressions = max(0, impressions - 1)
            case .click: clicks = max(0, clicks - 1)
            case .addToCart: addToCarts = max(0, addToCarts - 1)
            case .purchase: purchases = max(0, purchases - 1)
            case .return: returns = max(0, returns - 1)
            }
        }
        let list = metItems.flatMap { MetItems.setting(waysLeft, in: $0) }
        if let list { metItems = list }
        metItemsChanged = list != nil
    }

    /// What tells an event of a history from others.
    private struct TakenBack: Hashable {
        var itemID: String, type: InteractionType, time: EventTime, position: Position
    }

    /// About what the row takes on its way: its history and the items met, in bytes.
    private var wireBytes: Int {
        history.entries.reduce(128 + userID.utf8.count + (metItems?.count ?? 0)) { $0 + 40 + $1.itemID.utf8.count }
    }

    /// The rows as ranges of which each fits one statement.
    static func parts(of rows: [UserFeatureRow]) -> [Range<Int>] { Parameters.parts(of: rows.count) { rows[$0].wireBytes } }

    /// The rows as one array of the table's row type. Items met that did not change go as null.
    static func parameter(_ rows: ArraySlice<UserFeatureRow>, _ type: RowType) -> Parameters {
        var parameters = Parameters()
        parameters.add(type, fields: fieldCount, count: rows.count) { index, buffer in
            let row = rows[rows.startIndex + index]
            buffer.appendTypedField(row.userID)
            buffer.appendTypedField(row.history.encoded())
            buffer.appendTypedField(row.impressions)
            buffer.appendTypedField(row.clicks)
            buffer.appendTypedField(row.addToCarts)
            buffer.appendTypedField(row.purchases)
            buffer.appendTypedField(row.firstTime)
            buffer.appendTypedField(row.lastTime)
            buffer.appendTypedField(row.last.partition)
            buffer.appendTypedField(row.last.offset)
            buffer.appendTypedField(row.metItemsChanged ? row.metItems : nil)
            buffer.appendTypedField(row.returns)
        }
        return parameters
    }
}

/// Where a row's version stands and which transaction wrote it: together with its key they prove that it is the one read.
struct RowPlace: Equatable {
    /// `ctid`: the block and the line of the page.
    private(set) var block: UInt32 = 0
    private(set) var line: UInt16 = 0
    /// `xmin`.
    private(set) var version: UInt32 = 0

    init() {}

    /// From the columns `ctid, xmin` at `column`.
    init(_ rows: QueryResult, _ row: Int, _ column: Int) {
        let place = rows.bytes(row, column)
        if place.count == 6 {
            block = UInt32(bigEndian: place.loadUnaligned(as: UInt32.self))
            line = UInt16(bigEndian: place.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        }
        version = UInt32(bitPattern: rows.int32(row, column + 1) ?? 0)
    }
}

/// The whole events of users that fill a history with one batch: their fold has dropped the older ones.
struct FullUsers {
    private var histories: [String: UserHistory] = [:]

    init() {}

    /// Gathers them from the events of a batch; looks at the events only where there are such users.
    init(_ delta: FeatureDelta, events: some Sequence<Interaction>) {
        for (userID, user) in delta.users where user.history.entries.count >= delta.rules.historyLimitEvents {
            histories[userID] = UserHistory(limit: .max)
        }
        if histories.isEmpty { return }
        for event in events where event.type.isAct { histories[event.userID]?.insert(HistoryEntry(event)) }
    }

    subscript(userID: String) -> UserHistory? { histories.isEmpty ? nil : histories[userID] }
}
