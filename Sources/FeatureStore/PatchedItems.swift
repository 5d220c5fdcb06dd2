import Interactions

/// Merges what a batch says of items field by field with what is stored, in a transaction that holds the lock of the catalogue.
struct PatchedItems {
    /// An item as it is to be written.
    struct Row {
        var state: RecordState<ItemRecord>
        /// The fields that are not what they were; all of a new row.
        var changed: PatchedFields
        var isNew: Bool
        /// Whether nothing changed but what changes by the hour: price, stock, and whether it may be shown.
        var isLight: Bool

        var isDeleted: Bool { if case .deleted = state.base { true } else { false } }
    }

    /// What is written.
    private(set) var rows: [Row] = []
    /// What could not be taken, and what waits no longer.
    private(set) var letters: [RejectedRecord] = []

    private static let lightFields: PatchedFields = ["price", "currency", "hidden", "available_from", "available_until", "stock"]
        .reduce(into: []) { $0.formUnion(ItemRecord.patchPlaces[$1].map(PatchedFields.init(place:)) ?? []) }

    /// Of the items in `staged_items` those that whole records cannot replace as they are: they are patched, or patches wait for them.
    static func among(_ connection: Connection) throws(StoreError) -> [String] {
        let rows = try connection.run(
            """
            select s.item_id from staged_items s
            where (select exists (select from items where field_times is not null) or exists (select from waiting_patches))
                and (exists (select from items i where i.item_id = s.item_id and i.field_times is not null)
                    or exists (select from waiting_patches w where w.item_id = s.item_id))
            """)
        return (0..<rows.count).compactMap { rows.string($0, 0) }
    }

    /// Merges; nothing of items is written yet, of waiting patches everything.
    init(_ changes: ItemChanges, _ rules: PatchRules, now: EventTime, _ connection: Connection) throws(StoreError) {
        let ids = changes.states.keys.sorted()
        if ids.isEmpty { return }
        var stored = try Self.stored(ids.filter { changes.states[$0].map { !$0.needsAttributes } ?? false }, .times, connection)
        let others = ids.filter { changes.states[$0]?.needsAttributes ?? false }
        let deleted = others.filter { if case .deleted = changes.states[$0]?.base { true } else { false } }
        stored.merge(try Self.stored(deleted, .everything, connection)) { $1 }
        let gone = Set(deleted)
        stored.merge(try Self.stored(others.filter { !gone.contains($0) }, .attributes, connection)) { $1 }

        var merged: [String: (state: RecordState<ItemRecord>, changed: PatchedFields)] = [:]
        for id in ids {
            guard let change = changes.states[id] else { continue }
            var state = stored[id] ?? RecordState(id: id)
            let changed = state.merge(change, now: now)
            merged[id] = (state, changed)
        }
        let isCreating = rules.unknownItems == .create
        let described = ids.filter { id in
            guard let state = merged[id]?.state else { return false }
            if case .record = state.base { return true }
            return isCreating && state.isWaiting
        }
        try takeWaiting(of: described, into: &merged, now: now, connection)
        try WaitingPatches.remove(
            ids.compactMap { id in if case .deleted(let time) = merged[id]?.state.base { (id, time) } else { nil } }, connection)

        var waiting: [WaitingPatches.Patch] = []
        for id in ids {
            guard var (state, changed) = merged[id] else { continue }
            let before = stored[id]
            if state.overflows { letters += Self.overflowing(changes.patches[id] ?? []) }
            if state.isWaiting, isCreating {
                state.becomeBare()
                if before == nil || state.base != before?.base { changed = .all(of: ItemRecord.self) }
            } else if state.isWaiting {
                waiting += Self.waiting(&state, changes.patches[id] ?? [], before)
            }
            guard state.base != .none else { continue }
            if state.base != before?.base, case .deleted = state.base { changed = .all(of: ItemRecord.self) }
            if state.fill(with: rules.defaultCurrency), let place = ItemRecord.patchPlaces["currency"] {
                changed.insert(PatchedFields(place: place))
            }
            guard before == nil || !changed.isEmpty || state.base != before?.base || state.times != before?.times else { continue }
            rows.append(
                Row(
                    state: state, changed: before == nil ? .all(of: ItemRecord.self) : changed, isNew: before == nil,
                    isLight: before != nil && before?.base == state.base && changed.isSubset(of: Self.lightFields)))
        }
        guard !waiting.isEmpty else { return }
        try WaitingPatches.add(waiting, connection)
        letters += try WaitingPatches.overdue(rules, byAge: false, connection)
    }

