import Interactions

/// What was bought less what was given back, in SQL over rows of `interactions`.
///
/// A purchase of which all was given back was none; of another one the pieces that were kept count, with their share of the amount.
struct NetPurchases {
    /// Whether anything was given back: where nothing was, statements stay as they are.
    private let isNeeded: Bool
    /// Only returns up to this time count.
    private let until: EventTime?
    /// Whether the statement reads ``join(_:)`` behind the table: for who reads the whole log, all matches are summed once.
    private let readsAll: Bool

    /// Looks whether there are returns that match.
    init(_ connection: Connection, until: EventTime? = nil, readsAll: Bool = false) throws(StoreError) {
        isNeeded = try connection.run("select exists (select from purchase_returns)").bool(0, 0)
        self.until = until
        self.readsAll = readsAll
    }

    private var known: String { until.map { " and m.return_time <= \(TrainingSnapshot.literal($0))" } ?? "" }

    /// SQL: how many pieces of the purchase `row` were given back; null where none was.
    private func taken(_ row: String) -> String {
        if readsAll { return "taken.pieces" }
        return """
            (select sum(m.pieces) from purchase_returns m
                where m.purchase_time = \(row).event_time and m.purchase_id = \(row).event_id\(known))
            """
    }

    /// SQL: what stands behind the table in `from`, where the whole log is read.
    func join(_ row: String) -> String {
        guard isNeeded, readsAll else { return "" }
        return """
             left join (select m.purchase_time, m.purchase_id, sum(m.pieces) as pieces
                from purchase_returns m where true\(known) group by 1, 2) taken
                on taken.purchase_time = \(row).event_time and taken.purchase_id = \(row).event_id
            """
    }

    /// SQL: a condition that leaves out returns, and purchases of which all was given back.
    func kept(_ row: String) -> String {
        let isKept = isNeeded ? " and (\(row).type <> 3 or \(row).quantity > coalesce(\(taken(row)), 0))" : ""
        return " and \(row).type <> 4\(isKept)"
    }

    /// SQL: the pieces that were kept.
    func quantity(_ row: String) -> String {
        guard isNeeded else { return "\(row).quantity" }
        return "(\(row).quantity - case when \(row).type = 3 then coalesce(\(taken(row)), 0) else 0 end)::integer"
    }

    /// SQL: the amount of the pieces that were kept, in minor units, rounded half away from zero.
    func amount(_ row: String) -> String {
        guard isNeeded else { return "\(row).amount_minor" }
        return """
            case when \(row).type <> 3 or \(row).amount_minor is null then \(row).amount_minor
                else round(\(row).amount_minor::numeric * \(quantity(row)) / \(row).quantity)::bigint end
            """
    }
}

extension TrainingSnapshot {
    /// How many returns there are up to a time, and what of them matches no purchase. Reads every return.
    public func returns(until: EventTime? = nil) throws(StoreError) -> ReturnTally {
        let known = until.map { " and return_time <= \(Self.literal($0))" } ?? ""
        let rows = try connection.run(
            """
            select count(*), coalesce(sum(quantity), 0)::bigint, count(*) filter (where m.pieces < quantity),
                count(*) filter (where m.pieces is null), coalesce(sum(quantity - coalesce(m.pieces, 0)), 0)::bigint
            from interactions left join (
                select return_time, return_id, sum(pieces) as pieces from purchase_returns where true\(known) group by 1, 2) m
                on m.return_time = event_time and m.return_id = event_id
            where type >= 3 and type = 4\(Self.condition(until: until))\(visible)
            """)
        return ReturnTally(rows, 0, from: 0)
    }
}
