import Interactions

/// A refused record as the database keeps it.
public struct DeadLetter: Sendable, Equatable {
    public var id: Int64
    public var record: RejectedRecord
    public var receivedAt: EventTime
    /// When it was last sent again.
    public var replayedAt: EventTime?
}

extension StoreQueries {
    private static let deadLetterFields =
        "id, cluster, source, partition, \"offset\", key, payload, payload_bytes, code, field, detail, received_at, replayed_at"

    /// Dead letters, newest first.
    ///
    /// - Parameters:
    ///   - code: only those with this reason.
    ///   - before: only those with a smaller id, for the next page.
    ///   - notReplayed: only those that were never sent again.
    public func deadLetters(
        code: RejectionCode? = nil, before: Int64? = nil, notReplayed: Bool = false, limit: Int = 100
    ) throws(StoreError) -> [DeadLetter] {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(code?.rawValue)
            parameters.add(before ?? .max)
            parameters.add(notReplayed)
            parameters.add(Int32(clamping: min(max(0, limit), Self.listedRowsLimit)))
            let rows = try connection.run(
                """
                select \(Self.deadLetterFields) from dead_letters
                where ($1::text is null or code = $1) and id < $2 and not ($3 and replayed_at is not null) order by id desc limit $4
                """, parameters)
            return (0..<rows.count).map { Self.deadLetter(rows, $0) }
        }
    }

    /// One dead letter, or nil.
    public func deadLetter(_ id: Int64) throws(StoreError) -> DeadLetter? {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(id)
            let rows = try connection.run("select \(Self.deadLetterFields) from dead_letters where id = $1", parameters)
            return rows.count == 0 ? nil : Self.deadLetter(rows, 0)
        }
    }

    /// Notes that dead letters were sent again; returns how many there were.
    @discardableResult
    public func markReplayed(_ ids: [Int64]) throws(StoreError) -> Int {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(ids)
            return try connection.run("update dead_letters set replayed_at = now() where id = any($1)", parameters).affected
        }
    }

    private static func deadLetter(_ rows: QueryResult, _ row: Int) -> DeadLetter {
        let rejection = Rejection(
            RejectionCode(rawValue: rows.string(row, 8) ?? "") ?? .malformedJSON, field: rows.string(row, 9), rows.string(row, 10) ?? "")
        return DeadLetter(
            id: rows.int64(row, 0) ?? 0,
            record: RejectedRecord(
                origin: RecordOrigin(
                    source: rows.string(row, 2) ?? "", cluster: rows.string(row, 1) ?? "",
                    position: Position(partition: rows.int32(row, 3) ?? 0, offset: rows.int64(row, 4) ?? 0)),
                key: rows.isNull(row, 5) ? nil : Array(rows.bytes(row, 5)), payload: Array(rows.bytes(row, 6)),
                payloadBytes: Int(rows.int32(row, 7) ?? 0), rejection: rejection),
            receivedAt: rows.time(row, 11) ?? EventTime(milliseconds: 0), replayedAt: rows.time(row, 12))
    }
}