    /// Gives items that have a record what waits for them.
    private mutating func takeWaiting(
        of itemIDs: [String], into merged: inout [String: (state: RecordState<ItemRecord>, changed: PatchedFields)], now: EventTime,
        _ connection: Connection
    ) throws(StoreError) {
        for waiting in try WaitingPatches.take(of: itemIDs, connection) {
            let id = waiting.patch.id
            guard var (state, changed) = merged[id] else { continue }
            var later = RecordState<ItemRecord>(id: id)
            later.take(waiting.patch, at: waiting.time, now: now)
            changed.formUnion(state.merge(later, now: now))
            if later.overflows || state.overflows { letters += Self.overflowing([waiting]) }
            merged[id] = (state, changed)
        }
    }

    /// The patches of an item without a record that go on waiting; the state loses them.
    private static func waiting(
        _ state: inout RecordState<ItemRecord>, _ own: [WaitingPatches.Patch], _ before: RecordState<ItemRecord>?
    ) -> [WaitingPatches.Patch] {
        let rest = state.takeWaiting()
        // As they came, where all of them came with this batch.
        guard before?.times.isEmpty ?? true else {
            return rest.map { patch in
                let time = patch.updatedAt ?? .earliestWritable
                // Where they came from is not known any more. As lines of a file each has a place of its own, and can be replayed.
                let position = Position(partition: Position.filePartition, offset: time.milliseconds)
                let origin = RecordOrigin(source: "file:items:patched:\(patch.id)", cluster: "file", position: position, recordTime: time)
                return WaitingPatches.Patch(patch: patch, time: time, origin: origin)
            }
        }
        return own.filter { patch in state.base.time.map { patch.time > $0 } ?? true }
    }

    private static func overflowing(_ patches: [WaitingPatches.Patch]) -> [RejectedRecord] {
        patches.filter(\.patch.touchesAttributes).map { patch in
            WaitingPatches.letter(
                Array(patch.patch.json().utf8), itemID: patch.patch.id, origin: patch.origin,
                Rejection(
                    .tooLarge, field: "attributes",
                    "with it the attributes would be larger than \(RecordState<ItemRecord>.attributesLimitBytes) bytes, or more than "
                        + "\(RecordState<ItemRecord>.membersLimit) of them patched one by one: send the item's whole record"))
        }
    }

    // MARK: Reading

    private enum Depth { case times, attributes, everything }

    /// The items that are stored. Their values are read where a merge needs them: most patches need no text and no vector.
    private static func stored(
        _ itemIDs: [String], _ depth: Depth, _ connection: Connection
    ) throws(StoreError) -> [String: RecordState<ItemRecord>] {
        if itemIDs.isEmpty { return [:] }
        var ids = Parameters()
        ids.add(itemIDs)
        var states: [String: RecordState<ItemRecord>] = [:]
        states.reserveCapacity(itemIDs.count)
        if depth == .everything {
            let rows = try connection.run("select \(StoreQueries.itemFields), field_times from items where item_id = any($1)", ids)
            let last = StoreQueries.itemFields.split(separator: ",").count
            for row in 0..<rows.count {
                let item = CatalogueItem(rows, row)
                states[item.record.itemID] = state(item.record, item.record.updatedAt, item.isDeleted, times: rows.json(row, last))
            }
            return states
        }
        let attributes = depth == .attributes ? "attributes" : "null::jsonb"
        let rows = try connection.run(
            """
            select item_id, updated_at, deleted, price_micros, currency, \(attributes), field_times
            from items where item_id = any($1)
            """, ids)
        for row in 0..<rows.count {
            var record = ItemRecord(itemID: rows.string(row, 0) ?? "")
            (record.priceMicros, record.currency, record.attributes) = (rows.int64(row, 3), rows.string(row, 4), rows.json(row, 5))
            states[record.itemID] = state(record, rows.time(row, 1), rows.bool(row, 2), times: rows.json(row, 6))
        }
        return states
    }

    private static func state(
        _ record: ItemRecord, _ updatedAt: EventTime?, _ isDeleted: Bool, times: String?
    ) -> RecordState<ItemRecord> {
        let time = updatedAt ?? .earliestWritable
        return RecordState(
            stored: record, base: isDeleted ? .deleted(time) : .record(time), times: FieldTimes(json: times, of: ItemRecord.self))
    }
}
