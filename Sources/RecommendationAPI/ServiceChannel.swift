import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// The framework's HTTP/1 channel with the service's own watch over each connection.
struct ServiceChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    /// The longest request line and the largest header, in bytes.
    static let maxHeadBytes = 80 << 10
    static let maxHeaderFields = 1_000

    private let inner: HTTP1Channel
    private let connections: Connections

    init(responder: @escaping HTTPChannelHandler.Responder, connections: Connections) {
        // The framework's own limits of time look at whole heads only, and cut off what it still writes when the service stops.
        inner = HTTP1Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: nil,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Self.maxHeadBytes, maxHeaderListSize: Self.maxHeadBytes,
                    maxHeaderFieldCount: Self.maxHeaderFields)))
        self.connections = connections
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        inner.setup(channel: channel, logger: logger).flatMapThrowing { value in
            guard let connection = connections.admit(channel) else {
                channel.close(promise: nil)
                return value
            }
            let pipeline = channel.pipeline.syncOperations
            let head = HeadWatch(connection)
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(
                ConnectionHandler(connection: connection, connections: connections, head: head), position: .after(parser))
            try pipeline.addHandler(head, position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await inner.handle(value: value, logger: logger)
    }
}

/// Hears when the system refuses connections, and stops accepting for a moment: those that wait would otherwise wake the loop again and
/// again for nothing.
final class AcceptWatch: ChannelInboundHandler {
    typealias InboundIn = Channel

    private static let pause = TimeAmount.milliseconds(200)
    private let connections: Connections

    init(_ connections: Connections) {
        self.connections = connections
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError else { return context.fireErrorCaught(error) }
        connections.acceptFailed(error)
        let channel = context.channel
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.scheduleTask(in: Self.pause) { channel.setOption(.autoRead, value: true) }
    }
}
