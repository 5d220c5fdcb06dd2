import Interactions

/// What the gate refused, for whoever watches.
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

extension StoreQueries {
    /// What the gate refused. Reads a few rows.
    public func modelRefusals() throws(StoreError) -> ModelRefusals {
        try pool.withConnection { (connection) throws(StoreError) in
            let rows = try connection.run(
                """
                with row as (
                    select version, created_at, refusal from models
                    where status = 'refused' and version > coalesce((select max(version) from models where promoted_at is not null), 0))
                select (select count(*) from models where refusal is not null), (select count(*) from row),
                       newest.version, newest.created_at, newest.refusal
                from (values (1)) one left join lateral (select * from row order by version desc limit 1) newest on true
                """)
            guard rows.count == 1 else { return ModelRefusals() }
            var refusals = ModelRefusals(total: rows.int64(0, 0) ?? 0, inARow: rows.int64(0, 1) ?? 0)
            if let version = rows.int32(0, 2), let created = rows.time(0, 3) {
                refusals.newest = (version, created, rows.string(0, 4) ?? "")
            }
            return refusals
        }
    }
}
