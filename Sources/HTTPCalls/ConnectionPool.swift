import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The connections to one service: opened when they are needed, kept for the next call, as many at once as allowed.
final class ConnectionPool: Sendable {
    /// Where connections are opened; nil is the threads that all tasks share.
    private let executor: (any TaskExecutor)?
    private let address: HTTPAddress
    private let group: any EventLoopGroup
    private let secure: SecureConnections
    private let state: Mutex<PoolState<CallConnection, PendingCall>>

    /// So many calls may wait for a connection; another one is refused.
    private static let maxWaiting = 65_536
    /// Well below what servers and proxies keep a silent connection for.
    static let maxIdle = Duration.seconds(30)
    private static let connectLimit = TimeAmount.seconds(10)
    /// Between two attempts to connect: the first pause, and what doubling it ends at.
    private static let pauses = (first: Duration.milliseconds(50), longest: Duration.seconds(1))

    init(
        address: HTTPAddress, maxConnections: Int, maxIdle: Duration, authorities: String? = nil, group: any EventLoopGroup,
        executor: (any TaskExecutor)? = nil
    ) throws(HTTPCallError) {
        self.executor = executor
        self.address = address
        self.group = group
        secure = try SecureConnections(to: address, authorities: authorities)
        state = Mutex(
            PoolState(maxConnections: maxConnections, maxWaiting: Self.maxWaiting, maxIdle: maxIdle, hasLeft: { $0.isOver }))
    }

    /// The loop on which the next call's time is kept.
    var loop: any EventLoop { group.any() }

    /// Has a call sent as soon as there is a connection for it.
    func serve(_ pending: PendingCall) {
        guard !pending.isOver else { return }
        let asked = state.withLock { $0.asked(by: pending, now: .now) }
        for connection in asked.stale { connection.channel.close(promise: nil) }
        switch asked.answer {
        case .use(let connection): send(pending, by: connection, isFresh: false)
        case .open: open(for: pending)
        case .wait: break
        case .refuse:
            _ = pending.finish(
                .failure(HTTPCallError(.tooManyWaiting, "\(Self.maxWaiting) calls to \(address.authority) wait for a connection already")))
        }
    }

    /// A connection is free.
    func returned(_ connection: CallConnection) {
        act(state.withLock { $0.returned(connection, now: .now) })
    }

    /// A connection ended, or (nil) could not be opened.
    func lost(_ connection: CallConnection?) {
        act(state.withLock { $0.lost(connection) })
    }

    /// Closes what is idle now, and the rest as it becomes free.
    func close() {
        for connection in state.withLock({ $0.close() }) { connection.channel.close(promise: nil) }
    }

    private func act(_ next: PoolState<CallConnection, PendingCall>.Next) {
        switch next {
        case .nothing: break
        case .serve(let pending, let connection): send(pending, by: connection, isFresh: false)
        case .open(let pending): open(for: pending)
        case .close(let connection): connection.channel.close(promise: nil)
        }
    }

    private func send(_ pending: PendingCall, by connection: CallConnection, isFresh: Bool) {
        connection.channel.write(pending).whenFailure { [self] _ in
            // It ended while it was idle: nothing of the call was sent.
            guard isFresh else { return serve(pending) }
            _ = pending.finish(.failure(connection.whyItEnded(address)))
        }
    }

    /// Connects, again and again while the call's time lasts: a service that is being started is waited for.
    private func open(for pending: PendingCall) {
        Task(executorPreference: executor) { [self] in
            var pause = Self.pauses.first
            while !pending.isOver {
                do {
                    let connection = try await connect()
                    pending.isUnconnected(nil)
                    return send(pending, by: connection, isFresh: true)
                } catch {
                    pending.isUnconnected(
                        HTTPCallError(.notConnected, "cannot connect to \(address.authority): \(Self.words(of: error))"))
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, Self.pauses.longest)
                }
            }
            lost(nil)
        }
    }

    private func connect() async throws -> CallConnection {
        try await ClientBootstrap(group: group)
            .connectTimeout(Self.connectLimit)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: address.host, port: address.port) { [self] channel in
                channel.eventLoop.makeCompletedFuture { [self] in
                    let pipeline = channel.pipeline.syncOperations
                    try secure.prepare(pipeline, host: address.host)
                    try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                    let connection = CallConnection(channel)
                    try pipeline.addHandler(CallHandler(address: address, pool: self, connection: connection))
                    return connection
                }
            }
    }

    private static func words(of error: any Error) -> String {
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        if let tried = error.connectionErrors.last { return "\(tried.error)" }
        return (error.dnsAError ?? error.dnsAAAAError).map { "\(error.host) is not known (\($0))" } ?? "\(error)"
    }
}
