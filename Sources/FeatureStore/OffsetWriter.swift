/// Checks and writes the offsets of a batch. The rows stay locked from the check to the end of the transaction, so that
/// a new owner's claim waits for it.
enum OffsetWriter {
    /// Whether the batch was committed before.
    ///
    /// - Throws: `lostOwnership` when a partition has a newer owner; `offsetMismatch` when the stored offset is further
    ///   than the batch's end.
    /// - Parameter stored: by topic and partition, what this consumer knows to be stored. Less in the database is one that went back: what
    ///   lies between would be lost, were the batch stored.
    static func isCommitted(
        _ offsets: [ClaimedOffset], stored: [String: [Int32: Int64]], _ connection: Connection
    ) throws(StoreError) -> Bool {
        if offsets.isEmpty { return false }
        let rows = try connection.run(
            """
            select n.topic, n.partition, n.epoch, s.epoch, n.next_offset, s.next_offset, s.owner
            from unnest($1::text[], $2::int4[], $3::int8[], $4::int8[]) n(topic, partition, epoch, next_offset)
            join stream_offsets s on s.topic = n.topic collate "C" and s.partition = n.partition
            order by s.topic, s.partition for update of s
            """, parameters(offsets))
        guard rows.count == offsets.count else {
            throw StoreError(
                .lostOwnership,
                "\(connection.place): a partition of \(Set(offsets.map(\.topic)).sorted().joined(separator: ", ")) was never claimed "
                    + "— claim it before committing")
        }
        var isCommitted = true
        for row in 0..<rows.count {
            let name = "\(rows.string(row, 0) ?? "")/\(rows.int32(row, 1) ?? 0)"
            if rows.int64(row, 2) != rows.int64(row, 3) {
                throw StoreError(
                    .lostOwnership,
                    "\(connection.place): partition \(name) now belongs to \(rows.string(row, 6) ?? "another consumer") (epoch "
                        + "\(rows.int64(row, 3) ?? 0), this one has \(rows.int64(row, 2) ?? 0)); the batch was not stored — "
                        + "claim the partition again and read from its stored offset")
            }
            let wanted = rows.int64(row, 4) ?? 0
            if let known = stored[rows.string(row, 0) ?? ""]?[rows.int32(row, 1) ?? 0], (rows.int64(row, 5) ?? 0) < known {
                throw StoreError(
                    .lostOwnership,
                    "\(connection.place): partition \(name) is stored up to offset \(rows.int64(row, 5) ?? 0), and this consumer "
                        + "had stored it up to \(known): the database went back, as after a restore or a failover to an older standby "
                        + "— claim the partition again and read from its stored offset")
            }
            guard let stored = rows.int64(row, 5), stored >= wanted else {
                isCommitted = false
                continue
            }
            if stored > wanted {
                throw StoreError(
                    .offsetMismatch,
                    "\(connection.place): partition \(name) is stored up to offset \(stored), the batch ends at \(wanted) — read "
                        + "from the stored offset")
            }
        }
        return isCommitted
    }

    static func write(_ offsets: [ClaimedOffset], _ connection: Connection) throws(StoreError) {
        if offsets.isEmpty { return }
        var values = parameters(offsets)
        values.add(count: offsets.count) { offsets[$0].lastRecordTime?.milliseconds ?? -1 }
        values.add(offsets.map(\.missingRecords))
        try connection.run(
            """
            update stream_offsets s set next_offset = n.next_offset, updated_at = now(),
                last_record_time = case when n.last_milliseconds >= 0
                    then timestamptz 'epoch' + n.last_milliseconds * interval '1 millisecond' end,
                missing_records = s.missing_records + n.missing
            from unnest($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
                n(topic, partition, epoch, next_offset, last_milliseconds, missing)
            where s.topic = n.topic collate "C" and s.partition = n.partition and s.epoch = n.epoch
            """, values)
    }

    private static func parameters(_ offsets: [ClaimedOffset]) -> Parameters {
        var parameters = Parameters()
        parameters.add(offsets.map(\.topic))
        parameters.add(offsets.map(\.partition))
        parameters.add(offsets.map(\.epoch))
        parameters.add(offsets.map(\.nextOffset))
        return parameters
    }
}
