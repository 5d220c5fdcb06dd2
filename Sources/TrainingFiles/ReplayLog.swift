import Console
import ContentModel
import Evaluation
import EventStream
import Features
import FeatureStore
import Interactions
import TowerTraining

/// What a replay walks: the stored interactions, and those of a file where one is named.
package struct ReplayLog {
    /// Where events come from, and how they are read.
    package struct Settings {
        /// `database.url`.
        package var url: String
        /// How amounts of other currencies are compared; nil where there is one currency.
        package var rates: CurrencyRates?
        /// The currency in which amounts are compared; nil for that of most events.
        package var currencyBase: String?
        /// How lines of a file are decoded.
        package var rules: DecodingRules

        /// All of it.
        package init(url: String, rates: CurrencyRates?, currencyBase: String?, rules: DecodingRules) {
            self.url = url
            self.rates = rates
            self.currencyBase = currencyBase
            self.rules = rules
        }
    }

    /// By user row.
    package private(set) var userIDs: [String] = []
    /// By item row.
    package private(set) var itemIDs: [String] = []
    /// By item row, whether it may not be shown.
    package private(set) var isHidden: [Bool] = []
    /// By item row, as the catalogue has it now.
    package private(set) var contents: [ItemContent] = []
    /// By user row: the record's attributes, a JSON object as text.
    package private(set) var attributes: [String?] = []
    /// In the order of time.
    package private(set) var events = ReplayEvents([])
    /// Lines of the file that are no event.
    package private(set) var rejectedLines = 0

    private var userRows: [String: Int32] = [:]
    private var itemRows: [String: Int32] = [:]

    /// A log that is there already. Columns are by row of users and items; events may come in any order of time.
    package init(
        userIDs: [String], attributes: [String?], itemIDs: [String], contents: [ItemContent], isHidden: [Bool], events: [ReplayEvents.Event]
    ) {
        precondition(
            userIDs.count == attributes.count && itemIDs.count == contents.count && itemIDs.count == isHidden.count,
            "columns of users or items differ in length")
        self.userIDs = userIDs
        self.attributes = attributes
        self.itemIDs = itemIDs
        self.contents = contents
        self.isHidden = isHidden
        self.events = ReplayEvents(events)
        userRows = Dictionary(userIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        itemRows = Dictionary(itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    }

    /// Reads one consistent moment of the store. With a file, stored events after `start` are left out: the file is what happens
    /// then.
    package init(_ settings: Settings, start: EventTime, file: String?) throws {
        let snapshot = try TrainingSnapshot(
            url: settings.url, rates: settings.rates, base: settings.currencyBase, until: file == nil ? nil : start)
        let amounts = snapshot.amounts.orders
        var deleted = Set<String>()
        try snapshot.forEachItem { item in
            if item.isDeleted {
                deleted.formUnion([item.record.itemID] + item.variants.map(\.record.itemID))
            } else {
                let row = row(ofItem: item.record.itemID, isHidden: item.record.hidden)
                contents[Int(row)] = item.record.content
                // Members of a group are learned as one.
                for variant in item.variants { itemRows[variant.record.itemID] = row }
            }
        }
        var found: [Found] = []
        let progress = ProgressLine("read interactions")
        try snapshot.forEachInteraction(until: file == nil ? nil : start) { row in
            guard !deleted.contains(row.itemID) else { return }
            found.append(
                Found(
                    event: ReplayEvents.Event(
                        user: self.row(ofUser: row.userID), item: self.row(ofItem: row.itemID), type: row.type.rawValue,
                        time: row.time.milliseconds, gain: Double(max(0, amounts.minor(row.amountMinor, row.currency) ?? 0))),
                    position: row.position))
            if found.count.isMultiple(of: 10_000) { progress.update(found.count) }
        }
        progress.finish(found.count)
        if let file { try read(file, after: start, rules: settings.rules, amounts: amounts, leavingOut: deleted, into: &found) }
        try snapshot.forEachUser { record in
            if let row = userRows[record.userID] { attributes[Int(row)] = record.attributes }
        }
        found.sort { left, right in
            left.event.time != right.event.time ? left.event.time < right.event.time : left.position < right.position
        }
        events = ReplayEvents(found.map(\.event))
    }

    /// An event with what orders it among those of its time.
    private struct Found {
        var event: ReplayEvents.Event
        var position: Position
    }

    /// Reads events as a backfill would: the same decoding, the same rejections.
    private mutating func read(
        _ path: String, after start: EventTime, rules: DecodingRules, amounts: AmountScale, leavingOut deleted: Set<String>,
        into found: inout [Found]
    ) throws {
        let decoder = RecordDecoder(rules: rules)
        let reader = try LineReader(path: path, maxLineBytes: max(1 << 20, rules.maxRecordBytes * 2))
        let now = EventTime.now
        var accepted = 0, firstReason: String?
        while let line = try reader.next() {
            guard !line.bytes.isEmpty else { continue }
            let origin = RecordOrigin(
                source: path, cluster: "", position: Position(partition: Position.filePartition, offset: line.number))
            let event: Interaction
            switch decoder.interaction(line.bytes, origin: origin, now: now) {
            case .success(let found): event = found
            case .failure(let rejection):
                rejectedLines += 1
                let reason = (rejection.field.map { "\($0) " } ?? "") + rejection.detail
                firstReason = firstReason ?? "line \(line.number + 1): \(reason)"
                continue
            }
            accepted += 1
            guard event.type.isAct, event.time > start, !deleted.contains(event.itemID) else { continue }
            found.append(
                Found(
                    event: ReplayEvents.Event(
                        user: row(ofUser: event.userID), item: row(ofItem: event.itemID), type: event.type.rawValue,
                        time: event.time.milliseconds, gain: Double(max(0, amounts.minor(event.amountMinor, event.currency) ?? 0))),
                    position: event.position))
        }
        if accepted == 0, let firstReason { throw CommandFailure("not one line of \(path) is an event: \(firstReason)") }
    }

    private mutating func row(ofUser id: String) -> Int32 {
        if let row = userRows[id] { return row }
        let row = Int32(userIDs.count)
        userRows[id] = row
        userIDs.append(id)
        attributes.append(nil)
        return row
    }

    private mutating func row(ofItem id: String, isHidden hidden: Bool = false) -> Int32 {
        if let row = itemRows[id] { return row }
        let row = Int32(itemIDs.count)
        itemRows[id] = row
        itemIDs.append(id)
        isHidden.append(hidden)
        contents.append(ItemContent())
        return row
    }

    /// All events as a training reads them, those that are yet to be replayed included.
    package func trainingLog() -> TrainingLog {
        var starts = [Int](repeating: 0, count: userIDs.count + 1)
        for event in events.all { starts[Int(event.user) + 1] += 1 }
        for user in userIDs.indices { starts[user + 1] += starts[user] }
        var next = starts, order = [Int](repeating: 0, count: events.all.count)
        for (place, event) in events.all.enumerated() {
            order[next[Int(event.user)]] = place
            next[Int(event.user)] += 1
        }
        return TrainingLog(
            userIDs: userIDs, itemIDs: itemIDs, contents: contents, isHidden: isHidden,
            attributes: attributes.map { $0.map { JSONText.tokens(ofObject: $0) } ?? [] }, userStarts: starts,
            items: Column(order.map { events.all[$0].item }), types: Column(order.map { events.all[$0].type }),
            times: Column(order.map { events.all[$0].time }),
            amounts: Column(order.map { events.all[$0].gain > 0 ? Int64(events.all[$0].gain) : -1 }),
            impressions: ImpressionColumns())
    }

    /// The row of an item; nil where nothing is known of it.
    package func row(of itemID: String) -> Int32? { itemRows[itemID] }
}
