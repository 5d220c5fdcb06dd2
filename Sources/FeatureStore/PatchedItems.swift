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
        let ids = changes.steps.keys.sorted()
        if ids.isEmpty { return }
        let stored = try Self.stored(changes.steps, connection)
        var merged: [String: Merged] = [:]
        for id in ids { merged[id] = Merged(stored[id] ?? RecordState(id: id), changes.steps[id] ?? [], now: now) }
        let isCreating = rules.unknownItems == .create
        let described = ids.filter { id in
            guard let state = merged[id]?.state else { return false }
            if case .record = state.base { return true }
            return isCreating && state.isWaiting
        }
        let waited = Dictionary(grouping: try WaitingPatches.take(of: described, connection), by: \.patch.id)
        for (id, waiting) in waited {
            merged[id] = Merged(
                stored[id] ?? RecordState(id: id), changes.steps[id] ?? [],
                waiting: waiting.map { ItemChanges.Step($0, now: now) }, now: now)
        }
        try WaitingPatches.remove(
            ids.compactMap { id in if case .deleted(let time) = merged[id]?.state.base { (id, time) } else { nil } }, connection)

        var waiting: [WaitingPatches.Patch] = []
        for id in ids {
            guard var state = merged[id]?.state, var changed = merged[id]?.changed, var tooLarge = merged[id]?.tooLarge else { continue }
            let before = stored[id]
            if state.isWaiting, isCreating {
                state.becomeBare()
                if before == nil || state.base != before?.base { changed = .all(of: ItemRecord.self) }
            } else if state.isWaiting {
                let steps = changes.steps[id] ?? []
                let own = Self.waiting(&state, steps, before)
                waiting += own.patches
                // What waits is held to the bounds with the record; what breaks them alone does not wait.
                if own.areAsTheyCame { tooLarge = steps.filter(\.state.overflows).compactMap(\.patch) }
            }
            letters += tooLarge.map { TooLargePatch.letter($0.patch, at: $0.time, origin: $0.origin) }
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

    /// An item with what a batch says of it.
    private struct Merged {
        var state: RecordState<ItemRecord>
        /// The fields that are not what they were.
        var changed: PatchedFields = []
        /// Patches whose attributes were not taken.
        var tooLarge: [WaitingPatches.Patch] = []

        /// - Parameter waiting: what came before and waited for the record; it counts as soon as that is there.
        init(_ stored: RecordState<ItemRecord>, _ steps: [ItemChanges.Step], waiting: [ItemChanges.Step] = [], now: EventTime) {
            state = stored
            var waiting = waiting
            for step in steps {
                merge(step, now: now)
                guard !waiting.isEmpty, case .record = state.base else { continue }
                for step in waiting { merge(step, now: now) }
                waiting = []
            }
            for step in waiting { merge(step, now: now) }
        }

        private mutating func merge(_ step: ItemChanges.Step, now: EventTime) {
            changed.formUnion(state.merge(step.state, now: now))
            if state.takeOverflow(), let patch = step.patch { tooLarge.append(patch) }
        }
    }

    /// The patches of an item without a record that go on waiting, and whether they are as they came; the state loses them.
    private static func waiting(
        _ state: inout RecordState<ItemRecord>, _ steps: [ItemChanges.Step], _ before: RecordState<ItemRecord>?
    ) -> (patches: [WaitingPatches.Patch], areAsTheyCame: Bool) {
        let rest = state.takeWaiting()
        // As they came, where all of them came with this batch.
        guard before?.times.isEmpty ?? true else {
            let patches = rest.map { patch in
                let time = patch.updatedAt ?? .earliestWritable
                // Where they came from is not known any more. As lines of a file each has a place of its own, and can be replayed.
                let position = Position(partition: Position.filePartition, offset: time.milliseconds)
                let origin = RecordOrigin(source: "file:items:patched:\(patch.id)", cluster: "file", position: position, recordTime: time)
                return WaitingPatches.Patch(patch: patch, time: time, origin: origin)
            }
            return (patches, false)
        }
        let patches = steps.compactMap { step -> WaitingPatches.Patch? in
            guard var patch = step.patch, state.base.time.map({ patch.time > $0 }) ?? true else { return nil }
            if step.state.overflows { patch.patch = patch.patch.withoutAttributes }
            return patch.patch.isEmpty ? nil : patch
        }
        return (patches, true)
    }

    // MARK: Reading

    private enum Depth { case times, attributes, everything }

    private static func stored(
        _ steps: [String: [ItemChanges.Step]], _ connection: Connection
    ) throws(StoreError) -> [String: RecordState<ItemRecord>] {
        var ids: [Depth: [String]] = [:]
        for (id, steps) in steps {
            let isDeleted = steps.contains { if case .deleted = $0.state.base { true } else { false } }
            let depth: Depth = isDeleted ? .everything : steps.contains(where: \.state.needsAttributes) ? .attributes : .times
            ids[depth, default: []].append(id)
        }
        var stored: [String: RecordState<ItemRecord>] = [:]
        for (depth, ids) in ids { stored.merge(try Self.stored(ids.sorted(), depth, connection)) { $1 } }
        return stored
    }

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
