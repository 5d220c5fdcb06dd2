import Features
import Interactions

/// A batch's changes of users, resolved: the newest record of each id, and the latest deletion of each id.
struct UserChanges {
    /// A record with the time by which it is ordered.
    private struct Dated {
        var record: UserRecord
        var time: EventTime
        /// Its place among the changes of the batch.
        var place = 0
    }

    /// Records that came before the deletion of their user, or whose user is not deleted; then those that came after it.
    private var before: [Dated] = [], after: [Dated] = []
    /// Patches in the same two parts, in their order.
    private var patchesBefore: [UserPatch] = [], patchesAfter: [UserPatch] = []
    /// Every record that names other ids of its user, also those that a later one of the batch replaces.
    private var naming: [Dated] = []
    /// Who is erased, and up to when; nil is the moment of the commit.
    private(set) var deletions: [Erasure.Asked] = []
    /// Other ids of erased users that the batch's own records name: stored records need not.
    private var named: [Erasure.Asked] = []
    /// Ids that events joined to users.
    private var identities: [IdentityWriter.Dated] = []
    /// The newest word on personalisation of each record that has one.
    private var wishes: [Wishes.Wish] = []

    /// - Parameter unstored: records that are not to be stored, for the ids that they name.
    init(
        _ changes: [(change: RecordChange<UserRecord>, origin: RecordOrigin)], unstored: [(record: UserRecord, origin: RecordOrigin)] = [],
        identities: [(identity: Identity, origin: RecordOrigin)] = []
    ) {
        var said: [String: Wishes.Wish] = [:]
        func say(_ dated: Dated) {
            let id = dated.record.userID
            guard let wish = dated.record.personalised, said[id].map({ $0.time <= dated.time }) ?? true else { return }
            said[id] = Wishes.Wish(userID: id, isPersonalised: wish, time: dated.time)
        }
        var newest: [String: Dated] = [:], newestAfter = newest
        var erased: [String: EventTime?] = [:]
        for (place, (change, origin)) in changes.enumerated() {
            switch change {
            case .upsert(let record):
                let dated = Dated(record: record, time: RecordTime.ofRecord(record.updatedAt, origin), place: place)
                if !record.aliases.isEmpty { naming.append(dated) }
                say(dated)
                if erased[record.userID] == nil {
                    if let known = newest[record.userID], known.time > dated.time { continue }
                    newest[record.userID] = dated
                } else {
                    if let known = newestAfter[record.userID], known.time > dated.time { continue }
                    newestAfter[record.userID] = dated
                }
            case .patch(let patch):
                // For the ids that it names a patch is a record.
                let time = RecordTime.ofRecord(patch.updatedAt, origin)
                if !patch.values.aliases.isEmpty { naming.append(Dated(record: patch.values, time: time)) }
                say(Dated(record: patch.values, time: time))
                let dated = UserPatch(patch: patch, time: time, origin: origin, place: place)
                if erased[patch.id] == nil { patchesBefore.append(dated) } else { patchesAfter.append(dated) }
            case .delete(let id, let at):
                // A deletion that no source dates counts from its commit: it asks that nothing be kept.
                let time = RecordTime.ofDeletion(at, origin)
                if let known = newestAfter.removeValue(forKey: id), newest[id].map({ $0.time <= known.time }) ?? true { newest[id] = known }
                patchesBefore += patchesAfter.filter { $0.patch.id == id }
                patchesAfter.removeAll { $0.patch.id == id }
                let patched = patchesBefore.filter { $0.patch.id == id }.flatMap(\.patch.values.aliases)
                named += ((newest[id]?.record.aliases ?? []) + patched).map { Erasure.Asked(userID: $0, erasedAt: time) }
                if let known = erased[id], let known, let time, known > time { continue }
                if case .some(.none) = erased[id] { continue }
                erased[id] = .some(time)
            }
        }
        for (record, origin) in unstored where !record.aliases.isEmpty {
            naming.append(Dated(record: record, time: RecordTime.ofRecord(record.updatedAt, origin)))
            if let time = erased[record.userID] { named += record.aliases.map { Erasure.Asked(userID: $0, erasedAt: time) } }
        }
        for (identity, origin) in identities {
            let dated = IdentityWriter.Dated(identity: identity, time: RecordTime.ofRecord(identity.time, origin))
            self.identities.append(dated)
            naming.append(Dated(record: UserRecord(userID: identity.userID, aliases: [identity.alias]), time: dated.time))
        }
        wishes = said.values.sorted { $0.userID < $1.userID }
        before = newest.values.sorted { $0.record.userID < $1.record.userID }
        after = newestAfter.values.sorted { $0.record.userID < $1.record.userID }
        deletions = erased.map { Erasure.Asked(userID: $0.key, erasedAt: $0.value, isPerson: true) }.sorted { $0.userID < $1.userID }
    }

    /// Aliases that records of erased users name: an older record that comes late tells of ids that the erasure should have known.
    func lateAliases(_ ledger: ErasureLedger) -> [Erasure.Asked] {
        if ledger.isEmpty { return [] }
        return naming.flatMap { dated -> [Erasure.Asked] in
            guard let erased = ledger.erased(dated.record.userID, at: dated.time) else { return [] }
            return dated.record.aliases.filter { ledger.erased($0, at: erased) == nil }.map { Erasure.Asked(userID: $0, erasedAt: erased) }
        }
    }

    /// Whether the batch may change what holds for an id: see ``Wishes``.
    func mayChangeWishes(_ ledger: WishLedger) -> Bool { Wishes.mayChange(wishes, joined: joined, ledger) }

    /// Ids that the batch names as those of one person, the user's own first.
    private var joined: [[String]] { naming.map { [$0.record.userID] + $0.record.aliases } }

