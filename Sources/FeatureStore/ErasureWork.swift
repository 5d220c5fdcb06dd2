import Features
import Foundation
import Interactions

/// Removes the rows of users whose deletion was accepted, in small transactions beside the commits of consumers.
///
/// Everything that is still to be done stands in `open_erasures`: a process that is killed loses nothing, and the next goes on. Of all
/// processes on a database one works at a time. No lock is held that a commit waits for: what a consumer stores after the deletion
/// was accepted is never what is removed here.
///
/// One thread at a time; owns a connection and opens it again when it broke.
public final class ErasureWork {
    /// Users whose rows one step looks for together: what a look costs hardly grows with them.
    public static let usersPerStepLimit = 128
    /// Rows that one transaction removes.
    public static let rowsPerTransactionLimit = 5_000
    /// Rows that are found before they are removed; of who has more, the rest is found by the next step.
    public static let rowsPerStepLimit = 200_000
    /// Ends a statement that takes longer. Commits do not wait for it.
    static let statementTimeoutMilliseconds = 600_000
    /// The advisory lock of whoever removes rows (the bytes of "freshet" and 16).
    static let advisoryLock: Int64 = 0x6672_6573_6865_7410

    /// What one step did.
    public struct Step: Sendable, Equatable {
        /// Users of whom nothing is left to be removed.
        public var users = 0
        /// Interactions that were removed.
        public var rows = 0
        /// Dead letters that were removed.
        public var letters = 0

        /// Nothing yet.
        public init() {}

        /// Adds what another step did.
        public static func += (left: inout Step, right: Step) {
            left.users += right.users
            left.rows += right.rows
            left.letters += right.letters
        }
    }

    /// Called between the transactions of a step. An instrumentation point for crash tests; an error ends the step.
    public var onTransaction: (() throws(StoreError) -> Void)?

    private let url: String
    private let rules: FeatureRules
    private var connection: Connection?

    /// Connects with the first step.
    public init(url: String, rules: FeatureRules) {
        self.url = url
        self.rules = rules
    }

    private func connected() throws(StoreError) -> Connection {
        if let connection, !connection.isBroken { return connection }
        // Rows of a user are found by the filters of their index alone, whatever the statistics of the table say.
        let opened = try Connection(
            url: url, role: "freshet erasure", statementTimeoutMilliseconds: Self.statementTimeoutMilliseconds,
            extraSettings: "set idle_in_transaction_session_timeout = '10s'; set enable_seqscan = off; set enable_hashjoin = off; "
                + "set enable_mergejoin = off; set plan_cache_mode = force_generic_plan; set jit = off; set "
                + "max_parallel_workers_per_gather = 0"
        )
        connection = opened
        return opened
    }

    /// Whether rows are still to be removed, by whatever process.
    public func isOpen() throws(StoreError) -> Bool { try !OpenErasures.isEmpty(try connected()) }

    /// Removes rows of the oldest entries.
    ///
    /// - Returns: nil where nothing is to be done, or another process is at it.
    public func step() throws(StoreError) -> Step? {
        let connection = try connected()
        if try OpenErasures.isEmpty(connection) { return nil }
        var key = Parameters()
        key.add(Self.advisoryLock)
        guard try connection.run("select pg_try_advisory_lock($1)", key).bool(0, 0) else { return nil }
        do throws(StoreError) {
            let done = try work(connection)
            try connection.run("select pg_advisory_unlock($1)", key)
            return done
        } catch {
            // The lock ends with the connection.
            self.connection = nil
            throw error
        }
    }

    /// Works until the queue is empty, whoever empties it.
    ///
    /// - Parameter isStopping: asked between steps; true ends the work early, and the next run goes on.
    public func finish(isStopping: () -> Bool = { false }) throws(StoreError) -> Step {
        var all = Step()
        while !isStopping() {
            if let step = try step() {
                all += step
            } else if try isOpen() {
                Thread.sleep(forTimeInterval: 0.02)
            } else {
                break
            }
        }
        return all
    }

    /// An entry of the queue; `token` changes when the user is erased once more meanwhile.
    private struct Entry {
        var userID: String
        var token: String
        var refolds: Bool
    }

    private func work(_ connection: Connection) throws(StoreError) -> Step {
        var step = Step()
        var limit = Parameters()
        limit.add(Int32(Self.usersPerStepLimit))
        let rows = try connection.run(
            "select user_id, stored_before::text, refolds from open_erasures order by accepted_at, user_id limit $1", limit)
        let entries = (0..<rows.count).map {
            Entry(userID: rows.string($0, 0) ?? "", token: rows.string($0, 1) ?? "", refolds: rows.bool($0, 2))
        }
        if entries.isEmpty { return step }
        summarise(connection)
        let ids = entries.map(\.userID)
        let found = try places(of: ids, connection)
        for start in stride(from: 0, to: found.count, by: Self.rowsPerTransactionLimit) {
            step.rows += try remove(found[start..<min(start + Self.rowsPerTransactionLimit, found.count)], connection)
            try onTransaction?()
        }
        while true {
            let removed = try Erasure.removeLetters(of: ids, limit: Self.rowsPerTransactionLimit, connection)
            step.letters += removed
            if removed == 0 { break }
            try onTransaction?()
        }
        if found.count == Self.rowsPerStepLimit { return step }
        try ReturnMatches.forget(of: ids, connection)
        step.users += try close(entries.filter { !$0.refolds }, connection)
        for entry in entries where entry.refolds {
            try onTransaction?()
            if try refold(entry, connection) { step.users += 1 }
        }
        return step
    }

