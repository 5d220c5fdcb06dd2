import Features
import Foundation
import Interactions

/// Reads users' states for requests. Reads that wait at the same time share one statement.
///
/// Each connection has a thread of its own. `@unchecked Sendable`: ``close()`` and ``read(userID:exclude:)`` only touch
/// the queue, which guards itself.
public final class UserStateReader: @unchecked Sendable {
    /// How many reads one statement serves.
    public static let readsPerStatementLimit = 64
    /// How many reads may wait; beyond that they are refused as `overloaded`.
    public static let waitingReadsLimit = 4_096
    /// How many items a read returns as excluded. One that would return more says so: ``UserState/isCutShort``.
    public static let excludedItemsLimit = 200_000
    /// How many ids of one person a read takes in beside the one that was asked for: as many as a record may name. Aliases of
    /// aliases count; one that finds more says so: ``UserState/isCutShort``.
    public static let aliasesLimit = 1_000
    static let statementTimeoutMilliseconds = 5_000

    /// The newest interactions of a user that a read returns at most.
    public let historyLimitEvents: Int
    private let queue = ReadQueue()

    /// Connects and starts the threads.
    ///
    /// - Throws: ``StoreError`` when the first connection fails.
    public init(url: String, connections: Int = 2, rules: FeatureRules = FeatureRules()) throws(StoreError) {
        historyLimitEvents = rules.historyLimitEvents
        let first = try Self.open(url)
        queue.threadsBegin(max(1, connections))
        var opened: Connection? = first
        for number in 0..<max(1, connections) {
            let worker = ReadWorker(url: url, queue: queue, historyLimit: rules.historyLimitEvents, connection: opened.take())
            let thread = Thread { worker.run() }
            thread.name = "freshet-read-\(number)"
            thread.start()
        }
    }

    deinit { queue.close() }

    /// Ends the threads after the reads that wait, and waits for them, ten seconds at most: a process that ends while a thread still
    /// says goodbye to the database takes away the library that it does so with.
    public func close() {
        queue.close()
        queue.waitForThreads(until: Date(timeIntervalSinceNow: 10))
    }

    /// The state of a user now; an unknown user has an empty history.
    ///
    /// - Parameter exclude: which interactions exclude an item. Impressions are not kept by user and exclude nothing.
    /// - Throws: ``StoreError``; `overloaded` when too many reads wait.
    public func read(userID: String, exclude: [InteractionType]) async throws(StoreError) -> UserState {
        var mask: Int32 = 0
        for type in exclude where type != .impression { mask |= 1 << Int32(type.rawValue) }
        let answer: Result<UserState, StoreError> = await withCheckedContinuation { continuation in
            queue.add(WaitingRead(userID: userID, mask: mask, continuation: continuation))
        }
        return try answer.get()
    }

    /// How many reads so far were ``UserState/isCutShort``.
    public var cutShortReads: Int { queue.cutShortReads }

    /// How many of its connections have ended, whoever ended them; each was replaced by the next read.
    public var lostConnections: Int { queue.lost.count }

    static func open(_ url: String) throws(StoreError) -> Connection {
        try Connection(
            url: url, role: "freshet read", statementTimeoutMilliseconds: statementTimeoutMilliseconds,
            extraSettings: "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; "
                + "set plan_cache_mode = force_generic_plan; set default_transaction_read_only = on")
    }
}

/// One read that waits for its answer.
private struct WaitingRead: Sendable {
    let userID: String
    /// A bit for each type that excludes.
    let mask: Int32
    let continuation: CheckedContinuation<Result<UserState, StoreError>, Never>
}

/// The reads that wait. `@unchecked Sendable`: the fields change only under `condition`.
private final class ReadQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [WaitingRead] = []
    private var isClosed = false
    private var threads = 0
    private var cutShort = 0
    let lost = LostConnections()

    var cutShortReads: Int {
        condition.lock()
        defer { condition.unlock() }
        return cutShort
    }

    func note(cutShort count: Int) {
        guard count > 0 else { return }
        condition.lock()
        cutShort += count
        condition.unlock()
    }

    func threadsBegin(_ count: Int) {
        condition.lock()
        threads += count
        condition.unlock()
    }

    func threadEnds() {
        condition.lock()
        threads -= 1
        condition.broadcast()
        condition.unlock()
    }

    func waitForThreads(until limit: Date) {
        condition.lock()
        while threads > 0, condition.wait(until: limit) {}
        condition.unlock()
    }

    func add(_ read: WaitingRead) {
        condition.lock()
        let refusal: StoreError? =
            if isClosed {
                StoreError(.closed, "the reader of user states is closed")
            } else if waiting.count >= UserStateReader.waitingReadsLimit {
                StoreError(
                    .overloaded, isRetriable: true,
                    "\(UserStateReader.waitingReadsLimit) reads of user states wait already; the database is slower than the requests")
            } else {
                nil
            }
        if refusal == nil { waiting.append(read) }
        condition.signal()
        condition.unlock()
        if let refusal { read.continuation.resume(returning: .failure(refusal)) }
    }

    /// Waits for reads. Nil when the queue is closed and empty.
    func take() -> [WaitingRead]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        let count = min(waiting.count, UserStateReader.readsPerStatementLimit)
        let taken = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return taken
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}

