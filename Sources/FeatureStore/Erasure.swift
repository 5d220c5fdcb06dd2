import Features
import Interactions

/// Removes what is stored of users, and keeps a ledger so that replays and restores cannot bring it back.
///
/// Every commit holds a shared advisory lock to its end, an erasure an exclusive one: events of an erased user cannot be
/// in flight beside it.
enum Erasure {
    /// The advisory lock between commits and erasures (the bytes of "freshet" and 2).
    static let advisoryLock: Int64 = 0x6672_6573_6865_7402

    static func lock(_ connection: Connection, exclusively: Bool) throws(StoreError) {
        var key = Parameters()
        key.add(advisoryLock)
        try connection.run("select 1 from pg_advisory_xact_lock\(exclusively ? "" : "_shared")($1)", key)
    }

    /// Erases users, and the ids that their records name as aliases, and those that the records of these name, in the open
    /// transaction that holds the lock.
    ///
    /// A time ahead is cut to now. What they did after the given time stays, unless it is dated after now: only a clock ahead
    /// does that, and it does not cancel an erasure. Their features are folded again from what stays. Sums over items stay: they
    /// name nobody.
    ///
    /// - Returns: whose records were removed.
    @discardableResult
    static func apply(
        _ users: [(userID: String, erasedAt: EventTime?)], rules: FeatureRules, _ connection: Connection
    ) throws(StoreError) -> Set<String> {
        var asked = Parameters()
        asked.add(users.map(\.userID))
        asked.add(count: users.count) { index in users[index].erasedAt.map(DatabaseTime.microseconds) ?? .min }
        let ledgered = try connection.run(
            """
            with recursive asked as (
                select user_id, case when micros = -9223372036854775808 then now()
                    else least(now(), timestamptz '2000-01-01 00:00:00+00' + micros * interval '1 microsecond') end as erased_at
                from unnest($1::text[], $2::int8[]) a(user_id, micros)
            ), everyone as (
                select user_id collate "C" as user_id, erased_at from asked
                union
                select alias collate "C", e.erased_at from everyone e join users u on u.user_id = e.user_id collate "C"
                    cross join unnest(u.aliases) alias
            )
            insert into erasures as e (user_id, erased_at)
            -- Clocks of senders run ahead by minutes: what was stored before the deletion goes with it.
            select o.user_id, max(case when f.last_time > o.erased_at and f.last_time <= o.erased_at + interval '5 minutes'
                then f.last_time else o.erased_at end)
            from everyone o left join user_features f on f.user_id = o.user_id group by o.user_id order by o.user_id
            on conflict (user_id) do update
            set erased_at = greatest(least(e.erased_at, e.recorded_at + \(RecordTime.believedAhead)), excluded.erased_at),
                erasure_id = default, recorded_at = now()
            returning user_id, erased_at
            """, asked)
        let ids = (0..<ledgered.count).map { ledgered.string($0, 0) ?? "" }
        var erased = Parameters()
        erased.add(ids)
        erased.add(count: ids.count, time: { ledgered.time($0, 1) ?? EventTime(milliseconds: 0) })

        let source = "unnest($1::text[], $2::timestamptz[]) n(user_id, erased_at)"
        try removeInteractions(ids, rules: rules, erased, connection)
        let left = try connection.run(
            """
            delete from user_features f using \(source) where f.user_id = n.user_id collate "C"
            returning f.user_id, n.erased_at, f.last_time, f.last_time > n.erased_at
            """, erased)
        for row in 0..<left.count where left.bool(row, 3) {
            guard let userID = left.string(row, 0), let from = left.time(row, 1), let to = left.time(row, 2) else { continue }
            try refold(userID, after: from, to: to, rules: rules, connection)
        }
        let removed = try connection.run(
            """
            delete from users u using \(source) where u.user_id = n.user_id collate "C" and \(RecordTime.removes("u", at: "n.erased_at"))
            returning u.user_id
            """, erased)
        try connection.run(
            "delete from dead_letters d using \(source) where d.key = convert_to(n.user_id, 'UTF8')", erased)
        return Set((0..<removed.count).compactMap { removed.string($0, 0) })
    }

    /// Folds the features of a user again from what is stored.
    private static func refold(
        _ userID: String, after: EventTime, to: EventTime, rules: FeatureRules, _ connection: Connection
    ) throws(StoreError) {
        var span = Parameters()
        span.add(userID)
        span.add(after)
        span.add(to)
        let rows = try connection.run(
            """
            select event_id, type, item_id, event_time, quantity, source_partition, source_offset, amount_minor, context, currency from interactions
            where user_id = $1 and event_time between $2 and $3
            """, span)
        var events: [Interaction] = []
        var delta = FeatureDelta(rules: rules)
        for row in 0..<rows.count {
            guard let type = rows.int16(row, 1).flatMap({ InteractionType(rawValue: UInt8(clamping: $0)) }), let time = rows.time(row, 3)
            else { continue }
            events.append(
                Interaction(
                    eventID: rows.string(row, 0) ?? "", type: type, userID: userID, itemID: rows.string(row, 2) ?? "", time: time,
                    amountMinor: rows.int64(row, 7), currency: rows.string(row, 9), quantity: rows.int32(row, 4) ?? 1, context: rows.string(row, 8),
                    position: Position(partition: rows.int32(row, 5) ?? 0, offset: rows.int64(row, 6) ?? 0)))
        }
        delta.fold(events)
        let full = FullUsers(delta, events: events)
        var features: [UserFeatureRow] = []
        for change in delta.users.values { features.append(UserFeatureRow(change, rules: rules, events: full)) }
        try FeatureWriter.insert(features[...], connection)
    }

    /// Deletes what users did up to the time of their erasure.
    ///
    /// Interactions have no index by user: it would cost as much as storing them. The history knows the times of its events,
    /// and the primary key finds those. Of users with impressions, or with more events than a history holds, everything
    /// between their first and last time is looked at.
    private static func removeInteractions(
        _ ids: [String], rules: FeatureRules, _ erased: Parameters, _ connection: Connection
    ) throws(StoreError) {
        var asked = Parameters()
        asked.add(ids)
        let rows = try connection.run(
            "select user_id, history from user_features where user_id = any($1) and impressions = 0 and met_items is null", asked)
        var found: [(userID: String, time: EventTime)] = []
        var whole: [String] = []
        for row in 0..<rows.count {
            guard let userID = rows.string(row, 0), let history = UserHistory(decoding: rows.bytes(row, 1), limit: .max) else { continue }
            whole.append(userID)
            for entry in history.entries { found.append((userID, entry.time)) }
        }
        if !found.isEmpty {
            var events = erased
            events.add(count: found.count, text: { found[$0].userID })
            events.add(count: found.count, time: { found[$0].time })
            try connection.run(
                """
                delete from interactions i using unnest($3::text[], $4::timestamptz[]) d(user_id, event_time),
                    unnest($1::text[], $2::timestamptz[]) n(user_id, erased_at)
                where n.user_id = d.user_id and (d.event_time <= n.erased_at or d.event_time > now())
                    and i.event_time = d.event_time and i.user_id = d.user_id collate "C"
                """, events)
        }
        if whole.count == ids.count { return }
        var others = erased
        others.add(whole)
        try connection.run(
            """
            delete from interactions i using unnest($1::text[], $2::timestamptz[]) n(user_id, erased_at), user_features f
            where f.user_id = n.user_id collate "C" and not (n.user_id = any($3)) and i.user_id = f.user_id
              and i.event_time between f.first_time and f.last_time and (i.event_time <= n.erased_at or i.event_time > now())
            """, others)
    }
}
