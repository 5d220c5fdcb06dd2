import Interactions

/// What became of a record that a commit has passed.
public enum RecordFate: Sendable, Equatable {
    /// It is stored.
    case stored
    /// An event that was stored before with the same content: it counts once.
    case duplicate
    /// It is a dead letter.
    case rejected(code: String, field: String?, detail: String)
    /// It is stored but for this field of it, which is a dead letter.
    case storedWithout(code: String, field: String, detail: String)
    /// It was dropped: its user was erased at or after its time.
    case erased(at: EventTime)
    /// What is stored is dated later, so it changed nothing.
    case superseded(by: EventTime)
}

/// An event whose fate is asked for.
public struct SentEvent: Sendable {
    /// Where the record stands in its topic.
    public var position: Position
    /// Whose event it is.
    public var userID: String
    /// When the event happened.
    public var time: EventTime
    /// Its own id; nil where one is derived from its place, which no other event has.
    public var eventID: String?

    /// Makes an event.
    public init(position: Position, userID: String, time: EventTime, eventID: String?) {
        self.position = position
        self.userID = userID
        self.time = time
        self.eventID = eventID
    }
}

/// An item's or a user's record or deletion whose fate is asked for.
public struct SentRecord: Sendable {
    /// The item's or the user's id.
    public var id: String
    /// Where the record stands in its topic.
    public var position: Position
    /// Whether the record deletes.
    public var isDeletion: Bool
    /// Whether it is a patch: what is stored may be older as a whole, and it is stored all the same.
    public var isPatch: Bool
    /// Whether it is a patch that states other fields than attributes: they count also where its attributes are too large.
    public var statesOthers = false
    /// Its time lies between these: equal where it states one, else when it was sent and when that was acknowledged.
    public var time: ClosedRange<EventTime>

    /// Makes a record.
    public init(id: String, position: Position, isDeletion: Bool, isPatch: Bool = false, time: ClosedRange<EventTime>) {
        self.id = id
        self.position = position
        self.isDeletion = isDeletion
        self.isPatch = isPatch
        self.time = time
    }
}

extension StoreQueries {
    /// SQL: what dead letters of `d`'s partition name as their cluster now; a topic that was made anew counts as another.
    private static let origin = """
        ($2 || coalesce((select '~' || s.incarnation from stream_offsets s where s.topic = d.source and s.partition = d.partition
            and s.incarnation > 0), ''))
        """

    /// What became of events of one topic whose commit is known, in their order.
    ///
    /// - Parameter cluster: the cluster in which the positions mean something; nil where that is not known.
    public func fates(of events: [SentEvent], topic: String, cluster: String?) throws(StoreError) -> [RecordFate] {
        if events.isEmpty { return [] }
        return try pool.withConnection { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(topic)
            asked.add(cluster)
            asked.add(count: events.count, int32: { events[$0].position.partition })
            asked.add(count: events.count) { events[$0].position.offset }
            asked.add(count: events.count, text: { events[$0].userID })
            asked.add(count: events.count, time: { events[$0].time })
            asked.add(count: events.count, text: { events[$0].eventID })
            let rows = try connection.run(
                """
                select d.code, d.field, d.detail, e.erased_at,
                    i.event_id is not null and (i.source_partition, i.source_offset) <> (n.partition, n.position)
                from unnest($3::int4[], $4::int8[], $5::text[], $6::timestamptz[], $7::text[])
                    with ordinality n(partition, position, user_id, event_time, event_id, ordinal)
                left join lateral (select code, field, detail from dead_letters d
                    where d.source = $1 collate "C" and d.partition = n.partition and d."offset" = n.position
                        and ($2::text is null or d.cluster = \(Self.origin)) limit 1) d on true
                left join erasures e on e.user_id = n.user_id collate "C" and e.erased_at >= n.event_time
                left join interactions i on i.event_time = n.event_time and i.event_id = n.event_id collate "C"
                order by n.ordinal
                """, asked)
            return (0..<rows.count).map { row in
                if let rejected = Self.rejected(rows, row) { return rejected }
                if let erasedAt = rows.time(row, 3) { return .erased(at: erasedAt) }
                return rows.bool(row, 4) ? .duplicate : .stored
            }
        }
    }

    /// What became of an item's record whose commit is known.
    public func fate(ofItem record: SentRecord, topic: String, cluster: String?) throws(StoreError) -> RecordFate {
        try fate(
            of: record, topic: topic, cluster: cluster,
            stored: "(select updated_at, deleted, null::timestamptz as erased_at from items where item_id = $5 collate \"C\")")
    }

    /// What became of a user's record whose commit is known. A deletion is always taken.
    public func fate(ofUser record: SentRecord, topic: String, cluster: String?) throws(StoreError) -> RecordFate {
        try fate(
            of: record, topic: topic, cluster: cluster,
            stored: """
                (select u.updated_at, $6 as deleted, e.erased_at
                 from (select $5::text as id) n left join users u on u.user_id = n.id collate "C"
                 left join erasures e on e.user_id = n.id collate "C")
                """)
    }

    private func fate(
        of record: SentRecord, topic: String, cluster: String?, stored: String
    ) throws(StoreError) -> RecordFate {
        try pool.withConnection { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(topic)
            asked.add(cluster)
            asked.add(record.position.partition)
            asked.add(record.position.offset)
            asked.add(record.id)
            asked.add(record.isDeletion)
            let rows = try connection.run(
                """
                select d.code, d.field, d.detail, s.erased_at, s.updated_at, coalesce(s.deleted, $6) from (select 1) one
                left join lateral (select code, field, detail from dead_letters d
                    where d.source = $1 collate "C" and d.partition = $3 and d."offset" = $4
                        and ($2::text is null or d.cluster = \(Self.origin)) limit 1) d on true
                left join \(stored) s on true
                """, asked)
            if let rejected = Self.rejected(rows, 0) {
                guard record.statesOthers, case .rejected(RejectionCode.tooLarge.rawValue, "attributes"?, let detail) = rejected else {
                    return rejected
                }
                return .storedWithout(code: RejectionCode.tooLarge.rawValue, field: "attributes", detail: detail)
            }
            let isGone = rows.bool(0, 5)
            if record.isDeletion, isGone { return .stored }
            guard let updatedAt = rows.time(0, 4) else {
                return rows.time(0, 3).map { .erased(at: $0) } ?? .stored
            }
            if updatedAt > record.time.upperBound { return .superseded(by: updatedAt) }
            if record.isPatch {
                return rows.time(0, 3).flatMap { $0 >= record.time.upperBound ? .erased(at: $0) : nil } ?? .stored
            }
            if updatedAt < record.time.lowerBound, let erasedAt = rows.time(0, 3) { return .erased(at: erasedAt) }
            return .stored
        }
    }

    private static func rejected(_ rows: QueryResult, _ row: Int) -> RecordFate? {
        rows.string(row, 0).map { .rejected(code: $0, field: rows.string(row, 1), detail: rows.string(row, 2) ?? "") }
    }
}