    /// Applies everything in the open transaction, which holds the lock of ``Erasure``, exclusively where somebody is erased.
    ///
    /// Records that came before a deletion are written before it: they say which other ids are the same person.
    /// - Parameter letters: gets the patches that cannot be taken.
    func write(
        _ connection: Connection, ledger: inout ErasureLedger, wishLedger: inout WishLedger, batch: IngestBatch,
        _ summary: inout IngestSummary, letters: inout [RejectedRecord]
    ) throws(StoreError) {
        var late = lateAliases(ledger)
        var written = try write(before, patchesBefore, connection, ledger: ledger, &summary, letters: &letters)
        written.formUnion(try IdentityWriter.write(identities, ledger: ledger, connection))
        summary.usersChanged += written.count
        // A yes of before an erasure leaves no trace; a no holds whatever came after it.
        try Wishes.write(
            wishes.filter { !$0.isPersonalised || !ledger.covers($0.userID, $0.time) }, joined: joined, ledger: &wishLedger, batch: batch,
            connection)
        guard !deletions.isEmpty || !late.isEmpty else { return }
        let removed = try Erasure.accept(
            deletions + named + late, ahead: deletions.isEmpty ? [:] : try ahead(of: batch.interactions, connection), connection)
        try ledger.refresh(connection, batch: batch)
        // What was written only to be erased with its user is no change.
        var gone = written.intersection(removed)
        // Whom the deletions took may be named, and name others, by records that came late: each round meets ids for the first time.
        var met = Set(late)
        while true {
            late = lateAliases(ledger).filter { met.insert($0).inserted }
            if late.isEmpty { break }
            gone.formUnion(written.intersection(try Erasure.accept(late, connection)))
            try ledger.refresh(connection, batch: batch)
        }
        summary.usersChanged += deletions.count - gone.count
        summary.erased += gone.count
        summary.usersChanged += try write(after, patchesAfter, connection, ledger: ledger, &summary, letters: &letters).count
        // Of the records that came after the deletion, the ids that they name; what was said is stored.
        if !after.isEmpty || !patchesAfter.isEmpty {
            try Wishes.write([], joined: joined, ledger: &wishLedger, batch: batch, connection)
        }
    }

    /// The latest time of each user's events that are dated after now: a clock ahead cancels no deletion that comes with them.
    private func ahead(of interactions: [Interaction], _ connection: Connection) throws(StoreError) -> [String: EventTime] {
        guard let now = try connection.run("select now()").time(0, 0) else { return [:] }
        var latest: [String: EventTime] = [:]
        for interaction in interactions where interaction.time > now {
            latest[interaction.userID] = max(interaction.time, latest[interaction.userID] ?? interaction.time)
        }
        return latest
    }

    /// Writes the records and patches that are newer than what is stored and than an erasure of their user; returns whose.
    private func write(
        _ records: [Dated], _ patches: [UserPatch], _ connection: Connection, ledger: ErasureLedger, _ summary: inout IngestSummary,
        letters: inout [RejectedRecord]
    ) throws(StoreError) -> Set<String> {
        let kept = records.filter { !ledger.covers($0.record.userID, $0.time) }
        let keptPatches = patches.filter { !ledger.covers($0.patch.id, $0.time) }
        summary.erased += records.count - kept.count + patches.count - keptPatches.count
        var written: Set<String> = []
        for part in Parameters.parts(of: kept.count, bytes: { kept[$0].record.approximateBytes }) {
            written.formUnion(try write(Array(kept[part]), connection, ledger: ledger))
        }
        // A row that was patched is not replaced as a whole: what is newer in it stays.
        let others = kept.filter { !written.contains($0.record.userID) }
        let merging = others.isEmpty ? [] : try PatchedUsers.among(others.map(\.record.userID), connection)
        guard !keptPatches.isEmpty || !merging.isEmpty else { return written }
        let records = others.filter { merging.contains($0.record.userID) }.map { ($0.record, $0.time, $0.place) }
        written.formUnion(try PatchedUsers.write(records, keptPatches, ledger: ledger, connection, letters: &letters))
        return written
    }

    private func write(_ kept: [Dated], _ connection: Connection, ledger: ErasureLedger) throws(StoreError) -> Set<String> {
        var rows = Parameters()
        rows.add(count: kept.count, text: { kept[$0].record.userID })
        rows.add(count: kept.count, text: { kept[$0].record.attributes })
        // Lists of different lengths do not fit one array: they travel as JSON.
        // Nor does a record bring back the id of somebody who was erased after it was written.
        let aliases = kept.map { dated in dated.record.aliases.filter { !ledger.covers($0, dated.time) } }
        rows.add(count: kept.count, text: { "[" + aliases[$0].map(JSONText.quoted).joined(separator: ",") + "]" })
        rows.add(count: kept.count, time: { kept[$0].time })
        let written = try connection.run(
            """
            insert into users as t (user_id, attributes, aliases, updated_at)
            select n.user_id, n.attributes::jsonb, \(IdentityWriter.aliases(of: "n.user_id", record: "n.aliases")), n.updated_at
            from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) n(user_id, attributes, aliases, updated_at)
            on conflict (user_id) do update
            set attributes = excluded.attributes, aliases = excluded.aliases, updated_at = excluded.updated_at
            where t.field_times is null and \(RecordTime.replaces("t", at: "excluded.updated_at"))
            returning user_id
            """, rows)
        return Set((0..<written.count).compactMap { written.string($0, 0) })
    }
}

extension UserRecord {
    /// What the record takes on its way, in bytes.
    fileprivate var approximateBytes: Int {
        aliases.reduce(64 + userID.utf8.count + (attributes?.utf8.count ?? 0)) { $0 + 8 + $1.utf8.count }
    }
}
