import Interactions

/// Writes refused records. A repeated delivery finds its row there and adds nothing; one that was sent again and is refused once
/// more keeps its row, with the newest reason and place.
enum DeadLetterWriter {
    /// Bytes of a record that are kept where this target makes the dead letter; intake cuts at the same.
    static let payloadLimitBytes = 65_536

    /// The record with what its row needs: texts that PostgreSQL takes, and a key by which an erasure of its user finds it.
    private static func storable(_ record: RejectedRecord) -> RejectedRecord {
        var record = record
        if record.userID == nil { record.userID = record.payload.withUnsafeBytes { NamedID.user(in: $0) } }
        if record.key == nil { record.key = record.userID }
        record.rejection.field = record.rejection.field.map(withoutNul)
        record.rejection.detail = withoutNul(record.rejection.detail)
        return record
    }

    private static func withoutNul(_ text: String) -> String {
        text.utf8.contains(0) ? String(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : Character($0) }) : text
    }

    /// The dead letter of an event whose key holds another payload.
    static func conflict(_ interaction: Interaction, origin: RecordOrigin) -> RejectedRecord {
        let payload = Array(interaction.json().utf8)
        let user = Array(interaction.userID.utf8.prefix(NamedID.idBytesLimit))
        return RejectedRecord(
            origin: origin, key: user, userID: user, payload: Array(payload.prefix(payloadLimitBytes)), payloadBytes: payload.count,
            rejection: Rejection(
                .conflictingDuplicate, field: "event_id",
                "event_id \(interaction.eventID) was stored before at the same time with another payload; give each event its own id"))
    }

    static func write(
        _ records: [RejectedRecord], ledger: ErasureLedger, _ connection: Connection, _ summary: inout IngestSummary
    ) throws(StoreError) {
        if records.isEmpty { return }
        let kept = records.map(storable).filter { record in
            if ledger.isEmpty { return true }
            // A record without a time cannot show that it came after its user's erasure; one with two is as old as the older one says.
            let own = record.payload.withUnsafeBytes { NamedID.time(in: $0) }
            let time = [own, record.origin.recordTime].compactMap(\.self).min() ?? EventTime(milliseconds: .min)
            return ![record.key, record.userID].contains { $0.map { ledger.covers(String(decoding: $0, as: UTF8.self), time) } ?? false }
        }
        summary.erased += records.count - kept.count
        summary.rejected += kept.count
        let letters = once(kept)
        let parts = Parameters.parts(of: letters.count) { letter in
            let record = letters[letter]
            return record.payload.count + (record.key?.count ?? 0) + (record.userID?.count ?? 0) + record.rejection.detail.utf8.count + 128
        }
        for part in parts { try insert(Array(letters[part]), connection) }
    }

    /// The records without repeats: what stands at one place is one letter, and so are conflicts with the same content.
    private static func once(_ records: [RejectedRecord]) -> [RejectedRecord] {
        struct Place: Hashable {
            var source: String, cluster: String
            var position: Position
        }
        var places: Set<Place> = []
        var conflicts: Set<[UInt8]> = []
        return records.filter { record in
            let isNew = places.insert(Place(source: record.origin.source, cluster: record.origin.cluster, position: record.origin.position))
                .inserted
            return isNew && (record.rejection.code != .conflictingDuplicate || conflicts.insert(record.payload).inserted)
        }
    }

    private static func insert(_ kept: [RejectedRecord], _ connection: Connection) throws(StoreError) {
        var rows = Parameters()
        let count = kept.count
        rows.add(count: count, text: { kept[$0].origin.cluster })
        rows.add(count: count, text: { kept[$0].origin.source })
        rows.add(count: count, int32: { kept[$0].origin.position.partition })
        rows.add(count: count) { kept[$0].origin.position.offset }
        rows.add(count: count, bytesOrNull: { kept[$0].key })
        rows.add(kept.map(\.payload))
        rows.add(count: count, int32: { Int32(clamping: kept[$0].payloadBytes) })
        rows.add(count: count, text: { kept[$0].rejection.code.rawValue })
        rows.add(count: count, text: { kept[$0].rejection.field })
        rows.add(count: count, text: { kept[$0].rejection.detail })
        rows.add(count: count, bytesOrNull: { kept[$0].userID })
        rows.add(RejectionCode.conflictingDuplicate.rawValue)
        // Two lists of thousands are joined here: one look-up each, not each with each.
        try connection.execute("set local enable_hashjoin = on")
        try connection.run(Self.statement, rows)
        try connection.execute("set local enable_hashjoin = off")
    }

    /// Of several letters with the same bytes that were sent again, each record that comes back takes one. A conflict finds its letter
    /// whether it was sent again or not: no other delivery of it is news.
    private static let statement = """
        with n as materialized (
            select *, md5(payload) as digest, row_number() over (partition by md5(payload) order by ordinal) as turn
            from unnest($1::text[], $2::text[], $3::int4[], $4::int8[], $5::bytea[], $6::bytea[], $7::int4[], $8::text[], $9::text[],
                    $10::text[], $11::bytea[])
                with ordinality n(cluster, source, partition, position, key, payload, payload_bytes, code, field, detail, user_id, ordinal)
        ), sent as materialized (
            select id, payload, digest, row_number() over (partition by digest order by id) as turn from (
                select id, payload, md5(payload) as digest
                from dead_letters d where replayed_at is not null and received_at < replayed_at
                    and md5(payload) = any(array(select distinct digest from n)) and octet_length(payload) > 0
                union
                select id, payload, md5(payload) from dead_letters d where code = 'conflicting_duplicate'
                    and md5(payload) = any(array(select distinct digest from n where n.code = $12))
            ) known
        ), back as (
            update dead_letters d set cluster = n.cluster, source = n.source, partition = n.partition, "offset" = n.position,
                code = n.code, field = n.field, detail = n.detail, received_at = now(),
                -- The same reason once more: it is not sent again by itself. Another one is a new letter.
                replayed_at = case
                    when d.code = n.code and d.field is not distinct from n.field and d.detail = n.detail then d.replayed_at end
            from n join sent on sent.digest = n.digest and sent.turn = n.turn and sent.payload = n.payload
            where d.id = sent.id and not exists (
                select from dead_letters x where x.source = n.source collate "C" and x.partition = n.partition and x."offset" = n.position
                    and x.cluster = n.cluster collate "C" and x.id <> d.id)
            returning n.ordinal
        )
        insert into dead_letters (cluster, source, partition, "offset", key, payload, payload_bytes, code, field, detail, user_id)
        select cluster, source, partition, position, key, payload, payload_bytes, code, field, detail, user_id
        from n where not exists (select from back where back.ordinal = n.ordinal) order by ordinal
        on conflict do nothing
        """
}
