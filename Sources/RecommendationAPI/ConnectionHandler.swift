import NIOCore
import NIOHTTP1

/// Watches one connection between the parser and the rest: keeps ``Connection`` up to date, answers what the parser refuses as a problem,
/// ends what takes too long, and closes so that the last answer arrives.
///
/// What cannot be a request goes on as one of the method ``RefusedRequest/method``, which no parser lets in: so it is answered by the
/// responder, in its turn behind earlier requests, and counted like any other.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let connection: Connection
    private let connections: Connections
    private let head: HeadWatch
    /// What came after a request that ends the connection is not looked at.
    private var readsNoMore = false
    private var closesAfterAnswers = false
    private var awaitsContinue = false
    private var isHTTP10 = false
    private var callerLeft = false
    private var written: Int64 = 0
    /// Bytes the caller had taken when that was last looked at.
    private var takenBefore: Int64 = 0

    init(connection: Connection, connections: Connections, head: HeadWatch) {
        self.connection = connection
        self.connections = connections
        self.head = head
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !readsNoMore else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head.headEnded()
            connection.headCame()
            isHTTP10 = head.version == .http1_0
            let isUpgrade = head.method == .CONNECT || head.headers.contains(name: "upgrade")
            // After a request to switch protocols the parser reads no more.
            if !head.isKeepAlive || isUpgrade { closesAfterAnswers = true }
            switch RequestHeadRules.examine(head) {
            case .success(let examined):
                awaitsContinue = !isHTTP10 && examined.headers.contains(name: "expect")
                context.fireChannelRead(wrapInboundOut(.head(examined)))
            case .failure(let refused):
                closesAfterAnswers = true
                context.fireChannelRead(wrapInboundOut(.head(refused.head)))
            }
        case .body(let bytes):
            awaitsContinue = false
            connection.bodyCame(bytes: bytes.readableBytes)
            context.fireChannelRead(data)
        case .end:
            connection.requestEnded()
            awaitsContinue = false
            if closesAfterAnswers { readsNoMore = true }
            context.fireChannelRead(data)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError || error is ByteToMessageDecoderError else { return context.fireErrorCaught(error) }
        // Each byte after the first fault is one more.
        guard !readsNoMore else { return }
        if connection.reading == .body {
            endBody(context, error)
        } else {
            refuse(context, head.refusal(of: error))
        }
    }

    /// The body at hand will not come whole: whoever reads it is told.
    private func endBody(_ context: ChannelHandlerContext, _ error: any Error) {
        readsNoMore = true
        closesAfterAnswers = true
        connection.requestEnded()
        context.fireErrorCaught(error)
    }

    private func refuse(_ context: ChannelHandlerContext, _ refused: RefusedRequest) {
        readsNoMore = true
        closesAfterAnswers = true
        connection.headCame()
        connection.requestEnded()
        context.fireChannelRead(wrapInboundOut(.head(refused.head)))
        context.fireChannelRead(wrapInboundOut(.end(nil)))
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let due as Connection.Due: heed(due, context)
        case is BodyWanted:
            guard awaitsContinue, connection.reading == .body, connection.unanswered == 1 else { return }
            awaitsContinue = false
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        case is ChannelShouldQuiesceEvent:
            closesAfterAnswers = true
            if connection.stops(now: .now()) { context.close(promise: nil) }
        case ChannelEvent.inputClosed:
            callerLeft = true
            connection.callerLeft(now: .now())
            if head.isClosing { return context.close(promise: nil) }
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func heed(_ due: Connection.Due, _ context: ChannelHandlerContext) {
        switch due {
        case .idle:
            guard connection.isIdle else { return }
            connections.count(.idle)
            context.close(promise: nil)
        case .slowRequest:
            guard !readsNoMore, connection.reading != .nothing else { return }
            connections.count(.slowRequest)
            if connection.reading == .head { return refuse(context, .tooSlow) }
            endBody(context, RequestInterrupted.tooSlow)
        case .slowReader: lookAtReader(context)
        case .holdsTooMuch:
            connections.count(.heldBytes)
            guard connection.reading == .body, !readsNoMore else { return context.close(promise: nil) }
            endBody(context, RequestInterrupted.holdsTooMuch)
        case .overstayed:
            connections.count(.stopping)
            context.close(promise: nil)
        case .lingered, .evicted: context.close(promise: nil)
        }
    }

    private func lookAtReader(_ context: ChannelHandlerContext) {
        guard connection.isWriting else { return }
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let taken = written - Int64(waiting)
        let seconds = max(1, connections.limits.answer.nanoseconds / 1_000_000_000)
        // Where nothing waits the service itself has more to say, later.
        let goesOn = waiting == 0 || taken - takenBefore >= ConnectionLimits.bytesASecond * seconds
        takenBefore = taken
        if goesOn { return connection.writes(now: .now()) }
        connections.count(.slowReader)
        context.close(promise: nil)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard !(100..<200).contains(head.status.code) else { return context.write(data, promise: promise) }
            // Whether a body follows that was announced and not asked for, nobody can tell.
            if awaitsContinue { closesAfterAnswers = true }
            if head.headers.first(name: "connection") == "close" { closesAfterAnswers = true }
            if closesAfterAnswers, isLastAnswer { head.headers.replaceOrAdd(name: "connection", value: "close") }
            if isHTTP10 { head.version = .http1_0 }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let bytes):
            written += Int64(bytes.readableBytes)
            context.write(data, promise: promise)
        case .end:
            connection.answered(now: .now())
            let flushed = promise ?? context.eventLoop.makePromise(of: Void.self)
            flushed.futureResult.assumeIsolated().whenComplete { _ in
                let nothingWaits = self.connection.taken(now: .now())
                if self.closesAfterAnswers, nothingWaits { self.closeAfterLast(context) }
            }
            context.write(data, promise: flushed)
        }
    }

    /// Whether no request waits behind the one that is answered now.
    private var isLastAnswer: Bool { connection.unanswered <= 1 }

    /// Says that nothing follows and waits for the caller to close: closing at once could take the answer from it, where more of a body
    /// is under way.
    private func closeAfterLast(_ context: ChannelHandlerContext) {
        guard !head.isClosing, context.channel.isActive else { return }
        head.isClosing = true
        readsNoMore = true
        guard !callerLeft else { return context.close(promise: nil) }
        connection.lingers(now: .now())
        context.close(mode: .output, promise: nil)
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.closed()
        context.fireChannelInactive()
    }
}

/// Watches the bytes before the parser: when a head begins, and where its first line ends.
final class HeadWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: Connection
    private var lineBytes = 0
    private var lineEnded = false
    /// The last answer is out: what still comes is thrown away.
    var isClosing = false

    init(_ connection: Connection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        connection.bytesCame(now: .now())
        if !lineEnded {
            let bytes = unwrapInboundIn(data).readableBytesView
            let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
            lineBytes += end.map { $0 - bytes.startIndex } ?? bytes.count
            lineEnded = end != nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind asks for more, and only what is read lets the caller's end arrive.
        if isClosing { context.read() }
    }

    func headEnded() {
        lineBytes = 0
        lineEnded = false
    }

    /// What the parser's fault means for the caller.
    func refusal(of error: any Error) -> RefusedRequest {
        guard case .headerOverflow? = error as? HTTPParserError else { return .malformed("\(error)") }
        return lineBytes > ServiceChannel.maxHeadBytes || !lineEnded ? .targetTooLong : .headTooLarge
    }
}

/// Why a body stopped coming.
enum RequestInterrupted: Error {
    case tooSlow, holdsTooMuch
}

/// The body of the request at hand is wanted: a caller that waits for `100 Continue` may send it.
struct BodyWanted: Sendable {}
