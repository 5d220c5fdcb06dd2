import Interactions

/// What a consumer knows of wishes against personalisation, so that a commit asks only for new ones.
///
/// Read under the lock of ``Erasure``: what holds for an id changes only under the exclusive one, so entries become visible in the order
/// of their ids, and no event of a person is stored beside the wish.
struct WishLedger {
    /// Beyond so many ids the wishes stay in the database and each batch asks for its own.
    static let cachedEntriesLimit = 500_000

    /// What holds for an id of somebody who does not want personalisation, or did not once.
    struct Entry: Equatable {
        var isPersonalised: Bool
        /// What was done up to here is not kept, though it is personalised again.
        var liftedAt: EventTime?
    }

    private var entries: [String: Entry] = [:]
    private var lastID: Int64 = 0
    private var isTooLarge = false

    /// Whether nobody ever said no, as far as the batch at hand is concerned.
    var isEmpty: Bool { entries.isEmpty }

    /// What holds for an id; nil of somebody who never said no.
    subscript(userID: String) -> Entry? { entries.isEmpty ? nil : entries[userID] }

    /// Whether the user of an event may be kept with it.
    func keeps(_ userID: String, at time: EventTime) -> Bool {
        if userID == Interaction.nobody { return false }
        guard let entry = self[userID] else { return true }
        return entry.isPersonalised && entry.liftedAt.map { time > $0 } ?? true
    }

    private static let fields = "user_id, personalised, lifted_at, wish_id"
    private static let isTold = "(not personalised or lifted_at is not null)"

    /// Takes in what was recorded since the last call.
    mutating func refresh(_ connection: Connection, batch: IngestBatch) throws(StoreError) {
        if !isTooLarge {
            var since = Parameters()
            since.add(lastID)
            take(
                try connection.run(
                    "select \(Self.fields) from wishes where wish_id > $1 and \(Self.isTold) order by wish_id limit "
                        + "\(Self.cachedEntriesLimit + 1)", since))
            guard entries.count > Self.cachedEntriesLimit else { return }
            isTooLarge = true
        }
        var ids = Set(batch.interactions.map(\.userID))
        for (change, _) in batch.users {
            if case .upsert(let record) = change { ids.formUnion([record.userID] + record.aliases) }
        }
        for (identity, _) in batch.identities { ids.formUnion([identity.userID, identity.alias]) }
        entries.removeAll(keepingCapacity: true)
        var wanted = Parameters()
        wanted.add(Array(ids))
        take(try connection.run("select \(Self.fields) from wishes where user_id = any($1) and \(Self.isTold)", wanted))
    }

    private mutating func take(_ rows: QueryResult) {
        for row in 0..<rows.count {
            guard let userID = rows.string(row, 0) else { continue }
            entries[userID] = Entry(isPersonalised: rows.bool(row, 1), liftedAt: rows.time(row, 2))
            lastID = max(lastID, rows.int64(row, 3) ?? 0)
        }
    }
}
