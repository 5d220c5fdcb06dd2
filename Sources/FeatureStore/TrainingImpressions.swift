import Interactions

/// Something that was shown, and what its user did with it under the same request; ids are lent for the call that gets it.
public struct TrainingImpression {
    /// To whom the item was shown, as UTF-8; borrowed for the call.
    public var userID: UnsafeRawBufferPointer
    /// What was shown, as UTF-8; borrowed for the call.
    public var itemID: UnsafeRawBufferPointer
    /// When it was shown.
    public var time: EventTime
    /// A bit for each type of interaction that followed: 1 click, 2 add_to_cart, 4 purchase.
    public var outcomes: UInt8
    /// What was paid in all, in minor units of one currency; see ``TrainingEvent/amountMinor``.
    public var amountMinor: Int64
}

extension TrainingSnapshot {
    /// Streams the newest impressions with what came of them.
    ///
    /// - Parameters:
    ///   - limit: so many at most.
    ///   - until: only impressions and interactions up to this time.
    ///   - each: gets every one, in no order; what it throws ends the export.
    public func forEachImpression(
        limit: Int, until: EventTime? = nil, _ each: (TrainingImpression) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard limit > 0 else { return }
        let condition = Self.condition(until: until) + visible
        let net = try NetPurchases(connection, until: until)
        let sql = """
            copy (
                select shown.user_id, shown.item_id, shown.event_time,
                    coalesce(bit_or(case outcome.type when 1 then 1 when 2 then 2 when 3 then 4 end), 0)::int,
                    \(SaturatingSum.sql("case when outcome.type = 3 then \(amounts.sql("outcome")) end"))
                from (
                    select user_id, item_id, event_time, event_id, request_id from interactions
                    where type = 0\(condition) order by event_time desc limit \(limit)
                ) shown
                left join lateral (
                    select type, currency, \(net.amount("interactions")) as amount_minor from interactions
                    where request_id = shown.request_id and item_id = shown.item_id and user_id = shown.user_id
                        and type > 0\(net.kept("interactions"))\(condition)
                ) outcome on true
                group by shown.user_id, shown.item_id, shown.event_time, shown.event_id
            ) to stdout (format binary)
            """
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        try connection.copyOut(sql) { (row) throws(StoreError) in
            try each(
                TrainingImpression(
                    userID: try row.next() ?? nothing, itemID: try row.next() ?? nothing,
                    time: try row.time() ?? EventTime(milliseconds: 0), outcomes: UInt8(truncatingIfNeeded: try row.int32() ?? 0),
                    amountMinor: try row.int64() ?? 0))
        }
    }
}
