import Interactions

/// How far a partition was read.
public struct StoredOffset: Sendable, Equatable {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32
    /// The cluster in which the offset means something.
    public var cluster: String
    /// Raised with each new owner, so that a former one is refused.
    public var epoch: Int64
    /// Nil: nothing was read yet.
    public var nextOffset: Int64?
    /// Who reads the partition; nil: nobody yet.
    public var owner: String?
    /// When the row last changed, by the database's clock.
    public var updatedAt: EventTime
    /// Records that the broker had dropped before they were read.
    public var missingRecords: Int64
    /// Why the partition stands still; nil: it does not.
    public var halted: String?

    /// A partition of a cluster.
    package init(
        topic: String, partition: Int32, cluster: String, epoch: Int64 = 0, nextOffset: Int64? = nil, owner: String? = nil,
        updatedAt: EventTime = EventTime(milliseconds: 0), missingRecords: Int64 = 0, halted: String? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.cluster = cluster
        self.epoch = epoch
        self.nextOffset = nextOffset
        self.owner = owner
        self.updatedAt = updatedAt
        self.missingRecords = missingRecords
        self.halted = halted
    }
}

extension StoredOffset {
    static func all(_ connection: Connection) throws(StoreError) -> [StoredOffset] {
        let rows = try connection.run("select \(fields) from stream_offsets order by topic, partition")
        return (0..<rows.count).map { StoredOffset(rows, $0) }
    }

    /// What ``init(_:_:)`` reads, in its order.
    static let fields = "topic, partition, cluster, epoch, next_offset, owner, updated_at, missing_records, halted"

    /// Reads a row that begins with ``fields``.
    init(_ rows: QueryResult, _ row: Int) {
        topic = rows.string(row, 0) ?? ""
        partition = rows.int32(row, 1) ?? 0
        cluster = rows.string(row, 2) ?? ""
        epoch = rows.int64(row, 3) ?? 0
        nextOffset = rows.int64(row, 4)
        owner = rows.string(row, 5)
        updatedAt = rows.time(row, 6) ?? EventTime(milliseconds: 0)
        missingRecords = rows.int64(row, 7) ?? 0
        halted = rows.string(row, 8)
    }
}

/// What the store holds, for people.
public struct StoreStatistics: Sendable, Equatable {
    /// Interactions folded so far, by type; purchases that were given back count no more. Erasures do not lower them.
    public var interactions: [InteractionType: Int64]
    /// Users with features.
    public var users: Int64
    /// Items that are not deleted.
    public var items: Int64
    /// Items that are there and may not be recommended.
    public var hiddenItems: Int64
    /// Dead letters by reason.
    public var deadLetters: [String: Int64]
    /// Users in the ledger of erasures.
    public var erasedUsers: Int64
    /// The catalogue's version: raised by every commit that changed an item.
    public var catalogueVersion: Int64
    /// The time of the newest accepted event; nil where there is none.
    public var newestEventTime: EventTime?
    /// What the database takes on the disk.
    public var databaseBytes: Int64
    /// What came back, and what of it matches no purchase.
    public var returns = ReturnTally()
}

/// How often what a model showed was clicked and bought.
public struct ModelOutcome: Sendable, Equatable {
    /// Nil: impressions without a model.
    public var modelVersion: Int32?
    /// How many items answers of the model showed.
    public var impressions: Int64
    /// How many of them were clicked.
    public var clicks: Int64
    /// How many of them were put into a cart.
    public var addToCarts: Int64
    /// How many of them were bought.
    public var purchases: Int64

    /// Makes an outcome.
    public init(modelVersion: Int32?, impressions: Int64, clicks: Int64, addToCarts: Int64, purchases: Int64) {
        self.modelVersion = modelVersion
        self.impressions = impressions
        self.clicks = clicks
        self.addToCarts = addToCarts
        self.purchases = purchases
    }

    /// Clicked impressions per impression.
    public var clickRate: Double { impressions == 0 ? 0 : Double(clicks) / Double(impressions) }
}

/// Interactions of one minute by event time.
public struct MinuteCount: Sendable, Equatable {
    /// The beginning of the minute.
    public var minute: EventTime
    /// Clicks, additions to carts and purchases in it.
    public var interactions: Int64
    /// Impressions in it.
    public var impressions: Int64
}

extension StoreQueries {
    /// The stored offsets, by topic and partition.
    public func offsets() throws(StoreError) -> [StoredOffset] {
        try pool.reading { (connection) throws(StoreError) in
            try StoredOffset.all(connection)
        }
    }

    /// Whether what stands at each of these positions was committed.
    ///
    /// - Parameter cluster: the cluster in which the positions mean something; nil where that is not known.
    public func isCommitted(
        _ positions: [(topic: String, position: Position)], cluster: String? = nil
    ) throws(StoreError) -> Bool {
        try pool.reading { (connection) throws(StoreError) in
            var wanted = Parameters()
            wanted.add(positions.map(\.topic))
            wanted.add(positions.map(\.position.partition))
            wanted.add(positions.map(\.position.offset))
            wanted.add(cluster)
            let rows = try connection.run(
                """
                select count(*) from unnest($1::text[], $2::int4[], $3::int8[]) n(topic, partition, position)
                where not exists (select from stream_offsets s where s.topic = n.topic collate "C" and s.partition = n.partition
                    and s.next_offset > n.position and ($4::text is null or s.cluster = $4))
                """, wanted)
            return rows.int64(0, 0) == 0
        }
    }

