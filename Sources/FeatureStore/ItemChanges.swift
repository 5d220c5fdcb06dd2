import Interactions

/// A batch's changes of items, resolved: of each item that only whole records and deletions change the newest of these, of each other the
/// state that all its changes together make.
struct ItemChanges {
    /// A whole record, or a deletion of it.
    struct Whole {
        var record: ItemRecord
        var time: EventTime
        var isDeleted: Bool
    }

    /// Items that are not patched by the batch.
    private(set) var newest: [String: Whole] = [:]
    /// Items that are, or that turned out to be patched before.
    private(set) var states: [String: RecordState<ItemRecord>] = [:]
    /// The patches of these items as they came.
    private(set) var patches: [String: [WaitingPatches.Patch]] = [:]
    private let now: EventTime

    /// - Parameter now: the moment of the transaction; deletions are cut to it.
    init(_ changes: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)], now: EventTime) {
        self.now = now
        for (change, origin) in changes {
            guard case .patch(let patch) = change else { continue }
            patches[patch.id, default: []].append(
                WaitingPatches.Patch(patch: patch, time: RecordTime.ofRecord(patch.updatedAt, origin), origin: origin))
        }
        for (change, origin) in changes {
            switch change {
            case .upsert(let record):
                add(Whole(record: record, time: RecordTime.ofRecord(record.updatedAt, origin), isDeleted: false))
            case .delete(let id, let at):
                add(Whole(record: ItemRecord(itemID: id), time: min(RecordTime.ofDeletion(at, origin) ?? now, now), isDeleted: true))
            case .patch(let patch):
                states[patch.id, default: RecordState(id: patch.id)].take(patch, at: RecordTime.ofRecord(patch.updatedAt, origin), now: now)
            }
        }
    }

    /// Takes the newer; of equal times the later arrival.
    private mutating func add(_ change: Whole) {
        let id = change.record.itemID
        if patches[id] != nil { return states[id, default: RecordState(id: id)].take(change, now: now) }
        // What a clock ahead dated after now does not outlive a deletion that came after it.
        if let known = newest[id], known.time > change.time, !(change.isDeleted && known.time > now) { return }
        newest[id] = change
    }

    /// Moves items to those whose fields are merged with what is stored.
    mutating func merge(_ itemIDs: [String]) {
        for id in itemIDs {
            guard let change = newest.removeValue(forKey: id) else { continue }
            states[id, default: RecordState(id: id)].take(change, now: now)
        }
    }
}

extension RecordState<ItemRecord> {
    fileprivate mutating func take(_ change: ItemChanges.Whole, now: EventTime) {
        if change.isDeleted { delete(at: change.time, now: now) } else { take(change.record, at: change.time, now: now) }
    }
}
