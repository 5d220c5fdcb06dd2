import Interactions

/// A refused record as the database keeps it.
public struct DeadLetter: Sendable, Equatable {
    /// The letter's number; ascends with each.
    public var id: Int64
    /// The refused record and why it was refused.
    public var record: RejectedRecord
    /// When it was stored, by the database's clock.
    public var receivedAt: EventTime
    /// When it was last sent again.
    public var replayedAt: EventTime?
    /// Whether it was sent again and refused once more, for the same reason: by the database's microseconds, since both may happen within
    /// one of our milliseconds.
    public var isRefusedAgain: Bool
}

extension StoreQueries {
    private static let deadLetterFields =
        "id, cluster, source, partition, \"offset\", key, payload, payload_bytes, code, field, detail, received_at, replayed_at, "
            + "received_at > replayed_at, user_id"

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
                select \(Self.deadLetterFields) from dead_letters d where ($1::text is null or code = $1) and id < $2
                    and not ($3 and replayed_at is not null)\(OpenErasures.hidesLetters("d")) order by id desc limit $4
                """, parameters)
            return (0..<rows.count).map { Self.deadLetter(rows, $0) }
        }
    }

    /// One dead letter, or nil.
    public func deadLetter(_ id: Int64) throws(StoreError) -> DeadLetter? {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(id)
            let rows = try connection.run(
                "select \(Self.deadLetterFields) from dead_letters d where id = $1\(OpenErasures.hidesLetters("d"))", parameters)
            return rows.count == 0 ? nil : Self.deadLetter(rows, 0)
        }
    }

    /// How many dead letters there are.
    ///
    /// - Parameters:
    ///   - code: only those with this reason.
    ///   - before: only those with a smaller id.
    public func deadLetterCount(code: RejectionCode? = nil, before: Int64? = nil) throws(StoreError) -> Int64 {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(code?.rawValue)
            parameters.add(before ?? .max)
            return try connection.run(
                "select count(*) from dead_letters d where ($1::text is null or code = $1) and id < $2\(OpenErasures.hidesLetters("d"))",
                parameters).int64(0, 0) ?? 0
        }
    }

    /// What may be sent again by itself: what never was, and with `again` also what was refused once more for the same reason.
    private static let toReplay =
        "($1::text is null or code = $1) and (replayed_at is null or ($2 and received_at > replayed_at))\(OpenErasures.hidesLetters("d"))"

    /// How many dead letters wait to be sent again, and the largest id among them: what comes later is another run's.
    public func waitingDeadLetters(code: RejectionCode? = nil, again: Bool = false) throws(StoreError) -> (count: Int, newest: Int64) {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(code?.rawValue)
            parameters.add(again)
            let rows = try connection.run("select count(*), coalesce(max(id), 0) from dead_letters d where \(Self.toReplay)", parameters)
            return (Int(rows.int64(0, 0) ?? 0), rows.int64(0, 1) ?? 0)
        }
    }

    /// Dead letters that wait to be sent again, oldest first: those with ids in `after + 1 ... newest`, at most `limit`.
    public func waitingDeadLetters(
        code: RejectionCode? = nil, again: Bool = false, after: Int64, newest: Int64, limit: Int
    ) throws(StoreError) -> [DeadLetter] {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(code?.rawValue)
            parameters.add(again)
            parameters.add(after)
            parameters.add(newest)
            parameters.add(Int32(clamping: min(max(0, limit), Self.listedRowsLimit)))
            let rows = try connection.run(
                """
                select \(Self.deadLetterFields) from dead_letters d
                where \(Self.toReplay) and id > $3 and id <= $4 order by id limit $5
                """, parameters)
            return (0..<rows.count).map { Self.deadLetter(rows, $0) }
        }
    }

    /// Notes that dead letters are sent again; returns how many there were.
    @discardableResult
    public func markReplayed(_ ids: [Int64]) throws(StoreError) -> Int {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(ids)
            return try connection.run("update dead_letters set replayed_at = now() where id = any($1)", parameters).affected
        }
    }

    /// How many of these letters, sent again before, were refused once more, for whatever reason.
    public func refusedAgain(_ ids: [Int64]) throws(StoreError) -> Int {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(ids)
            let rows = try connection.run(
                "select count(*) from dead_letters where id = any($1) and (replayed_at is null or received_at > replayed_at)", parameters)
            return Int(rows.int64(0, 0) ?? 0)
        }
    }

    /// How many of these letters there are still.
    public func leftDeadLetters(_ ids: [Int64]) throws(StoreError) -> Int {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(ids)
            return Int(try connection.run("select count(*) from dead_letters where id = any($1)", parameters).int64(0, 0) ?? 0)
        }
    }

    /// Takes ``markReplayed(_:)`` back for letters that could not be sent: they wait again.
    public func markUnsent(_ ids: [Int64]) throws(StoreError) {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(ids)
            try connection.run("update dead_letters set replayed_at = null where id = any($1)", parameters)
        }
    }

    /// Of the users those that were erased, with the time up to which nothing of them is kept.
    ///
    /// - Parameter userIDs: Any texts; one that PostgreSQL cannot hold is nobody's id.
    public func erasures(of userIDs: [String]) throws(StoreError) -> [String: EventTime] {
        let userIDs = userIDs.filter { !$0.utf8.contains(0) }
        return try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(userIDs)
            let rows = try connection.run("select user_id, \(ErasureLedger.field) from erasures where user_id = any($1)", parameters)
            var found: [String: EventTime] = [:]
            for row in 0..<rows.count { if let id = rows.string(row, 0) { found[id] = rows.time(row, 1) } }
            return found
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
                key: rows.isNull(row, 5) ? nil : Array(rows.bytes(row, 5)),
                userID: rows.isNull(row, 14) ? nil : Array(rows.bytes(row, 14)), payload: Array(rows.bytes(row, 6)),
                payloadBytes: Int(rows.int32(row, 7) ?? 0), rejection: rejection),
            receivedAt: rows.time(row, 11) ?? EventTime(milliseconds: 0), replayedAt: rows.time(row, 12),
            isRefusedAgain: rows.bool(row, 13))
    }
}
