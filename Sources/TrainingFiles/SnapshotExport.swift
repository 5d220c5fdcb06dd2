import Bytes
import Evaluation
import Features
import FeatureStore
import Foundation
import Interactions

/// Reads one consistent moment of the store into a training file. Memory grows with users and items, not with interactions.
package struct SnapshotExport {
    /// `database.url`.
    package let url: String
    /// What is exported.
    package let settings: Settings
    /// What a former training saw; what it did not is marked as new. Without it nothing is marked.
    package var seen: (snapshot: String, until: EventTime?)?

    /// Marks a new interaction beside its type while it is sorted.
    private static let newMark: Int32 = 0x100

    /// What is read, and how much of it.
    package struct Settings: Sendable {
        /// The newest impressions that are kept.
        package var impressionsLimit: Int
        /// The newest interactions that are kept of a user.
        package var maxInteractionsPerUser: Int
        /// What is left out for its rating.
        package var ratings: RatingRules
        /// What other currencies are worth; without them only amounts of one currency count.
        package var rates: CurrencyRates?
        /// The currency in which amounts are compared; nil: the one in which most people paid.
        package var currencyBase: String?

        /// Makes settings.
        package init(
            impressionsLimit: Int, maxInteractionsPerUser: Int, ratings: RatingRules = RatingRules(), rates: CurrencyRates? = nil,
            currencyBase: String? = nil
        ) {
            self.impressionsLimit = impressionsLimit
            self.maxInteractionsPerUser = maxInteractionsPerUser
            self.ratings = ratings
            self.rates = rates
            self.currencyBase = currencyBase
        }
    }

    /// An export that has not begun.
    package init(url: String, settings: Settings, seen: (snapshot: String, until: EventTime?)? = nil) {
        self.url = url
        self.settings = settings
        self.seen = seen
    }

    /// What was written.
    package struct Summary {
        /// Interactions in the file.
        package var interactions: Int
        /// Items that people met and nobody described.
        package var itemsWithoutRecord: [String]
        /// What the ratings of the newest events look like; nil where they were read by rules.
        package var ratings: RatingLook?

        /// All of it.
        package init(interactions: Int, itemsWithoutRecord: [String], ratings: RatingLook? = nil) {
            self.interactions = interactions
            self.itemsWithoutRecord = itemsWithoutRecord
            self.ratings = ratings
        }
    }

    /// Items and users by the rows in which they came, before they are put in order.
    private struct Rows {
        var items = IDTable()
        /// Members of groups, and the item rows that they are learned as.
        var members = IDTable(), memberRows: [Int32] = []
        /// Records by item row.
        var records: [ItemRecord] = []
        /// What the catalogue says, by item row. Apart from the records, since looking at one of those copies it.
        var states: [State] = []
        /// When the first record was stored, by item row, in milliseconds since 1970; nil where there is none.
        var firstSeen: [Int64?] = []
        var users = IDTable()
        /// Interactions by user row.
        var counts: [Int] = []

        enum State {
            case described
            case deleted
            /// Met by users, and unknown to the catalogue.
            case bare
        }

        /// The row that an item is learned as: its own, or that of its group; nil where it is not known.
        func knownItem(_ id: String) -> Int32? {
            members.count == 0 ? items.knownRow(of: id) : members.knownRow(of: id).map { memberRows[Int($0)] } ?? items.knownRow(of: id)
        }

        mutating func add(_ record: ItemRecord, _ state: State, firstSeen time: EventTime? = nil, members ids: [String] = []) {
            for id in ids where members.row(of: id) == memberRows.count { memberRows.append(Int32(records.count)) }
            _ = items.row(of: record.itemID)
            records.append(record)
            states.append(state)
            firstSeen.append(time?.milliseconds)
        }
    }

    /// Writes the file at `path`, with scratch files beside it.
    ///
    /// - Parameters:
    ///   - isStopped: asked now and then; where it says so the export ends with a failure.
    ///   - progress: hears how many interactions were read.
    package func write(
        to path: String, until: EventTime?, isStopped: () -> Bool = { false }, progress: (Int) -> Void
    ) throws -> Summary {
        let snapshot = try TrainingSnapshot(
            url: url, rates: settings.rates, base: settings.currencyBase, until: until)
        var rows = Rows()
        // Known to the catalogue and published later than what is read: here such an item has an id and no content.
        var later: Set<String> = []
        try snapshot.forEachItem { (item) throws(StoreError) in
            // With --as-of, what was published later was not there yet.
            let members = item.variants.map(\.record.itemID)
            if item.isDeleted {
                rows.add(ItemRecord(itemID: item.record.itemID), .deleted, firstSeen: item.firstSeen, members: members)
            } else if until == nil || (item.record.publishedAt?.milliseconds ?? .min) <= until?.milliseconds ?? .max {
                rows.add(item.record, .described, firstSeen: item.firstSeen, members: members)
            } else {
                later.formUnion(members.isEmpty ? [item.record.itemID] : members)
            }
        }
        try ColumnFile.makeFolder(of: path)
        let sorter = try EventSorter(path: path)
        var declined = DeclinedItems(limitEntries: settings.impressionsLimit)
        try read(snapshot, until: until, into: sorter, &rows, &declined, isStopped: isStopped, progress: progress)
        var impressions = try impressions(snapshot, until: until, rows)
        declined.append(to: &impressions, users: rows.users, item: rows.knownItem)

        let itemOrder = rows.items.sortedRows().filter { rows.states[Int($0)] != .deleted }, userOrder = rows.users.sortedRows()
        let maxPerUser = settings.maxInteractionsPerUser
        var sorterStarts = [0], starts = [0]
        for user in userOrder {
            let count = rows.counts[Int(user)]
            sorterStarts.append(sorterStarts[sorterStarts.count - 1] + count)
            starts.append(starts[starts.count - 1] + min(count, maxPerUser))
        }
        defer { TrainingFileWriter.removePartial(of: path) }
        var writer = try TrainingFileWriter(path: path, userStarts: starts)
        var newRows: [Int] = [], written = 0
        try sorter.forEachUser(
            starts: sorterStarts, users: Self.inverse(userOrder, count: rows.users.count),
            items: Self.inverse(itemOrder, count: rows.items.count)
        ) { _, events in
            if isStopped() { throw Self.stopped }
            // What a user has beyond the bound is dropped, oldest first.
            for event in events.suffix(maxPerUser) {
                if event.type & Self.newMark != 0 { newRows.append(written) }
                written += 1
                try writer.append(item: event.item, type: UInt8(truncatingIfNeeded: event.type), time: event.time, amount: event.amount)
            }
        }
        try writer.finish(
            items: itemOrder.map { rows.records[Int($0)] }, arrivals: Arrivals.of(rows.firstSeen, now: .now, order: itemOrder),
            users: try users(snapshot, order: userOrder, rows),
            watermark: Self.json(
                snapshot.watermark, until: until, amounts: snapshot.amounts, returns: try snapshot.returns(until: until)),
            newRows: newRows,
            impressions: impressions.renumbered(
                users: Self.inverse(userOrder, count: rows.users.count), items: Self.inverse(itemOrder, count: rows.items.count)))
        return Summary(
            interactions: starts[starts.count - 1],
            itemsWithoutRecord: itemOrder.filter { rows.states[Int($0)] == .bare }.map { rows.items.id(Int($0)) }
                .filter { !later.contains($0) },
            ratings: settings.ratings.isNeeded ? nil : try ratings(snapshot, until: until))
    }

    /// What the ratings of the newest events look like.
    private func ratings(_ snapshot: TrainingSnapshot, until: EventTime?) throws -> RatingLook {
        var found: [Double?] = []
        try snapshot.forEachNewestContext(limit: RatingLook.limitEvents, until: until) { (context) throws(StoreError) in
            found.append(context.flatMap { Interaction.rating(inContext: String(decoding: $0, as: UTF8.self)) })
        }
        return RatingLook(found)
    }

    /// What was shown last to users and of items that the log knows.
    private func impressions(_ snapshot: TrainingSnapshot, until: EventTime?, _ rows: Rows) throws -> ImpressionColumns {
        var columns = ImpressionColumns()
        try snapshot.forEachImpression(limit: settings.impressionsLimit, until: until) { (shown) throws(StoreError) in
            guard let user = rows.users.knownRow(of: String(decoding: shown.userID, as: UTF8.self)),
                let item = rows.knownItem(String(decoding: shown.itemID, as: UTF8.self))
            else { return }
            columns.append(
                user: user, item: item, time: shown.time.milliseconds, outcomes: shown.outcomes, amount: max(shown.amountMinor, 0))
        }
        return columns
    }

    private static let stopped = TrainingFileFailure("stopped while interactions were read; start again")

    private func read(
        _ snapshot: TrainingSnapshot, until: EventTime?, into sorter: EventSorter, _ rows: inout Rows, _ declined: inout DeclinedItems,
        isStopped: () -> Bool, progress: (Int) -> Void
    ) throws {
        let ratings = settings.ratings
        // The snapshot passes on the store's errors only; another one is kept until it is out.
        var failure: (any Error)?
        do {
            try snapshot.forEachEvent(until: until, withContext: ratings.isNeeded, seen: seen) { (event) throws(StoreError) in
                if ratings.isNeeded, let context = event.context,
                    let rating = Interaction.rating(inContext: String(decoding: context, as: UTF8.self)), rating < ratings.positiveFrom
                {
                    if ratings.declinedBelow != 0, rating < ratings.declinedBelow {
                        declined.add(
                            user: String(decoding: event.userID, as: UTF8.self), item: String(decoding: event.itemID, as: UTF8.self),
                            time: event.time)
                    }
                    return
                }
                let item = rows.members.count == 0 ? nil : rows.members.knownRow(of: event.itemID).map { rows.memberRows[Int($0)] }
                let row = item ?? rows.items.row(of: event.itemID)
                if Int(row) == rows.records.count {
                    // An item without a record can still be learned from; it has an id and no content.
                    rows.records.append(ItemRecord(itemID: rows.items.id(Int(row))))
                    rows.states.append(.bare)
                    rows.firstSeen.append(nil)
                }
                guard rows.states[Int(row)] != .deleted else { return }
                let user = rows.users.row(of: event.userID)
                if Int(user) == rows.counts.count { rows.counts.append(0) }
                rows.counts[Int(user)] += 1
                do {
                    try sorter.append(
                        EventRecord(
                            time: event.time.milliseconds, offset: event.position.offset, user: user, item: row,
                            partition: event.position.partition,
                            type: Int32(event.type) | (seen != nil && event.isNew ? Self.newMark : 0),
                            amount: event.amountMinor.map { max($0, 0) } ?? -1))
                    guard sorter.count.isMultiple(of: 10_000) else { return }
                    progress(sorter.count)
                    if isStopped() { throw Self.stopped }
                } catch {
                    failure = error
                    throw StoreError(.closed, "the export was ended")
                }
            }
        } catch {
            throw failure ?? error
        }
    }

    /// A record of each user in the new order; those who sent none have an id alone.
    private func users(_ snapshot: TrainingSnapshot, order: [Int32], _ rows: Rows) throws -> [UserRecord] {
        var users = order.map { UserRecord(userID: rows.users.id(Int($0))) }
        let newRows = Self.inverse(order, count: rows.users.count)
        try snapshot.forEachUser { (record) throws(StoreError) in
            if let row = rows.users.knownRow(of: record.userID) { users[Int(newRows[Int(row)])] = record }
        }
        return users
    }

    /// Old row → place in `order`, −1 for rows that are not in it.
    private static func inverse(_ order: [Int32], count: Int) -> [Int32] {
        var places = [Int32](repeating: -1, count: count)
        for (place, row) in order.enumerated() { places[Int(row)] = Int32(place) }
        return places
    }

    /// The watermark as a JSON object, as the registry keeps it.
    package static func json(
        _ watermark: TrainingWatermark, until: EventTime?, amounts: OrderAmounts? = nil, returns: ReturnTally = ReturnTally()
    ) -> String {
        JSONWriter.object { object in
            object.field("snapshot", watermark.snapshot)
            if let newest = [watermark.newestEventTime, until].compactMap({ $0 }).min(), watermark.newestEventTime != nil {
                object.field("newest_event_time", newest)
                object.field("newest_event_ms", newest.milliseconds)
            }
            object.key("offsets")
            object.array { array in
                for offset in watermark.offsets {
                    guard let next = offset.nextOffset else { continue }
                    array.object { object in
                        object.field("topic", offset.topic)
                        object.field("partition", offset.partition)
                        object.field("next_offset", next)
                    }
                }
            }
            amounts?.write(to: &object)
            if returns.returns > 0 {
                object.field("returns", returns.returns)
                object.field("returns_left_over", returns.sentence ?? "")
            }
        }
    }
}

extension OrderAmounts {
    /// Writes what was found as members of a watermark.
    fileprivate func write(to object: inout JSONWriter) {
        func words(_ shares: [Share]) -> String { shares.map { "\($0.count) in \($0.currency)" }.joined(separator: ", ") }
        object.field("order_currency", orders.currency)
        object.field("price_currency", prices.currency)
        object.field("orders_with_amount", countedOrders)
        object.field("orders_left_out", words(leftOutOrders))
        object.field("prices_left_out", words(leftOutPrices))
    }
}
