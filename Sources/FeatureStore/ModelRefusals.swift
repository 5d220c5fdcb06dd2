import Interactions

/// What the gate refused, for whoever watches. A counter that stands beside its model is no training of its own.
public struct ModelRefusals: Sendable, Equatable {
    /// Versions that the gate refused since the beginning, those that were promoted all the same included.
    public var total: Int64
    /// Refused versions that are newer than all that were ever promoted: how many trainings in a row brought nothing.
    public var inARow: Int64
    /// The newest of ``inARow``; nil where there is none.
    public var newest: (version: Int32, createdAt: EventTime, reason: String)?

    /// Makes figures.
    public init(total: Int64 = 0, inARow: Int64 = 0, newest: (version: Int32, createdAt: EventTime, reason: String)? = nil) {
        self.total = total
        self.inARow = inARow
        self.newest = newest
    }

    public static func == (first: ModelRefusals, second: ModelRefusals) -> Bool {
        first.total == second.total && first.inARow == second.inARow && first.newest?.version == second.newest?.version
            && first.newest?.reason == second.newest?.reason
    }
}

extension ModelRefusals {
    /// SQL: one row with what ``init(_:_:from:)`` reads, in its order.
    static let statement = """
        select (select count(*) from models where refusal is not null and metrics->>'counter' is null) as refused,
               (select count(*) from in_a_row) as refused_in_a_row,
               newest.version as refused_version, newest.created_at as refused_at, newest.refusal
        from (values (1)) one
            left join lateral (select * from in_a_row order by version desc limit 1) newest on true
        """

    /// SQL: what ``statement`` takes as `in_a_row`, for the head of the statement that it stands in.
    static let refusedInARow = """
        in_a_row as (
            select version, created_at, refusal from models
            where status = 'refused' and metrics->>'counter' is null
                and version > coalesce((select max(version) from models where promoted_at is not null), 0))
        """

    /// Reads the columns of ``statement``, which begin at `first`.
    init(_ rows: QueryResult, _ row: Int, from first: Int) {
        self.init(total: rows.int64(row, first) ?? 0, inARow: rows.int64(row, first + 1) ?? 0)
        if let version = rows.int32(row, first + 2), let created = rows.time(row, first + 3) {
            newest = (version, created, rows.string(row, first + 4) ?? "")
        }
    }
}

extension StoreQueries {
    /// What the gate refused. Reads a few rows.
    public func modelRefusals() throws(StoreError) -> ModelRefusals {
        try pool.withConnection { (connection) throws(StoreError) in
            let rows = try connection.run("with \(ModelRefusals.refusedInARow) \(ModelRefusals.statement)")
            return rows.count == 1 ? ModelRefusals(rows, 0, from: 0) : ModelRefusals()
        }
    }
}