/// The loop of one thread and its connection. `@unchecked Sendable`: used by that thread only.
private final class ReadWorker: @unchecked Sendable {
    private let url: String
    private let queue: ReadQueue
    private let historyLimit: Int
    private var connection: Connection?

    init(url: String, queue: ReadQueue, historyLimit: Int, connection: Connection?) {
        self.url = url
        self.queue = queue
        self.historyLimit = historyLimit
        self.connection = connection
    }

    func run() {
        while let reads = queue.take() {
            do throws(StoreError) {
                let states = try answer(reads)
                queue.note(cutShort: states.count(where: \.isCutShort))
                for (read, state) in zip(reads, states) { read.continuation.resume(returning: .success(state)) }
            } catch {
                for read in reads { read.continuation.resume(returning: .failure(error)) }
            }
        }
        connection = nil
        queue.threadEnds()
    }

    /// Runs the statement, once more on a new connection when the server closed the old one meanwhile.
    private func answer(_ reads: [WaitingRead]) throws(StoreError) -> [UserState] {
        if let connection {
            do throws(StoreError) {
                return try states(reads, connection)
            } catch {
                guard connection.isBroken else { throw error }
                queue.lost.add()
                self.connection = nil
            }
        }
        let opened = try UserStateReader.open(url)
        connection = opened
        return try states(reads, opened)
    }

    /// The users that were asked for and the aliases that their records name. Of an alias that has a record of its own the names
    /// in it come too, for ``further``.
    private static let statement = """
        with asked as (
            select a.ordinal, a.user_id collate "C" as user_id, a.mask, u.attributes, u.aliases, against.user_id is not null as is_against
            from unnest($1::text[], $2::int4[]) with ordinality a(user_id, mask, ordinal)
            left join wishes against on against.user_id = a.user_id collate "C" and not against.personalised
            left join users u on u.user_id = a.user_id collate "C" and against.user_id is null
        ), people as (
            select ordinal, user_id, mask, attributes, null::text as alias,
                cardinality(aliases) > \(UserStateReader.aliasesLimit) as is_cut, is_against
            from asked
            union all
            select ordinal, alias collate "C", mask, null, alias, false, false
            from asked cross join lateral unnest(aliases[1:\(UserStateReader.aliasesLimit)]) alias where alias collate "C" <> user_id
        )
        select p.ordinal, p.attributes, f.history, f.last_partition, f.last_offset,
            case when p.mask <> 0 then f.met_items end, (select version from catalogue_state), p.user_id, r.aliases, p.is_cut,
            (select lineage from catalogue_state), p.is_against
        from people p left join user_features f on f.user_id = p.user_id\(unless("p.user_id"))
            left join users r on r.user_id = p.alias collate "C" and cardinality(r.aliases) > 0
        """

    /// SQL: nothing is read of an id of somebody who does not want it.
    private static func unless(_ userID: String) -> String {
        " and not exists (select from wishes w where w.user_id = \(userID) and not w.personalised)"
    }

    /// The same of aliases of aliases.
    private static let further = """
        select a.ordinal, null::jsonb, f.history, f.last_partition, f.last_offset,
            case when a.mask <> 0 then f.met_items end, (select version from catalogue_state), a.user_id, r.aliases, false,
            (select lineage from catalogue_state), false
        from unnest($1::text[], $2::int4[], $3::int8[]) a(user_id, mask, ordinal)
            left join user_features f on f.user_id = a.user_id collate "C"\(unless("a.user_id collate \"C\""))
            left join users r on r.user_id = a.user_id collate "C" and cardinality(r.aliases) > 0
        """

