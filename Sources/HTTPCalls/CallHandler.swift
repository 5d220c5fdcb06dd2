import NIOCore
import NIOHTTP1
import Synchronization

/// One connection of a pool.
final class CallConnection: Sendable {
    let channel: any Channel
    private let failure = Mutex<HTTPCallError?>(nil)

    init(_ channel: any Channel) {
        self.channel = channel
    }

    /// It ends for this reason, such as a certificate that is not trusted.
    func fails(_ error: HTTPCallError) {
        failure.withLock { $0 = $0 ?? error }
    }

    /// Why a call could not be sent over it.
    func whyItEnded(_ address: HTTPAddress) -> HTTPCallError {
        failure.withLock { $0 } ?? HTTPCallError(.closedEarly, "\(address.authority) closed the connection at once")
    }
}

/// Sends one call after another over a connection and collects their answers. What is written to the channel are ``PendingCall``s.
final class CallHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = PendingCall
    typealias OutboundOut = HTTPClientRequestPart

    private let address: HTTPAddress
    private let pool: ConnectionPool
    private let connection: CallConnection
    private var current: PendingCall?
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()
    /// Calls that the connection has answered.
    private var answered = 0
    /// Why it ends, where the system said so.
    private var broke: (any Error)?

    init(address: HTTPAddress, pool: ConnectionPool, connection: CallConnection) {
        self.address = address
        self.pool = pool
        self.connection = connection
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let pending = unwrapOutboundIn(data)
        promise?.succeed()
        guard context.channel.isActive else { return askAgain(pending) }
        let channel = context.channel
        guard pending.whenAborted({ channel.close(promise: nil) }) else { return pool.returned(connection) }
        current = pending
        let call = pending.call
        var fields = HTTPHeaders([("Host", address.authority)])
        for (name, value) in call.headers { fields.add(name: name, value: value) }
        if let bytes = call.body?.count ?? (call.method == .post || call.method == .put ? 0 : nil) {
            fields.add(name: "Content-Length", value: String(bytes))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: call.method.rawValue), uri: address.pathPrefix + call.path, headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body = call.body, !body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let current else { return context.close(promise: nil) }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
            let announced = head.headers.first(name: "content-length").flatMap(Int.init) ?? 0
            if current.call.method != .head, announced > current.call.maxAnswerBytes { fail(context, tooLarge(current)) }
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= current.call.maxAnswerBytes else { return fail(context, tooLarge(current)) }
            if body.readableBytes == 0 { body = part } else { body.writeBuffer(&part) }
        case .end:
            guard let head else { return fail(context, HTTPCallError(.malformed, "the answer has no status")) }
            let answer = HTTPAnswer(
                status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) }, body: Array(body.readableBytesView))
            self.current = nil
            self.head = nil
            body = ByteBuffer()
            answered += 1
            // Free before the caller hears of it: their next call has it then. One that ended meanwhile is closing the connection.
            let isKept = current.finish(.success(answer)) { if head.isKeepAlive { pool.returned(connection) } }
            if !isKept || !head.isKeepAlive { context.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError || error is ChannelError else { return fail(context, refusal(of: error)) }
        // Its end tells what becomes of the call.
        broke = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        pool.lost(connection)
        guard let current else { return }
        self.current = nil
        // A connection that was kept may be closed by the other side just as it is used again.
        if answered > 0, head == nil, current.call.method.isIdempotent {
            pool.serve(current)
        } else {
            let words = broke.map { "the connection to \(address.authority) broke off: \($0)" }
            _ = current.finish(
                .failure(HTTPCallError(.closedEarly, words ?? "\(address.authority) closed the connection before it had answered")))
        }
    }

    private func askAgain(_ pending: PendingCall) {
        if answered > 0 {
            pool.serve(pending)
        } else {
            _ = pending.finish(.failure(connection.whyItEnded(address)))
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: HTTPCallError) {
        let failed = current
        current = nil
        connection.fails(error)
        context.close(promise: nil)
        _ = failed?.finish(.failure(error))
    }

    private func refusal(of error: any Error) -> HTTPCallError {
        error is HTTPParserError
            ? HTTPCallError(.malformed, "what goes to and comes from \(address.authority) is no HTTP/1: \(error)")
            : HTTPCallError(.notConnected, "\(address.authority): \(SecureConnections.words(of: error))")
    }

    private func tooLarge(_ pending: PendingCall) -> HTTPCallError {
        HTTPCallError(.tooLarge, "the answer of \(address.authority) is longer than \(pending.call.maxAnswerBytes) bytes")
    }
}
