import Interactions

/// The queue of erasures: users whose deletion is committed and whose rows are still to be removed.
///
/// An entry is written by the commit that accepts the deletion and goes with the last of the user's rows. Whoever reads
/// interactions leaves out what an entry ``hides(_:)``, so that nothing of the user is seen meanwhile. See ``ErasureWork``.
enum OpenErasures {
    /// SQL: whether the entry `e` of `open_erasures` takes the row of `interactions` that is called `row`.
    ///
    /// Rows that are dated after the deletion go where they were stored before it: only a clock ahead writes them.
    static func takes(_ row: String) -> String {
        """
        (e.user_id = \(row).user_id and (\(row).event_time <= e.erased_at or (\(row).event_time > e.accepted_at
            and \(row).event_time <= e.ahead_until and pg_visible_in_snapshot(\(row).committed_by, e.stored_before))))
        """
    }

    /// SQL: a condition that leaves out the rows of `interactions`, called `row`, that are to be removed.
    static func hides(_ row: String) -> String { " and not exists (select from open_erasures e where \(takes(row)))" }

    /// SQL: a condition that leaves out the dead letters, called `row`, that are to be removed.
    static func hidesLetters(_ row: String) -> String {
        " and not exists (select from open_erasures e where \(takesLetters(row)))"
    }

    /// SQL: whether the entry `e` takes the dead letter `row`.
    static func takesLetters(_ row: String) -> String {
        "(\(row).id <= e.last_letter and convert_to(e.user_id, 'UTF8') in (\(row).key, \(row).user_id))"
    }

    /// ``hides(_:)`` for a statement that starts now; nothing where nothing is to be hidden, so that plans stay as they are.
    static func visible(_ row: String, _ connection: Connection) throws(StoreError) -> String {
        try isEmpty(connection) ? "" : hides(row)
    }

    /// Whether there is any: an empty queue costs a reader of many rows nothing.
    static func isEmpty(_ connection: Connection) throws(StoreError) -> Bool {
        try !connection.run("select exists (select from open_erasures)").bool(0, 0)
    }

    /// Enters users in the open transaction, whose statements see everything that was stored of them.
    ///
    /// - Parameters:
    ///   - users: with the time up to which they are erased.
    ///   - lastTimes: the latest time of an event of each user of whom features were stored.
    static func add(
        _ users: [(userID: String, erasedAt: EventTime)], lastTimes: [String: EventTime], _ connection: Connection
    ) throws(StoreError) {
        var rows = Parameters()
        rows.add(count: users.count, text: { users[$0].userID })
        rows.add(count: users.count, time: { users[$0].erasedAt })
        rows.add(count: users.count, time: { lastTimes[users[$0].userID] ?? EventTime(milliseconds: DatabaseTime.earliest) })
        try connection.run(
            """
            insert into open_erasures as o (user_id, erased_at, ahead_until, stored_before, last_letter, refolds)
            select user_id, erased_at, case when last_time > now() then last_time end, pg_current_snapshot(),
                (select coalesce(max(id), 0) from dead_letters), last_time > erased_at
            from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) n(user_id, erased_at, last_time) order by user_id collate "C"
            on conflict (user_id) do update
            set erased_at = greatest(o.erased_at, excluded.erased_at), ahead_until = greatest(o.ahead_until, excluded.ahead_until),
                accepted_at = case when o.ahead_until is null then excluded.accepted_at else o.accepted_at end,
                stored_before = excluded.stored_before, last_letter = excluded.last_letter, refolds = o.refolds or excluded.refolds
            """, rows)
    }

    /// Locks the entries of users, before their features: in this order for whoever takes both.
    static func lock(_ userIDs: [String], _ connection: Connection) throws(StoreError) {
        var ids = Parameters()
        ids.add(userIDs)
        try connection.run("select 1 from open_erasures where user_id = any($1) order by user_id for update", ids)
    }
}

extension StoreQueries {
    /// How many users' rows are still to be removed, though their deletion is committed; they are hidden meanwhile.
    public func openErasures() throws(StoreError) -> Int {
        try pool.withConnection { (connection) throws(StoreError) in
            Int(try connection.run("select count(*) from open_erasures").int64(0, 0) ?? 0)
        }
    }

    /// Whether nothing is left to be removed of a user whose deletion is committed, nor of the ids that went with it: whether every
    /// erasure up to this one is finished.
    public func isErasureFinished(of userID: String) throws(StoreError) -> Bool {
        try pool.withConnection { (connection) throws(StoreError) in
            var id = Parameters()
            id.add(userID)
            return try connection.run(
                """
                select not exists (select from open_erasures where user_id = $1) and not exists (
                    select from erasures e join open_erasures o on o.accepted_at <= e.recorded_at where e.user_id = $1)
                """, id).bool(0, 0)
        }
    }
}
