import Foundation

/// A bounded set of connections that threads borrow one at a time. Connections open when they are first needed.
///
/// `@unchecked Sendable`: the fields change only under `condition`, and a connection is with one thread while it is out.
final class ConnectionPool: @unchecked Sendable {
    /// How long a caller waits for a connection before it is refused.
    static let waitSeconds = 10.0

    private let url: String
    private let role: String
    private let limit: Int
    private let statementTimeoutMilliseconds: Int
    private let condition = NSCondition()
    private var idle: [Connection] = []
    private var borrowed = 0
    let lost = LostConnections()

    init(url: String, role: String, connectionsLimit: Int, statementTimeoutMilliseconds: Int) {
        self.url = url
        self.role = role
        limit = max(1, connectionsLimit)
        self.statementTimeoutMilliseconds = statementTimeoutMilliseconds
    }

    /// Lends a connection for the time of `body`. A connection that broke or was left in a transaction is closed.
    func withConnection<R>(_ body: (Connection) throws(StoreError) -> R) throws(StoreError) -> R {
        let known = try take()
        var lent = known
        defer { giveBack(lent) }
        let connection: Connection
        if let known {
            connection = known
        } else {
            connection = try Connection(url: url, role: role, statementTimeoutMilliseconds: statementTimeoutMilliseconds)
            lent = connection
        }
        return try body(connection)
    }

    /// The same for what only reads: once more, on another connection, where the server ended the first one under it. Nobody sees a
    /// backend that was ended, or a connection that was cut while it lay idle.
    func reading<R>(_ body: (Connection) throws(StoreError) -> R) throws(StoreError) -> R {
        var hasEnded = false
        do throws(StoreError) {
            return try withConnection { (connection) throws(StoreError) in
                defer { hasEnded = connection.isBroken }
                return try body(connection)
            }
        } catch {
            guard hasEnded else { throw error }
            dropIdle()
            return try withConnection(body)
        }
    }

    /// Closes the idle connections: where one was ended, others probably were.
    private func dropIdle() {
        condition.lock()
        defer { condition.unlock() }
        idle.removeAll()
    }

    /// An idle connection, or nil where the caller may open one.
    private func take() throws(StoreError) -> Connection? {
        condition.lock()
        defer { condition.unlock() }
        let deadline = Date().addingTimeInterval(Self.waitSeconds)
        while borrowed >= limit {
            if !condition.wait(until: deadline) {
                throw StoreError(
                    .overloaded, isRetriable: true,
                    "no database connection became free within \(Int(Self.waitSeconds)) s; all \(limit) are in use")
            }
        }
        borrowed += 1
        while let connection = idle.popLast() {
            if !connection.isBroken { return connection }
        }
        return nil
    }

    private func giveBack(_ connection: Connection?) {
        condition.lock()
        borrowed -= 1
        if let connection {
            if connection.isBroken { lost.add() } else if !connection.isInTransaction { idle.append(connection) }
        }
        condition.signal()
        condition.unlock()
    }
}
