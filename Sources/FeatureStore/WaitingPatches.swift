import Interactions

/// Patches of items of which no record is known: they wait for it, in bounds, and what waits no longer becomes a dead letter.
///
/// All in transactions that hold the lock of the catalogue, so that no record comes in between.
enum WaitingPatches {
    /// Those that become dead letters in one commit at most.
    static let lettersLimit = 10_000

    /// A patch with what it counts by and where it came from.
    struct Patch {
        var patch: RecordPatch<ItemRecord>
        var time: EventTime
        var origin: RecordOrigin
    }

    /// Adds patches. Of two that state the same fields of an item the newer stays, with the time since which the first waits.
    static func add(_ patches: [Patch], _ connection: Connection) throws(StoreError) {
        // One statement touches no row twice.
        var newest: [[String]: (patch: Patch, place: Int)] = [:]
        for (place, patch) in patches.enumerated() {
            let key = [patch.patch.id, patch.patch.named]
            if let known = newest[key], known.patch.time > patch.time { continue }
            newest[key] = (patch, place)
        }
        // In the order in which they came: of equal times that says which is the oldest.
        let sorted = newest.sorted { $0.value.place < $1.value.place }.map { (key: $0.key, value: $0.value.patch) }
        let texts = sorted.map { entry in
            var patch = entry.value.patch
            patch.updatedAt = entry.value.time
            return patch.json()
        }
        let parts = Parameters.parts(of: sorted.count) { place in
            sorted[place].key.reduce(texts[place].utf8.count + 128) { $0 + $1.utf8.count }
        }
        for part in parts {
            let part = Array(part)
            var rows = Parameters()
            rows.add(count: part.count, text: { sorted[part[$0]].key[0] })
            rows.add(count: part.count, text: { sorted[part[$0]].key[1] })
            rows.add(count: part.count, text: { texts[part[$0]] })
            rows.add(count: part.count, time: { sorted[part[$0]].value.time })
            rows.add(count: part.count, text: { sorted[part[$0]].value.origin.cluster })
            rows.add(count: part.count, text: { sorted[part[$0]].value.origin.source })
            rows.add(count: part.count, int32: { sorted[part[$0]].value.origin.position.partition })
            rows.add(count: part.count) { sorted[part[$0]].value.origin.position.offset }
            try connection.run(
                """
                insert into waiting_patches as t (item_id, named, record, patched_at, cluster, source, partition, "offset")
                select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int4[], $8::int8[])
                on conflict (item_id, md5(named)) do update
                set record = excluded.record, patched_at = excluded.patched_at, cluster = excluded.cluster, source = excluded.source,
                    partition = excluded.partition, "offset" = excluded."offset"
                where t.patched_at <= excluded.patched_at
                """, rows)
        }
    }

    /// Takes out what waits for items, in the order in which it came.
    static func take(of itemIDs: [String], _ connection: Connection) throws(StoreError) -> [Patch] {
        var ids = Parameters()
        ids.add(itemIDs)
        let rows = try connection.run(
            """
            with taken as (delete from waiting_patches where item_id = any($1) returning *)
            select record, patched_at, cluster, source, partition, "offset", item_id from taken order by patch_id
            """, ids)
        let decoder = RecordDecoder(rules: .stored)
        return (0..<rows.count).compactMap { row in
            var text = rows.string(row, 0) ?? ""
            let time = rows.time(row, 1) ?? EventTime(milliseconds: 0)
            let origin = origin(rows, row, from: 2, at: time)
            let change = text.withUTF8 { decoder.itemChange(UnsafeRawBufferPointer($0), origin: origin, now: time) }
            guard case .success(.patch(let patch)) = change else { return nil }
            return Patch(patch: patch, time: time, origin: origin)
        }
    }

    /// Removes what deletions of items take with them: what is not newer, and what a clock ahead dated after now.
    static func remove(_ deletions: [(itemID: String, at: EventTime)], _ connection: Connection) throws(StoreError) {
        if deletions.isEmpty { return }
        var rows = Parameters()
        rows.add(count: deletions.count, text: { deletions[$0].itemID })
        rows.add(count: deletions.count, time: { deletions[$0].at })
        try connection.run(
            """
            delete from waiting_patches w using unnest($1::text[], $2::timestamptz[]) n(item_id, deleted_at)
            where w.item_id = n.item_id collate "C" and (w.patched_at <= n.deleted_at or w.patched_at > now())
            """, rows)
    }

    /// Takes out the oldest of what waits beyond the bounds, by their own times, as dead letters.
    ///
    /// - Parameter byAge: whether to look for those that have waited for too long, too.
    static func overdue(_ rules: PatchRules, byAge: Bool, _ connection: Connection) throws(StoreError) -> [RejectedRecord] {
        var bounds = Parameters()
        bounds.add(Int64(rules.waitingLimitPatches))
        bounds.add(Int64(Self.lettersLimit))
        var letters = try letters(
            """
            patch_id in (select patch_id from waiting_patches order by patched_at, patch_id
                limit least($2, greatest(0, (select count(*) from waiting_patches) - $1)))
            """, bounds, connection
        ) { "\(rules.waitingLimitPatches) patches of unknown items wait already (ingest.waiting_limit_patches)" }
        guard byAge else { return letters }
        var age = Parameters()
        age.add(Int64(rules.waitingLimitHours))
        age.add(Int64(Self.lettersLimit))
        letters += try self.letters(
            """
            patch_id in (select patch_id from waiting_patches where received_at < now() - $1 * interval '1 hour' order by patch_id limit $2)
            """, age, connection
        ) { "no record of the item came within \(rules.waitingLimitHours) hours (ingest.waiting_limit_hours)" }
        return letters
    }

    private static func letters(
        _ condition: String, _ parameters: Parameters, _ connection: Connection, _ reason: () -> String
    ) throws(StoreError) -> [RejectedRecord] {
        let rows = try connection.run(
            "delete from waiting_patches where \(condition) returning record, cluster, source, partition, \"offset\", item_id, patched_at",
            parameters)
        return (0..<rows.count).map { row in
            let payload = Array((rows.string(row, 0) ?? "").utf8)
            return letter(
                payload, id: rows.string(row, 5) ?? "", origin: origin(rows, row, from: 1, at: rows.time(row, 6)),
                Rejection(.unknownItem, field: "item_id", "\(reason()): send the item's record, then replay the patch"))
        }
    }

    /// The dead letter of a patch.
    static func letter(_ payload: [UInt8], id: String, origin: RecordOrigin, _ rejection: Rejection) -> RejectedRecord {
        RejectedRecord(
            origin: origin, key: Array(id.utf8.prefix(NamedID.idBytesLimit)),
            payload: Array(payload.prefix(DeadLetterWriter.payloadLimitBytes)), payloadBytes: payload.count, rejection: rejection)
    }

    private static func origin(_ rows: QueryResult, _ row: Int, from column: Int, at time: EventTime?) -> RecordOrigin {
        RecordOrigin(
            source: rows.string(row, column + 1) ?? "", cluster: rows.string(row, column) ?? "",
            position: Position(partition: rows.int32(row, column + 2) ?? 0, offset: rows.int64(row, column + 3) ?? 0), recordTime: time)
    }
}
