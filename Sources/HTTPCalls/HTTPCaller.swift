import NIOCore
import NIOPosix

/// Asks one service over HTTP/1.1, by connections that are kept from call to call.
///
/// For measurements and demonstrations of a service, and for small questions to others: it follows no redirects and reads no compressed
/// answers. Connections close when the last copy of the caller goes.
public final class HTTPCaller: Sendable {
    /// Whom it asks.
    public let address: HTTPAddress
    private let pool: ConnectionPool

    /// Makes a caller; nothing is connected before the first call.
    ///
    /// - Parameters:
    ///   - maxConnections: connections at once; further calls wait for one.
    ///   - authorities: a file of certificates that sign the service's, as PEM; nil for those that the machine trusts.
    /// - Throws: ``HTTPCallError`` for an `https` address where the program was built without TLS, or where the file cannot be read.
    public convenience init(_ address: HTTPAddress, maxConnections: Int = 1_024, authorities: String? = nil) throws(HTTPCallError) {
        try self.init(address, maxConnections: maxConnections, maxIdle: ConnectionPool.maxIdle, authorities: authorities)
    }

    /// The same with another limit of how long a connection may have been idle before it is used again.
    ///
    /// - Parameter executor: where connections are opened; nil is the threads that all tasks share.
    package init(
        _ address: HTTPAddress, maxConnections: Int, maxIdle: Duration = .seconds(30), authorities: String? = nil,
        executor: (any TaskExecutor)? = nil
    ) throws(HTTPCallError) {
        self.address = address
        pool = try ConnectionPool(
            address: address, maxConnections: maxConnections, maxIdle: maxIdle, authorities: authorities,
            group: MultiThreadedEventLoopGroup.singleton, executor: executor)
    }

    deinit { pool.close() }

    /// Sends a call and waits for its answer, whatever its status.
    ///
    /// A service that does not listen yet is waited for while the call's time lasts. Where the other side closes a kept connection just as
    /// it is used again, the call goes out on another one, unless it is a `POST`.
    ///
    /// - Throws: ``HTTPCallError``; `CancellationError` where the task is cancelled, which also ends the connection.
    public func send(_ call: HTTPCall) async throws -> HTTPAnswer {
        guard call.path.utf8.first == UInt8(ascii: "/"), call.path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw HTTPCallError(.badAddress, "the path \(call.path) does not begin with / or is not percent-encoded")
        }
        let pending = PendingCall(call)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiting in
                guard pending.begin(waiting, on: pool.loop) else { return }
                pool.serve(pending)
            }
        } onCancel: {
            _ = pending.finish(.failure(CancellationError()))
        }
    }
}
