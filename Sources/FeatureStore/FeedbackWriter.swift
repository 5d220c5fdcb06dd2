import Interactions

/// Stores the feedback that events carry, in the transaction that stores the events.
enum FeedbackWriter {
    /// Events of one user that are kept as feedback; beyond it the oldest go. They stay events all the same.
    static let eventsPerUserLimit = 10_000

    /// Stores the feedback of events that were stored now, each once. O(1) where there is none.
    static func write(_ events: some Sequence<Interaction>, _ connection: Connection) throws(StoreError) {
        var rows: [(event: Interaction, feedback: Feedback)] = []
        for event in events {
            if event.context != nil, event.userID != Interaction.nobody, let feedback = Feedback(event) { rows.append((event, feedback)) }
        }
        if rows.isEmpty { return }
        let found = rows.sorted { ($0.event.userID, $0.event.itemID) < ($1.event.userID, $1.event.itemID) }
        var columns = Parameters()
        columns.add(count: found.count, text: { found[$0].event.userID })
        columns.add(count: found.count, text: { found[$0].event.itemID })
        columns.add(count: found.count, text: { found[$0].feedback.type })
        columns.add(count: found.count, time: { found[$0].event.time })
        columns.add(count: found.count, text: { found[$0].event.eventID })
        columns.add(count: found.count, text: { "\(found[$0].feedback.value)" })
        columns.add(count: found.count, time: { found[$0].feedback.time })
        columns.add(count: found.count, text: { found[$0].feedback.labels })
        columns.add(count: found.count, text: { found[$0].feedback.comment.isEmpty ? nil : found[$0].feedback.comment })
        columns.add(count: found.count, int32: { found[$0].event.position.partition })
        columns.add(count: found.count) { found[$0].event.position.offset }
        try connection.run(
            """
            insert into feedback (user_id, item_id, type, event_time, event_id, value, stated_time, labels, comment, source_partition,
                source_offset)
            select u, i, t, at, id, v::float8, said, l::json, c, p, o
            from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
                $9::text[], $10::int4[], $11::int8[]) n(u, i, t, at, id, v, said, l, c, p, o)
            on conflict do nothing
            """, columns)
        try trim(Array(Set(found.map(\.event.userID))).sorted(), connection)
    }

    /// Removes what is more than the bound.
    private static func trim(_ userIDs: [String], _ connection: Connection) throws(StoreError) {
        var users = Parameters()
        users.add(userIDs)
        users.add(Int32(eventsPerUserLimit))
        try connection.run(
            """
            delete from feedback f using (
                select n.user_id, old.stated_time, old.event_id from unnest($1::text[]) n(user_id) cross join lateral (
                    select stated_time, event_id from feedback
                    where user_id = n.user_id collate "C" order by stated_time desc, event_id desc offset $2) old) gone
            where f.user_id = gone.user_id collate "C" and f.stated_time = gone.stated_time and f.event_id = gone.event_id
            """, users)
    }

    /// Removes the feedback on items that were deleted.
    static func removeFeedback(ofDeleted changes: [RecordChange<ItemRecord>], _ connection: Connection) throws(StoreError) {
        let ids = changes.compactMap { change in if case .delete(let id, _) = change { id } else { nil } }
        if ids.isEmpty { return }
        var items = Parameters()
        items.add(ids)
        try connection.run("delete from feedback where item_id = any($1)", items)
    }
}
