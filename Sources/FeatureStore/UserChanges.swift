import Interactions

/// A batch's changes of users, resolved: the newest record of each id, and the latest deletion of each id.
struct UserChanges {
    private var records: [(record: UserRecord, time: EventTime)] = []
    /// Who is erased, and up to when.
    private(set) var deletions: [(userID: String, erasedAt: EventTime?)] = []

    init(_ changes: [(change: RecordChange<UserRecord>, origin: RecordOrigin)]) {
        var newest: [String: (record: UserRecord, time: EventTime)] = [:]
        var erased: [String: EventTime?] = [:]
        for (change, origin) in changes {
            switch change {
            case .upsert(let record):
                let time = changeTime(record.updatedAt, origin)
                if let known = newest[record.userID], known.time > time { continue }
                newest[record.userID] = (record, time)
            case .delete(let id, let at):
                // A deletion that no source dates counts from its commit: it asks that nothing be kept.
                let time = at ?? origin.recordTime
                if let known = erased[id], let known, let time, known > time { continue }
                if case .some(.none) = erased[id] { continue }
                erased[id] = .some(time)
            }
        }
        records = newest.values.sorted { $0.record.userID < $1.record.userID }
        deletions = erased.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    /// Writes the records that are newer than what is stored and than an erasure of their user.
    func write(_ connection: Connection, ledger: ErasureLedger, _ summary: inout IngestSummary) throws(StoreError) {
        let kept = records.filter { !ledger.covers($0.record.userID, $0.time) }
        summary.erased += records.count - kept.count
        summary.usersChanged += deletions.count
        if kept.isEmpty { return }
        var rows = Parameters()
        rows.add(count: kept.count, text: { kept[$0].record.userID })
        rows.add(count: kept.count, text: { kept[$0].record.attributes })
        // Lists of different lengths do not fit one array: they travel as JSON.
        rows.add(count: kept.count, text: { "[" + kept[$0].record.aliases.map(JSONText.quoted).joined(separator: ",") + "]" })
        rows.add(count: kept.count, time: { kept[$0].time })
        summary.usersChanged += try connection.run(
            """
            insert into users as t (user_id, attributes, aliases, updated_at)
            select n.user_id, n.attributes::jsonb, array(select jsonb_array_elements_text(n.aliases::jsonb)), n.updated_at
            from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) n(user_id, attributes, aliases, updated_at)
            on conflict (user_id) do update
            set attributes = excluded.attributes, aliases = excluded.aliases, updated_at = excluded.updated_at
            where t.updated_at <= excluded.updated_at
            """, rows
        ).affected
    }
}
