import Interactions

/// A patch of a user with the time that it counts by.
struct UserPatch {
    var patch: RecordPatch<UserRecord>
    var time: EventTime
    var origin: RecordOrigin
    /// Its place among the changes of its batch.
    var place: Int
}

/// Merges what is said of users field by field with what is stored.
///
/// No patch of a user waits: who has no record has one as soon as something is stated of them, since nothing in it is needed.
enum PatchedUsers {
    /// SQL: the columns that ``UserRecord`` is read from, and then ``FieldTimes``.
    private static let columns = "user_id, attributes, aliases, updated_at, field_times"

    /// Of these users those that are patched.
    static func among(_ userIDs: [String], _ connection: Connection) throws(StoreError) -> Set<String> {
        var ids = Parameters()
        ids.add(userIDs)
        let rows = try connection.run("select user_id from users where user_id = any($1) and field_times is not null", ids)
        return Set((0..<rows.count).compactMap { rows.string($0, 0) })
    }

    /// Merges records and patches in the open transaction; returns whose rows changed.
    ///
    /// Each is merged by itself in the order in which they came, so that batches with other borders give the same rows, and what is too
    /// much is one patch.
    /// - Parameter letters: gets the patches whose attributes are not taken.
    static func write(
        _ records: [(record: UserRecord, time: EventTime, place: Int)], _ patches: [UserPatch], ledger: ErasureLedger,
        _ connection: Connection, letters: inout [RejectedRecord]
    ) throws(StoreError) -> Set<String> {
        let now = try connection.run("select now()").time(0, 0) ?? EventTime(milliseconds: DatabaseTime.latest)
        var steps: [String: [(state: RecordState<UserRecord>, patch: UserPatch?, place: Int)]] = [:]
        for (record, time, place) in records {
            var state = RecordState<UserRecord>(id: record.id)
            state.take(record.without(ledger, at: time), at: time, now: now)
            steps[record.id, default: []].append((state, nil, place))
        }
        for patch in patches {
            // Nor does a patch bring back the id of somebody who was erased after it was written.
            var state = RecordState<UserRecord>(id: patch.patch.id)
            state.take(patch.patch, at: patch.time, now: now)
            state.correct { $0 = $0.without(ledger, at: patch.time) }
            steps[patch.patch.id, default: []].append((state, patch, patch.place))
        }
        let ids = steps.keys.sorted()
        let stored = try stored(ids, connection)
        var rows: [RecordState<UserRecord>] = []
        for id in ids {
            var state = stored[id] ?? RecordState(id: id)
            let before = state
            for step in (steps[id] ?? []).sorted(by: { $0.place < $1.place }) {
                state.merge(step.state, now: now)
                guard state.takeOverflow(), let patch = step.patch else { continue }
                letters.append(TooLargePatch.letter(patch.patch, at: patch.time, origin: patch.origin))
            }
            state.becomeBare()
            if state != before, state.base != .none { rows.append(state) }
        }
        return try write(rows, known: Set(stored.keys), connection)
    }

    /// Of rows that an erasure took, keeps what patches stated after it.
    ///
    /// - Parameter removed: the rows as the columns say that this type reads.
    static func keepLater(
        than erasures: [(userID: String, erasedAt: EventTime)], of removed: QueryResult, _ connection: Connection
    ) throws(StoreError) {
        var kept: [RecordState<UserRecord>] = []
        for row in 0..<removed.count {
            guard !removed.isNull(row, 4) else { continue }
            var state = state(removed, row)
            guard let erasedAt = erasures.first(where: { $0.userID == state.id })?.erasedAt else { continue }
            let now = try connection.run("select now()").time(0, 0) ?? erasedAt
            state.delete(at: erasedAt, now: now)
            guard state.isWaiting else { continue }
            state.becomeBare()
            kept.append(state)
        }
        _ = try write(kept, known: [], connection)
    }

    private static func stored(_ userIDs: [String], _ connection: Connection) throws(StoreError) -> [String: RecordState<UserRecord>] {
        var ids = Parameters()
        ids.add(userIDs)
        let rows = try connection.run("select \(columns) from users where user_id = any($1) order by user_id for update", ids)
        var states: [String: RecordState<UserRecord>] = [:]
        for row in 0..<rows.count {
            let state = state(rows, row)
            states[state.id] = state
        }
        return states
    }

    private static func state(_ rows: QueryResult, _ row: Int) -> RecordState<UserRecord> {
        let record = UserRecord(userID: rows.string(row, 0) ?? "", attributes: rows.json(row, 1), aliases: rows.strings(row, 2))
        return RecordState(
            stored: record, base: .record(rows.time(row, 3) ?? .earliestWritable),
            times: FieldTimes(json: rows.json(row, 4), of: UserRecord.self))
    }

    /// - Parameter known: whose rows this transaction has locked.
    private static func write(
        _ states: [RecordState<UserRecord>], known: Set<String>, _ connection: Connection
    ) throws(StoreError) -> Set<String> {
        for part in Parameters.parts(of: states.count, bytes: { (states[$0].values.attributes?.utf8.count ?? 0) + 1_024 }) {
            let part = Array(states[part])
            var rows = Parameters()
            rows.add(count: part.count, text: { part[$0].id })
            rows.add(count: part.count, text: { part[$0].values.attributes })
            rows.add(count: part.count, text: { "[" + part[$0].values.aliases.map(JSONText.quoted).joined(separator: ",") + "]" })
            rows.add(count: part.count, time: { part[$0].base.time ?? .earliestWritable })
            rows.add(count: part.count, text: { part[$0].times.json(of: UserRecord.self) })
            rows.add(part.filter { known.contains($0.id) }.map(\.id))
            let written = try connection.run(
                """
                insert into users as t (user_id, attributes, aliases, updated_at, field_times)
                select n.user_id, n.attributes::jsonb, \(IdentityWriter.aliases(of: "n.user_id", record: "n.aliases")), n.updated_at,
                    n.field_times::jsonb
                from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
                    n(user_id, attributes, aliases, updated_at, field_times)
                on conflict (user_id) do update
                set attributes = excluded.attributes, aliases = excluded.aliases, updated_at = excluded.updated_at,
                    field_times = excluded.field_times
                where t.user_id = any($6)
                """, rows
            ).affected
            guard written == part.count else {
                throw StoreError(
                    .serialization, isRetriable: true,
                    "\(connection.place): another consumer stored a user meanwhile; they are merged in a second attempt")
            }
        }
        return Set(states.map(\.id))
    }
}

extension UserRecord {
    /// The record without other ids of people who were erased after it was written.
    fileprivate func without(_ ledger: ErasureLedger, at time: EventTime) -> UserRecord {
        var record = self
        record.aliases.removeAll { ledger.covers($0, time) }
        return record
    }
}
