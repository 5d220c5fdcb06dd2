import Features
import Interactions

/// Accepts deletions of users: hides what is stored of them at once, and keeps a ledger so that replays and restores cannot bring it
/// back. Their rows of interactions go afterwards, in steps: see ``ErasureWork``.
///
/// Every commit holds a shared advisory lock to its end, one that accepts a deletion an exclusive one: events of an erased user cannot
/// be in flight beside it, and what is stored later knows the ledger. Under the lock only rows are touched that a key finds.
enum Erasure {
    /// The advisory lock between commits and deletions (the bytes of "freshet" and 2).
    static let advisoryLock: Int64 = 0x6672_6573_6865_7402
    /// Dead letters that the accepting commit removes itself; the rest, hidden as well, goes in the steps.
    static let lettersAtOnceLimit = 1_000

    static func lock(_ connection: Connection, exclusively: Bool) throws(StoreError) {
        var key = Parameters()
        key.add(advisoryLock)
        try connection.run("select 1 from pg_advisory_xact_lock\(exclusively ? "" : "_shared")($1)", key)
    }

    /// Whose deletion is asked for.
    struct Asked: Hashable {
        var userID: String
        /// Up to when; nil is the moment of the commit.
        var erasedAt: EventTime?
        /// Whether a person is meant: an id without a record, which exactly one user has as an alias, is that user then.
        var isPerson = false
    }

    /// Accepts the deletion of users, and of the ids that their records name as aliases, and of those that the records of these name, in
    /// the open transaction that holds the lock.
    ///
    /// A time ahead is cut to now. What they did after the given time stays, unless it is dated after now: only a clock ahead
    /// does that, and it does not cancel an erasure. Their features are folded again from what stays. Sums over items stay: they
    /// name nobody.
    ///
    /// - Parameter ahead: the latest time of a user's events of this very commit, where it is after now.
    /// - Returns: whose records were removed.
    @discardableResult
    static func accept(
        _ users: [Asked], ahead: [String: EventTime] = [:], _ connection: Connection
    ) throws(StoreError) -> Set<String> {
        let early = EventTime(milliseconds: DatabaseTime.earliest)
        let aheadUsers = Array(ahead)
        var asked = Parameters()
        asked.add(users.map(\.userID))
        asked.add(count: users.count) { index in users[index].erasedAt.map(DatabaseTime.microseconds) ?? .min }
        asked.add(aheadUsers.map(\.key))
        asked.add(count: aheadUsers.count, time: { aheadUsers[$0].value })
        asked.add(count: users.count) { users[$0].isPerson ? Int64(1) : 0 }
        let ledgered = try connection.run(
            """
            with recursive named as (
                select user_id, is_person = 1 as is_person, case when micros = -9223372036854775808 then now()
                    else least(now(), timestamptz '2000-01-01 00:00:00+00' + micros * interval '1 microsecond') end as erased_at
                from unnest($1::text[], $2::int8[], $5::int8[]) a(user_id, micros, is_person)
            ), asked as (
                select user_id collate "C" as user_id, erased_at from named
                union all
                select owner.user_id, n.erased_at from named n cross join lateral (
                    select min(o.user_id) as user_id from (
                        select user_id from users where aliases @> array[n.user_id] and aliases <> '{}' limit 2) o
                    having count(*) = 1) owner
                where n.is_person and not exists (select from users where user_id = n.user_id collate "C")
            ), everyone as (
                select user_id, erased_at from asked
                union
                select alias collate "C", e.erased_at from everyone e join users u on u.user_id = e.user_id collate "C"
                    cross join unnest(u.aliases) alias
            ), known as (
                select o.user_id, o.erased_at, greatest(f.last_time, b.last_time) as last_time
                from everyone o left join user_features f on f.user_id = o.user_id
                    left join unnest($3::text[], $4::timestamptz[]) b(user_id, last_time) on b.user_id collate "C" = o.user_id
            )
            insert into erasures as e (user_id, erased_at)
            -- Clocks of senders run ahead by minutes: what was stored before the deletion goes with it.
            select user_id, max(case when last_time > erased_at and last_time <= erased_at + \(RecordTime.believedAhead)
                then last_time else erased_at end)
            from known group by user_id order by user_id
            on conflict (user_id) do update
            set erased_at = greatest(least(e.erased_at, e.recorded_at + \(RecordTime.believedAhead)), excluded.erased_at),
                erasure_id = default, recorded_at = now()
            returning user_id, erased_at
            """, asked)
        var people: [(userID: String, erasedAt: EventTime)] = []
        for row in 0..<ledgered.count { people.append((ledgered.string(row, 0) ?? "", ledgered.time(row, 1) ?? early)) }
        let ids = people.map(\.userID)
        try OpenErasures.lock(ids, connection)
        var erased = Parameters()
        erased.add(ids)
        let idsOnly = erased
        let features = try connection.run("delete from user_features where user_id = any($1) returning user_id, last_time", erased)
        var lastTimes: [String: EventTime] = [:]
        for row in 0..<features.count { lastTimes[features.string(row, 0) ?? ""] = features.time(row, 1) }
        try OpenErasures.add(people, lastTimes: lastTimes, connection)
        try connection.run("delete from feedback where user_id = any($1)", idsOnly)

        erased.add(count: people.count, time: { people[$0].erasedAt })
        let source = "unnest($1::text[], $2::timestamptz[]) n(user_id, erased_at)"
        let removed = try connection.run(
            """
            delete from users u using \(source) where u.user_id = n.user_id collate "C" and \(RecordTime.removes("u", at: "n.erased_at"))
            returning u.user_id, u.attributes, u.aliases, u.updated_at, u.field_times
            """, erased)
        try PatchedUsers.keepLater(than: people, of: removed, connection)
        try connection.run(
            """
            delete from identities i using \(source)
            where (i.user_id = n.user_id collate "C" or i.alias = n.user_id collate "C") and i.identified_at <= n.erased_at
            """, erased)
        // A no outlives its person's data, so that who comes back is not followed again. A yes needs no memory.
        try connection.run("delete from wishes where user_id = any($1) and personalised and lifted_at is null", idsOnly)
        // Others may name the erased as ids of theirs: who was never the same person loses a name, and nothing else.
        try connection.run(
            """
            update users u set aliases = array(
                select alias from unnest(u.aliases) with ordinality a(alias, place) where not alias = any($1) order by place)
            where u.aliases && $1 and u.aliases <> '{}'
            """, idsOnly)
        // What was said after the deletion stays.
        try IdentityWriter.join(ids, connection)
        try removeLetters(of: ids, limit: lettersAtOnceLimit, connection)
        return Set((0..<removed.count).compactMap { removed.string($0, 0) })
    }

    /// Removes dead letters that are of users or name them; returns how many.
    ///
    /// - Parameter limit: so many at most of those under a key, and of those that only name somebody.
    @discardableResult
    static func removeLetters(of userIDs: [String], limit: Int, _ connection: Connection) throws(StoreError) -> Int {
        var removed = 0
        for column in ["key", "user_id"] {
            var ids = Parameters()
            ids.add(count: userIDs.count, bytes: { Array(userIDs[$0].utf8) })
            ids.add(Int32(clamping: limit))
            ids.add(userIDs)
            removed += try connection.run(
                """
                delete from dead_letters where id = any(array(
                    select d.id from unnest($1::bytea[], $3::text[]) n(id, name) join dead_letters d on d.\(column) = n.id
                        join open_erasures e on e.user_id = n.name and d.id <= e.last_letter limit $2))
                """, ids).affected
        }
        return removed
    }
}