    /// Brings the index of users up to date. What it does not hold yet is looked through, so this may wait or fail.
    private func summarise(_ connection: Connection) {
        do throws(StoreError) {
            try connection.execute("set lock_timeout = '1s'; select summarise_interactions(); set lock_timeout = 0")
        } catch {
            guard !connection.isBroken else { return }
            do throws(StoreError) { try connection.execute("set lock_timeout = 0") } catch { return }
        }
    }

    /// Where the rows stand that the entries of users take.
    private func places(of userIDs: [String], _ connection: Connection) throws(StoreError) -> [RowPlace] {
        var ids = Parameters()
        ids.add(userIDs)
        ids.add(Int32(Self.rowsPerStepLimit))
        // Only the filters know users: the key's index, which knows times, would be read from one end to the other. A plan for these very
        // users compares each row by a hash of their ids, another one with each of them.
        let rows = try connection.transaction { () throws(StoreError) in
            try connection.execute(
                "set local enable_indexscan = off; set local enable_indexonlyscan = off; set local plan_cache_mode = force_custom_plan")
            return try connection.run(
                """
                select i.place, i.version from (
                    select ctid as place, xmin as version, user_id, event_time, committed_by from interactions
                    where user_id = any($1) offset 0
                ) i join open_erasures e on \(OpenErasures.takes("i")) limit $2
                """, ids)
        }
        return (0..<rows.count).map { RowPlace(rows, $0, 0) }
    }

    /// Removes rows that are still what was found, in one transaction.
    private func remove(_ places: ArraySlice<RowPlace>, _ connection: Connection) throws(StoreError) -> Int {
        let places = Array(places)
        var found = Parameters()
        found.add(count: places.count, place: { places[$0] })
        return try connection.run(
            """
            delete from interactions i using unnest($1::tid[], $2::xid[]) n(place, version), open_erasures e
            where i.ctid = n.place and i.xmin = n.version and \(OpenErasures.takes("i"))
            """, found).affected
    }

    /// Takes users out of the queue of whom nothing is left, unless they were erased once more meanwhile.
    private func close(_ entries: [Entry], _ connection: Connection) throws(StoreError) -> Int {
        if entries.isEmpty { return 0 }
        var done = Parameters()
        done.add(entries.map(\.userID))
        done.add(entries.map(\.token))
        return try connection.run(
            """
            delete from open_erasures o using unnest($1::text[], $2::text[]) n(user_id, token)
            where o.user_id = n.user_id collate "C" and o.stored_before::text = n.token and not o.refolds
            """, done).affected
    }

    /// Folds the features of a user again from what stays, adds them to what came since, and takes the user out of the queue.
    private func refold(_ entry: Entry, _ connection: Connection) throws(StoreError) -> Bool {
        try connection.transaction { () throws(StoreError) in
            var key = Parameters()
            key.add(entry.userID)
            key.add(entry.token)
            let open = try connection.run(
                "select 1 from open_erasures where user_id = $1 and stored_before::text = $2 for update", key)
            if open.count == 0 { return false }
            var userID = Parameters()
            userID.add(entry.userID)
            try connection.execute("set local enable_indexscan = off; set local enable_indexonlyscan = off")
            let rows = try connection.run(
                """
                select event_id, type, item_id, event_time, quantity, source_partition, source_offset, amount_minor, context,
                    currency
                from (select * from interactions where user_id = $1 offset 0) i
                where pg_visible_in_snapshot(committed_by, (select stored_before from open_erasures where user_id = $1))
                """, userID)
            try connection.execute("set local enable_indexscan = on; set local enable_indexonlyscan = on")
            var events: [Interaction] = []
            var delta = FeatureDelta(rules: rules)
            for row in 0..<rows.count {
                guard let type = rows.int16(row, 1).flatMap({ InteractionType(rawValue: UInt8(clamping: $0)) }),
                    let time = rows.time(row, 3)
                else { continue }
                events.append(
                    Interaction(
                        eventID: rows.string(row, 0) ?? "", type: type, userID: entry.userID, itemID: rows.string(row, 2) ?? "",
                        time: time, amountMinor: rows.int64(row, 7), currency: rows.string(row, 9),
                        quantity: rows.int32(row, 4) ?? 1, context: rows.string(row, 8),
                        position: Position(partition: rows.int32(row, 5) ?? 0, offset: rows.int64(row, 6) ?? 0)))
            }
            delta.fold(events)
            try FeatureWriter.addUsers(of: delta, events: events, rules: rules, connection)
            try connection.run("delete from open_erasures where user_id = $1", userID)
            return true
        }
    }
}
