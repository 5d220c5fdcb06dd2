import Interactions

/// Writes refused records. A repeated delivery finds its row there and adds nothing.
enum DeadLetterWriter {
    /// The dead letter of an event whose key holds another payload.
    static func conflict(_ interaction: Interaction, source: String, cluster: String) -> RejectedRecord {
        let payload = Array(interaction.json().utf8)
        return RejectedRecord(
            origin: RecordOrigin(source: source, cluster: cluster, position: interaction.position, recordTime: interaction.time),
            key: Array(interaction.userID.utf8), payload: payload, payloadBytes: payload.count,
            rejection: Rejection(
                .conflictingDuplicate, field: "event_id",
                "event_id \(interaction.eventID) was stored before at the same time with another payload; give each event its own id"))
    }

    static func write(
        _ records: [RejectedRecord], ledger: ErasureLedger, _ connection: Connection, _ summary: inout IngestSummary
    ) throws(StoreError) {
        if records.isEmpty { return }
        let kept = records.filter { record in
            guard let key = record.key, !ledger.isEmpty else { return true }
            // A record without a time cannot show that it came after its user's erasure.
            return !ledger.covers(String(decoding: key, as: UTF8.self), record.origin.recordTime ?? EventTime(milliseconds: .min))
        }
        summary.erased += records.count - kept.count
        summary.rejected += kept.count
        if kept.isEmpty { return }
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
        try connection.run(
            """
            insert into dead_letters (cluster, source, partition, "offset", key, payload, payload_bytes, code, field, detail)
            select * from unnest($1::text[], $2::text[], $3::int4[], $4::int8[], $5::bytea[], $6::bytea[], $7::int4[], $8::text[],
                $9::text[], $10::text[])
            on conflict do nothing
            """, rows)
    }
}
