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
    /// How many items a read returns as excluded.
    public static let excludedItemsLimit = 10_000
    /// How many aliases of a user are followed.
    public static let aliasesLimit = 32
    static let statementTimeoutMilliseconds = 5_000

    private let queue = ReadQueue()

    /// Connects and starts the threads.
    ///
    /// - Throws: ``StoreError`` when the first connection fails.
    public init(url: String, connections: Int = 2, rules: FeatureRules = FeatureRules()) throws(StoreError) {
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
                self.connection = nil
            }
        }
        let opened = try UserStateReader.open(url)
        connection = opened
        return try states(reads, opened)
    }

    private static let statement = """
        with asked as (
            select a.ordinal, a.user_id collate "C" as user_id, a.mask, u.attributes, u.aliases
            from unnest($1::text[], $2::int4[]) with ordinality a(user_id, mask, ordinal)
            left join users u on u.user_id = a.user_id collate "C"
        ), people as (
            select ordinal, user_id, mask, attributes from asked
            union all
            select ordinal, alias collate "C", mask, null from asked cross join lateral unnest(aliases[1:\(UserStateReader.aliasesLimit)]) alias
            where alias collate "C" <> user_id
        )
        select p.ordinal, p.attributes, f.history, f.last_partition, f.last_offset,
            case when p.mask <> 0 then f.met_items end, (select version from catalogue_state)
        from people p left join user_features f on f.user_id = p.user_id
        """

    private func states(_ reads: [WaitingRead], _ connection: Connection) throws(StoreError) -> [UserState] {
        var asked = Parameters()
        asked.add(count: reads.count, text: { reads[$0].userID })
        asked.add(count: reads.count, int32: { reads[$0].mask })
        let rows = try connection.run(Self.statement, asked)
        var states = reads.map { UserState(userID: $0.userID, history: UserHistory(limit: historyLimit)) }
        var excluded = [Set<String>](repeating: [], count: reads.count)
        for row in 0..<rows.count {
            guard let ordinal = rows.int64(row, 0), states.indices.contains(Int(ordinal) - 1) else { continue }
            let index = Int(ordinal) - 1
            if let attributes = rows.json(row, 1) { states[index].attributes = attributes }
            if !rows.isNull(row, 2) {
                guard let history = UserHistory(decoding: rows.bytes(row, 2), limit: .max),
                    rows.isNull(row, 5) || MetItems.isWhole(rows.bytes(row, 5))
                else {
                    throw StoreError(
                        .malformedAnswer,
                        "\(connection.place): user_features.history or met_items of user \(states[index].userID) cannot be read by this version")
                }
                states[index].history.merge(history)
                exclude(history, rows.bytes(row, 5), mask: UInt8(truncatingIfNeeded: reads[index].mask), from: &states[index], &excluded[index])
                if let partition = rows.int32(row, 3), let offset = rows.int64(row, 4) {
                    states[index].watermark.append(Position(partition: partition, offset: offset))
                }
            }
            states[index].catalogueVersion = rows.int64(row, 6) ?? 0
        }
        return states
    }

    /// Adds the items that exclude: the newest first, from the history, then those that it has forgotten.
    private func exclude(
        _ history: UserHistory, _ metItems: UnsafeRawBufferPointer, mask: UInt8, from state: inout UserState, _ known: inout Set<String>
    ) {
        if mask == 0 { return }
        let limit = UserStateReader.excludedItemsLimit
        for entry in history.entries.reversed() where mask & (1 << entry.type.rawValue) != 0 && known.count < limit {
            if known.insert(entry.itemID).inserted { state.excludedItemIDs.append(entry.itemID) }
        }
        MetItems.forEach(in: metItems, mask: mask) { itemID in
            if known.insert(itemID).inserted { state.excludedItemIDs.append(itemID) }
            return known.count < limit
        }
    }
}
