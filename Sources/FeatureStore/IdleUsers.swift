import Foundation
import Interactions

/// Erases people who were silent for long (`retention.idle_users_days`), by the way of every erasure: their ids enter the ledger with the
/// time before which nothing of theirs comes back, and ``ErasureWork`` removes the rows. Who comes back later is somebody new.
///
/// A person is silent where no event, no record or patch, no wish and no joined id of any of their ids is newer. An id that somebody else
/// has too keeps its person. A record that no source dates says nothing. Goes through the ids page by page in rounds; one thread at a time.
public final class IdleUsers {
    /// Ids that one step looks at.
    public static let idsPerStepLimit = 1_000
    /// People whom one transaction erases: commits of consumers wait for it.
    public static let usersPerTransactionLimit = 64
    /// From the end of a round to the beginning of the next.
    public static let pauseBetweenRounds = Duration.seconds(3_600)
    /// The advisory lock of whoever erases silent people (the bytes of "freshet" and 17).
    static let advisoryLock: Int64 = 0x6672_6573_6865_7411

    private let url: String
    private let idleDays: Int
    private let followsData: Bool
    private var connection: Connection?
    /// The last id that was looked at in this round.
    private var last = ""
    private var isInRound = false
    private var nextRound = ContinuousClock.now

    /// Connects with the first step.
    ///
    /// - Parameters:
    ///   - idleDays: how long somebody may be silent, 1 or more.
    ///   - followsData: whether "now" is the newest event rather than the database's clock.
    public init(url: String, idleDays: Int, followsData: Bool) {
        self.url = url
        self.idleDays = max(1, idleDays)
        self.followsData = followsData
    }

    private func connected() throws(StoreError) -> Connection {
        if let connection, !connection.isBroken { return connection }
        let opened = try Connection(
            url: url, role: "freshet retention", statementTimeoutMilliseconds: 60_000,
            extraSettings: "set idle_in_transaction_session_timeout = '10s'; set enable_seqscan = off; set enable_hashjoin = off; "
                + "set enable_mergejoin = off; set plan_cache_mode = force_generic_plan; set jit = off")
        connection = opened
        return opened
    }

    /// Looks at the next page of ids.
    ///
    /// - Returns: how many people were erased; nil where the round is at its end, the next one is not due, or another process is at it.
    public func step() throws(StoreError) -> Int? {
        guard isInRound || ContinuousClock.now >= nextRound else { return nil }
        let connection = try connected()
        guard let cutoff = try cutoff(connection) else { return endRound() }
        isInRound = true
        var page = Parameters()
        page.add(last)
        let rows = try connection.run(
            """
            select user_id from (
                (select user_id from users where user_id > $1 order by user_id limit \(Self.idsPerStepLimit))
                union (select user_id from user_features where user_id > $1 order by user_id limit \(Self.idsPerStepLimit))) n
            order by user_id limit \(Self.idsPerStepLimit)
            """, page)
        let ids = (0..<rows.count).compactMap { rows.string($0, 0) }
        guard let end = ids.last else { return endRound() }
        let silent = try silent(among: ids, before: cutoff, connection)
        var erased = 0
        for start in stride(from: 0, to: silent.count, by: Self.usersPerTransactionLimit) {
            let part = Array(silent[start..<min(start + Self.usersPerTransactionLimit, silent.count)])
            guard let count = try erase(part, before: cutoff, connection) else { return endRound() }
            erased += count
        }
        last = end
        return erased
    }

    /// Goes through all ids once, whenever the last round was.
    ///
    /// - Parameter isStopping: asked between steps; true ends the round early.
    /// - Returns: how many people were erased.
    public func finish(isStopping: () -> Bool = { false }) throws(StoreError) -> Int {
        (last, isInRound, nextRound) = ("", false, .now)
        var all = 0
        while !isStopping(), let erased = try step() { all += erased }
        return all
    }

    private func endRound() -> Int? {
        (last, isInRound, nextRound) = ("", false, .now + Self.pauseBetweenRounds)
        return nil
    }

    private func cutoff(_ connection: Connection) throws(StoreError) -> EventTime? {
        let now = followsData ? "(select max(event_time) from interactions)" : "now()"
        return try connection.run("select \(now) - interval '\(idleDays) days'").time(0, 0)
    }

    /// Those of the ids whose person is silent.
    private func silent(among ids: [String], before cutoff: EventTime, _ connection: Connection) throws(StoreError) -> [String] {
        var asked = Parameters()
        asked.add(ids)
        asked.add(cutoff)
        let rows = try connection.run(
            """
            select p.id from (select id collate "C" as id from unnest($1::text[]) id) p cross join lateral (
                with recursive person(id, depth) as (
                    select p.id, 0
                    union
                    select alias collate "C", depth + 1 from person q join users u on u.user_id = q.id cross join unnest(u.aliases) alias
                    where depth < 3
                )
                select max(greatest(f.last_time, w.wished_at,
                        -- Of 1970 is what nobody dated, and of the year 1 what only patches made known.
                        case when u.updated_at > timestamptz '0001-01-01 00:00:00+00'
                            then nullif(u.updated_at, timestamptz '1970-01-01 00:00:00+00') end,
                        (select to_timestamp(nullif(max(
                                case when jsonb_typeof(stated.time) = 'number' then stated.time::text::bigint end), 0) / 1000.0)
                            from jsonb_each(u.field_times) stated(name, time)),
                        (select max(identified_at) from identities i where i.user_id = q.id))) as newest,
                    bool_or(exists (select from users o where o.aliases @> array[q.id collate "default"] and o.aliases <> '{}'
                        and o.user_id not in (select id from person))) as is_shared
                from person q left join user_features f on f.user_id = q.id left join users u on u.user_id = q.id
                    left join wishes w on w.user_id = q.id
            ) known where known.newest < $2 and not known.is_shared order by p.id
            """, asked)
        return (0..<rows.count).compactMap { rows.string($0, 0) }
    }

    /// Erases those who are still silent once nothing else is being stored; nil where another process is at it.
    private func erase(_ ids: [String], before cutoff: EventTime, _ connection: Connection) throws(StoreError) -> Int? {
        try connection.transaction { () throws(StoreError) -> Int? in
            var key = Parameters()
            key.add(Self.advisoryLock)
            guard try connection.run("select pg_try_advisory_xact_lock($1)", key).bool(0, 0) else { return nil }
            try Erasure.lock(connection, exclusively: true)
            let still = try silent(among: ids, before: cutoff, connection)
            if still.isEmpty { return 0 }
            try Erasure.accept(still.map { Erasure.Asked(userID: $0, erasedAt: cutoff) }, connection)
            var silent = Parameters()
            silent.add(still)
            try connection.run("update erasures set idle = true where user_id = any($1)", silent)
            return still.count
        }
    }
}
