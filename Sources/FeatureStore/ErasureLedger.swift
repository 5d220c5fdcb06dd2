import Interactions

/// What a consumer knows of the ledger of erasures, so that a commit asks only for new entries.
///
/// Read under the lock of ``Erasure``: entries become visible in the order of their ids.
struct ErasureLedger {
    /// Beyond so many erased users the ledger stays in the database and each batch asks for its own users.
    static let cachedEntriesLimit = 500_000

    private var erasedAt: [String: EventTime] = [:]
    private var lastID: Int64 = 0
    private var isTooLarge = false

    var isEmpty: Bool { erasedAt.isEmpty }

    /// Whether something that the user did or sent at `time` must not be kept.
    func covers(_ userID: String, _ time: EventTime) -> Bool {
        guard let erased = erasedAt[userID] else { return false }
        return time <= erased
    }

    /// Up to when the user is erased, where that covers `time`.
    func erased(_ userID: String, at time: EventTime) -> EventTime? { covers(userID, time) ? erasedAt[userID] : nil }

    /// SQL: up to when a user is erased. Older versions took times ahead as they came: such an entry counts from its recording.
    static let field = "least(erased_at, recorded_at + \(RecordTime.believedAhead))"

    /// Takes in what was recorded since the last call.
    mutating func refresh(_ connection: Connection, batch: IngestBatch) throws(StoreError) {
        if isTooLarge {
            try readUsers(of: batch, connection)
            return
        }
        var since = Parameters()
        since.add(lastID)
        let rows = try connection.run(
            "select user_id, \(Self.field), erasure_id from erasures where erasure_id > $1 order by erasure_id limit "
                + "\(Self.cachedEntriesLimit + 1)",
            since)
        for row in 0..<rows.count {
            guard let userID = rows.string(row, 0), let time = rows.time(row, 1) else { continue }
            erasedAt[userID] = time
            lastID = rows.int64(row, 2) ?? lastID
        }
        if erasedAt.count > Self.cachedEntriesLimit {
            isTooLarge = true
            try readUsers(of: batch, connection)
        }
    }

    private mutating func readUsers(of batch: IngestBatch, _ connection: Connection) throws(StoreError) {
        var ids = Set(batch.interactions.map(\.userID))
        for (change, _) in batch.users {
            if case .upsert(let record) = change { ids.formUnion([record.userID] + record.aliases) }
            if case .patch(let patch) = change { ids.formUnion([patch.id] + patch.values.aliases) }
        }
        for (record, _) in batch.unstoredUsers { ids.formUnion([record.userID] + record.aliases) }
        for (identity, _) in batch.identities { ids.formUnion([identity.userID, identity.alias]) }
        for rejection in batch.rejections {
            for id in [rejection.key, rejection.userID] { if let id { ids.insert(String(decoding: id, as: UTF8.self)) } }
        }
        var wanted = Parameters()
        wanted.add(Array(ids))
        let rows = try connection.run("select user_id, \(Self.field) from erasures where user_id = any($1)", wanted)
        erasedAt.removeAll(keepingCapacity: true)
        for row in 0..<rows.count {
            if let userID = rows.string(row, 0), let time = rows.time(row, 1) { erasedAt[userID] = time }
        }
    }
}
