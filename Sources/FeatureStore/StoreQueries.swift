import Features
import Interactions

/// Everything that is asked of the store beside ingest and the reads of a request.
///
/// The calls block; ``run(_:)`` brings them off Swift's cooperative threads. Connections come from a bounded pool.
public final class StoreQueries: Sendable {
    /// How many connections are open at most, unless asked otherwise.
    public static let defaultConnections = 4
    /// A statement that takes longer is ended.
    public static let statementTimeoutMilliseconds = 60_000
    /// How many rows a listing returns at most.
    public static let listedRowsLimit = 1_000

    let pool: ConnectionPool
    let url: String
    let rules: FeatureRules
    private let threads: StoreThreads

    /// Makes the pool; connections open when they are first needed.
    public init(url: String, rules: FeatureRules = FeatureRules(), connections: Int = StoreQueries.defaultConnections) {
        self.url = url
        self.rules = rules
        pool = ConnectionPool(
            url: url, role: "freshet", connectionsLimit: connections, statementTimeoutMilliseconds: Self.statementTimeoutMilliseconds)
        threads = StoreThreads(count: connections)
    }

    /// How many of its connections have ended, whoever ended them; each was replaced by the next call.
    public var lostConnections: Int { pool.lost.count }

    /// Runs blocking calls on the store's own threads, at most as many at a time as there are connections.
    public func run<R: Sendable>(
        _ body: @escaping @Sendable (StoreQueries) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        let answer: Result<R, StoreError> = await withCheckedContinuation { continuation in
            let isQueued = threads.add {
                do throws(StoreError) {
                    continuation.resume(returning: .success(try body(self)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !isQueued {
                let problem = "\(StoreThreads.waitingCallsLimit) calls wait for the database already; it is slower than what is asked of it"
                continuation.resume(returning: .failure(StoreError(.overloaded, isRetriable: true, problem)))
            }
        }
        return try answer.get()
    }

    /// Asks the server for a sign of life.
    public func ping() throws(StoreError) {
        try pool.withConnection { (connection) throws(StoreError) in try connection.execute("select 1") }
    }

    /// Erases a user and the ids that its record names as aliases, and enters them in the ledger; returns when their rows are gone.
    ///
    /// - Parameter at: what the user did up to this time goes, and will never come back; nil is now.
    public func eraseUser(_ userID: String, at: EventTime? = nil) throws(StoreError) {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.transaction { () throws(StoreError) in
                try connection.execute("set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off")
                try Erasure.lock(connection, exclusively: true)
                try Erasure.accept([Erasure.Asked(userID: userID, erasedAt: at, isPerson: true)], connection)
            }
        }
        _ = try ErasureWork(url: url, rules: rules).finish()
    }
}
