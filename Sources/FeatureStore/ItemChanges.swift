import Interactions

/// A batch's changes of items: of each item that only whole records and deletions change the newest of these, of each other all of them in
/// the order in which they came.
struct ItemChanges {
    /// A whole record, or a deletion of it.
    struct Whole {
        var record: ItemRecord
        var time: EventTime
        var isDeleted: Bool
    }

    /// Items that are not patched by the batch.
    private(set) var newest: [String: Whole] = [:]
    /// A change of an item by itself.
    struct Step {
        var state: RecordState<ItemRecord>
        /// The patch that it is; nil of a whole record and of a deletion.
        var patch: WaitingPatches.Patch?

        init(_ patch: WaitingPatches.Patch, now: EventTime) {
            (state, self.patch) = (RecordState(id: patch.patch.id), patch)
            state.take(patch.patch, at: patch.time, now: now)
        }

        init(_ change: Whole, now: EventTime) {
            state = RecordState(id: change.record.itemID)
            if change.isDeleted { state.delete(at: change.time, now: now) } else { state.take(change.record, at: change.time, now: now) }
        }
    }

    /// Items that are, or that turned out to be patched before. Each step is merged by itself, so that batches with other borders give the
    /// same rows, and what is too much is one patch.
    private(set) var steps: [String: [Step]] = [:]
    private let now: EventTime

    /// - Parameter now: the moment of the transaction; deletions are cut to it.
    init(_ changes: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)], now: EventTime) {
        self.now = now
        for (change, _) in changes {
            if case .patch(let patch) = change { steps[patch.id] = [] }
        }
        for (change, origin) in changes {
            switch change {
            case .upsert(let record):
                add(Whole(record: record, time: RecordTime.ofRecord(record.updatedAt, origin), isDeleted: false))
            case .delete(let id, let at):
                add(Whole(record: ItemRecord(itemID: id), time: min(RecordTime.ofDeletion(at, origin) ?? now, now), isDeleted: true))
            case .patch(let patch):
                let dated = WaitingPatches.Patch(patch: patch, time: RecordTime.ofRecord(patch.updatedAt, origin), origin: origin)
                steps[patch.id, default: []].append(Step(dated, now: now))
            }
        }
    }

    /// Takes the newer; of equal times the later arrival.
    private mutating func add(_ change: Whole) {
        let id = change.record.itemID
        if steps[id] != nil {
            steps[id, default: []].append(Step(change, now: now))
            return
        }
        // What a clock ahead dated after now does not outlive a deletion that came after it.
        if let known = newest[id], known.time > change.time, !(change.isDeleted && known.time > now) { return }
        newest[id] = change
    }

    /// Moves items to those whose fields are merged with what is stored.
    mutating func merge(_ itemIDs: [String]) {
        for id in itemIDs {
            guard let change = newest.removeValue(forKey: id) else { continue }
            steps[id, default: []].append(Step(change, now: now))
        }
    }
}