    private func states(_ reads: [WaitingRead], _ connection: Connection) throws(StoreError) -> [UserState] {
        var asked = Parameters()
        asked.add(count: reads.count, text: { reads[$0].userID })
        asked.add(count: reads.count, int32: { reads[$0].mask })
        var people = reads.map { PersonRead(state: UserState(userID: $0.userID, history: UserHistory(limit: historyLimit))) }
        var next = try merge(try connection.run(Self.statement, asked), reads, &people, connection)
        // Aliases of aliases are the same person as well. Each round takes in ids that were not met before, so it ends.
        while !next.isEmpty {
            let round = next
            var more = Parameters()
            more.add(count: round.count, text: { round[$0].userID })
            more.add(count: round.count, int32: { reads[round[$0].read].mask })
            more.add(count: round.count) { Int64(round[$0].read + 1) }
            next = try merge(try connection.run(Self.further, more), reads, &people, connection)
        }
        return people.map(\.state)
    }

    /// Takes rows into the states that they belong to. Returns the ids that are to be read next.
    private func merge(
        _ rows: QueryResult, _ reads: [WaitingRead], _ people: inout [PersonRead], _ connection: Connection
    ) throws(StoreError) -> [(userID: String, read: Int)] {
        var named: [(userID: String, read: Int)] = []
        for row in 0..<rows.count {
            guard let ordinal = rows.int64(row, 0), people.indices.contains(Int(ordinal) - 1) else { continue }
            let index = Int(ordinal) - 1
            let userID = rows.string(row, 7) ?? ""
            // An id that a record names twice, or that names its way back, is there already.
            guard people[index].isRead.insert(userID).inserted else { continue }
            people[index].ids.insert(userID)
            if rows.bool(row, 11) { people[index].state.isPersonalised = false }
            people[index].state.isCutShort = people[index].state.isCutShort || rows.bool(row, 9)
            if !rows.isNull(row, 8) { for alias in rows.strings(row, 8) { named.append((alias, index)) } }
            if let attributes = rows.json(row, 1) { people[index].state.attributes = attributes }
            if !rows.isNull(row, 2) {
                guard let history = UserHistory(decoding: rows.bytes(row, 2), limit: .max),
                    rows.isNull(row, 5) || MetItems.isWhole(rows.bytes(row, 5))
                else {
                    throw StoreError(
                        .malformedAnswer,
                        "\(connection.place): user_features.history or met_items of user \(userID) cannot be read by this version")
                }
                // What was given back is neither bought nor met.
                let kept = history.kept
                people[index].state.history.merge(kept)
                people[index].exclude(kept, rows.bytes(row, 5), mask: UInt8(truncatingIfNeeded: reads[index].mask))
                if let partition = rows.int32(row, 3), let offset = rows.int64(row, 4) {
                    people[index].state.watermark.append(Position(partition: partition, offset: offset))
                }
            }
            let mark = CatalogueMark(version: rows.int64(row, 6) ?? 0, lineage: rows.int64(row, 10) ?? 0)
            if mark.version >= people[index].state.catalogue.version { people[index].state.catalogue = mark }
        }
        return named.filter { alias, index in
            guard !people[index].ids.contains(alias) else { return false }
            guard people[index].ids.count <= UserStateReader.aliasesLimit else {
                people[index].state.isCutShort = true
                return false
            }
            people[index].ids.insert(alias)
            return true
        }
    }
}

/// One read on its way: the state so far, and which ids of the person are in it.
private struct PersonRead {
    var state: UserState
    /// Ids that are read or will be.
    var ids: Set<String> = []
    var isRead: Set<String> = []
    /// Where each item stands among those that exclude.
    private var excluded: [String: Int] = [:]

    init(state: UserState) { self.state = state }

    /// Adds the items that exclude: the newest first, from the history, then those that it has forgotten.
    mutating func exclude(_ history: UserHistory, _ metItems: UnsafeRawBufferPointer, mask: UInt8) {
        if mask == 0 { return }
        for entry in history.entries.reversed() where mask & (1 << entry.type.rawValue) != 0 {
            guard exclude(entry.itemID, 1 << entry.type.rawValue) else { return }
        }
        if MetItems.isFull(metItems) { state.isCutShort = true }
        MetItems.forEach(in: metItems, mask: mask) { exclude($0, $1) }
    }

    /// False where there is no room for another item.
    private mutating func exclude(_ itemID: String, _ ways: UInt8) -> Bool {
        if let place = excluded[itemID] {
            state.excludedWays[place] |= ways
            return true
        }
        guard excluded.count < UserStateReader.excludedItemsLimit else {
            state.isCutShort = true
            return false
        }
        excluded[itemID] = state.excludedItemIDs.count
        state.excludedItemIDs.append(itemID)
        state.excludedWays.append(ways)
        return true
    }
}