    /// The time on the database server's clock.
    public func clock() throws(StoreError) -> EventTime {
        try pool.withConnection { (connection) throws(StoreError) in
            guard let time = try connection.run("select clock_timestamp()").time(0, 0) else {
                throw StoreError(.malformedAnswer, "\(connection.place): the server tells no time")
            }
            return time
        }
    }

    /// The time of the newest interaction: where a clock that follows the data stands.
    public func newestEventTime() throws(StoreError) -> EventTime? {
        try pool.reading { (connection) throws(StoreError) in
            try connection.run("select max(event_time) from interactions").time(0, 0)
        }
    }

    /// Counts over the whole store. Reads every row of the features; not for a request's path.
    public func statistics() throws(StoreError) -> StoreStatistics {
        try pool.reading { (connection) throws(StoreError) in
            let rows = try connection.run(
                """
                select (select count(*) from user_features), count(*) filter (where not deleted),
                    count(*) filter (where hidden and not deleted), (select count(*) from erasures), (select version from catalogue_state),
                    (select max(event_time) from interactions), pg_database_size(current_database())
                from items
                """)
            let sums = try connection.run(
                """
                select \(InteractionType.allCases.compactMap(\.countColumn).map(SaturatingSum.sql).joined(separator: ", "))
                from item_features
                """)
            let returns = try ReturnTally.all(connection)
            let letters = try connection.run("select code, count(*) from dead_letters group by code order by code")
            var byCode: [String: Int64] = [:]
            for row in 0..<letters.count { byCode[letters.string(row, 0) ?? ""] = letters.int64(row, 1) }
            var byType: [InteractionType: Int64] = [:]
            for (column, type) in InteractionType.allCases.filter({ $0.countColumn != nil }).enumerated() {
                byType[type] = sums.int64(0, column) ?? 0
            }
            if returns.returns > 0 { byType[.return] = returns.returns }
            return StoreStatistics(
                interactions: byType, users: rows.int64(0, 0) ?? 0, items: rows.int64(0, 1) ?? 0, hiddenItems: rows.int64(0, 2) ?? 0,
                deadLetters: byCode, erasedUsers: rows.int64(0, 3) ?? 0, catalogueVersion: rows.int64(0, 4) ?? 0,
                newestEventTime: rows.time(0, 5), databaseBytes: rows.int64(0, 6) ?? 0, returns: returns)
        }
    }

    /// What followed the impressions since a time, by model version. An impression counts once for each kind of outcome.
    public func modelOutcomes(since: EventTime) throws(StoreError) -> [ModelOutcome] {
        try pool.reading { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(since)
            let net = try NetPurchases(connection)
            let rows = try connection.run(
                """
                with shown as (
                    select request_id, item_id, user_id, model_version from interactions where type = 0 and event_time >= $1
                ), acted as (
                    select distinct request_id, item_id, user_id, type from interactions
                    where type > 0\(net.kept("interactions")) and event_time >= $1 and request_id is not null
                )
                select s.model_version, count(distinct (s.request_id, s.item_id)), count(*) filter (where a.type = 1),
                    count(*) filter (where a.type = 2), count(*) filter (where a.type = 3)
                from shown s left join acted a using (request_id, item_id, user_id)
                group by s.model_version order by s.model_version nulls first
                """, parameters)
            return (0..<rows.count).map { row in
                ModelOutcome(
                    modelVersion: rows.int32(row, 0), impressions: rows.int64(row, 1) ?? 0, clicks: rows.int64(row, 2) ?? 0,
                    addToCarts: rows.int64(row, 3) ?? 0, purchases: rows.int64(row, 4) ?? 0)
            }
        }
    }

    /// Interactions by minute of the hour that ends at `time`; minutes without any are left out.
    public func interactionsPerMinute(until time: EventTime, minutes: Int = 60) throws(StoreError) -> [MinuteCount] {
        try pool.reading { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(EventTime(milliseconds: time.milliseconds - Int64(max(1, minutes)) * 60_000))
            parameters.add(time)
            let rows = try connection.run(
                """
                select date_trunc('minute', event_time) as minute, count(*) filter (where type between 1 and 3),
                    count(*) filter (where type = 0)
                from interactions where event_time > $1 and event_time <= $2 group by 1 order by 1
                """, parameters)
            return (0..<rows.count).map { row in
                MinuteCount(
                    minute: rows.time(row, 0) ?? time, interactions: rows.int64(row, 1) ?? 0, impressions: rows.int64(row, 2) ?? 0)
            }
        }
    }
}

extension InteractionType {
    /// The column of `item_features` that counts it; nil for what has a table of its own.
    fileprivate var countColumn: String? {
        switch self {
        case .impression: "impressions"
        case .click: "clicks"
        case .addToCart: "add_to_carts"
        case .purchase: "purchases"
        case .return: nil
        }
    }
}
