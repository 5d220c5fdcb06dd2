/// Rows of `user_features` as this consumer wrote them last, so that the next batch need not read them.
///
/// A stale row does no harm: it is written only where the table still holds the version that is cached here. A row is taken
/// out to be changed, in place, and kept again once its transaction is committed; after a failure it is read anew.
struct UserRowCache {
    /// What is kept at most: history entries of about 64 bytes, so 64 MiB.
    static let historyEntriesLimit = 1_000_000
    private static let rowOverheadEntries = 6
    private static let bytesPerEntry = 64

    private struct Slot {
        var row: UserFeatureRow?
        var entries = 0
        /// Whether the row was used since the last sweep.
        var isRecent = false
    }

    private var indices: [String: Int] = [:]
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var entries = 0

    /// Takes the row of a user out, with the slot to keep it in again.
    mutating func take(_ userID: String) -> UserFeatureRow? {
        guard let index = indices[userID] else { return nil }
        entries -= slots[index].entries
        slots[index].entries = 0
        slots[index].isRecent = true
        guard var row = slots[index].row.take() else { return nil }
        row.cacheSlot = index
        return row
    }

    /// Keeps a row.
    mutating func keep(_ row: consuming UserFeatureRow) {
        var index = row.cacheSlot ?? indices[row.userID]
        if let slot = index, indices[row.userID] != slot { index = nil }
        let place: Int
        if let index {
            place = index
        } else {
            place = free.popLast() ?? slots.count
            if place == slots.count { slots.append(Slot()) }
            indices[row.userID] = place
        }
        let size = row.history.entries.count + Self.rowOverheadEntries + (row.metItems?.count ?? 0) / Self.bytesPerEntry
        entries += size - slots[place].entries
        slots[place] = Slot(row: row, entries: size, isRecent: true)
        if entries > Self.historyEntriesLimit { sweep() }
    }

    /// Lets the rows go that were not used since the last sweep; all of them when that does not free a quarter.
    private mutating func sweep() {
        for (userID, index) in indices where !slots[index].isRecent {
            entries -= slots[index].entries
            slots[index] = Slot()
            free.append(index)
            indices[userID] = nil
        }
        for index in slots.indices { slots[index].isRecent = false }
        if entries > Self.historyEntriesLimit / 4 * 3 { self = UserRowCache() }
    }
}
