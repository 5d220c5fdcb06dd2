/// Which connections of a pool are free and who waits for one: a value that says what is to be done and does nothing itself.
///
/// - Note: A connection is open (or being opened), idle, or gone. ``asked(by:now:)`` gives an idle one away or lets another be opened;
///   ``returned(_:now:)`` takes it back; ``lost(_:)`` is told once of every connection that ended or was not to be had.
package struct PoolState<Connection: AnyObject & Sendable, Waiter: AnyObject & Sendable>: Sendable {
    /// What is to be done for somebody who asks.
    package enum Answer: Sendable {
        case use(Connection)
        case open
        case wait
        /// Too many wait already.
        case refuse
    }

    /// What is to be done now.
    package struct Asked: Sendable {
        /// What to do with who asked.
        package var answer: Answer
        /// Idle connections to be closed, each of which is told of to ``PoolState/lost(_:)`` as it ends.
        package var stale: [Connection] = []
    }

    /// What is to be done after a connection was given back or was lost.
    package enum Next: Sendable {
        case nothing
        case serve(Waiter, by: Connection)
        case open(for: Waiter)
        case close(Connection)
    }

    /// Connections that are open or being opened.
    package private(set) var openConnections = 0
    private var idle: [(connection: Connection, since: ContinuousClock.Instant)] = []
    private var waiting: [Waiter?] = []
    private var firstWaiting = 0
    private var isClosed = false

    private let maxConnections: Int
    private let maxWaiting: Int
    private let maxIdle: Duration
    /// Whether somebody who waited does not any more.
    private let hasLeft: @Sendable (Waiter) -> Bool

    /// Makes the state of a pool without connections.
    ///
    /// - Parameters:
    ///   - maxIdle: a connection that was idle for longer is not used again: the other side may be about to close it.
    ///   - hasLeft: asked of each who waited before a connection is given to them.
    package init(maxConnections: Int, maxWaiting: Int, maxIdle: Duration, hasLeft: @escaping @Sendable (Waiter) -> Bool) {
        self.maxConnections = max(1, maxConnections)
        self.maxWaiting = maxWaiting
        self.maxIdle = maxIdle
        self.hasLeft = hasLeft
    }

    /// Connections that wait for a call.
    package var idleConnections: Int { idle.count }
    /// Those who wait for a connection.
    package var waitingCalls: Int { waiting.count - firstWaiting }

    /// Somebody needs a connection.
    package mutating func asked(by waiter: Waiter, now: ContinuousClock.Instant) -> Asked {
        var stale: [Connection] = []
        // The newest is last: where it has been idle for too long, all have.
        if let last = idle.last, last.since.duration(to: now) > maxIdle {
            stale = idle.map(\.connection)
            idle = []
        }
        if let last = idle.popLast() { return Asked(answer: .use(last.connection), stale: stale) }
        if openConnections < maxConnections {
            openConnections += 1
            return Asked(answer: .open, stale: stale)
        }
        guard waitingCalls < maxWaiting else { return Asked(answer: .refuse, stale: stale) }
        waiting.append(waiter)
        return Asked(answer: .wait, stale: stale)
    }

    /// A connection has answered, or was opened for somebody who left.
    package mutating func returned(_ connection: Connection, now: ContinuousClock.Instant) -> Next {
        if isClosed { return .close(connection) }
        if let waiter = nextWaiting() { return .serve(waiter, by: connection) }
        idle.append((connection, now))
        return .nothing
    }

    /// A connection ended, or (nil) could not be opened.
    package mutating func lost(_ connection: Connection?) -> Next {
        openConnections -= 1
        if let connection { idle.removeAll { $0.connection === connection } }
        guard !isClosed, let waiter = nextWaiting() else { return .nothing }
        openConnections += 1
        return .open(for: waiter)
    }

    /// Nobody asks any more: gives back the idle connections, to be closed.
    package mutating func close() -> [Connection] {
        isClosed = true
        defer { idle = [] }
        return idle.map(\.connection)
    }

    private mutating func nextWaiting() -> Waiter? {
        while firstWaiting < waiting.count {
            let waiter = waiting[firstWaiting]
            waiting[firstWaiting] = nil
            firstWaiting += 1
            if firstWaiting == waiting.count || firstWaiting >= 1_024 {
                waiting.removeFirst(firstWaiting)
                firstWaiting = 0
            }
            if let waiter, !hasLeft(waiter) { return waiter }
        }
        return nil
    }
}
