import HTTPCalls
import NIOCore
import NIOPosix
import Synchronization

/// A server that says what it is told to, whatever was asked: for answers that no framework would give.
final class ScriptedServer: Sendable {
    /// What a connection does with its requests, one after another.
    enum Act: Sendable {
        case say(String)
        case sayAndClose(String)
        case close
        case nothing
    }

    private let channel: any Channel
    private let counts: Counts
    var port: Int { channel.localAddress?.port ?? 0 }
    /// Connections that were opened, and requests that came.
    var connections: Int { counts.numbers.withLock { $0.connections } }
    var requests: Int { counts.numbers.withLock { $0.requests } }

    /// - Parameter acts: for each connection in their order; the last goes for all later ones.
    init(_ acts: [[Act]]) async throws {
        let counts = Counts()
        self.counts = counts
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let number = counts.numbers.withLock { numbers in
                    numbers.connections += 1
                    return numbers.connections - 1
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Speaker(acts[min(number, acts.count - 1)], counts))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async throws { try await channel.close() }

    final class Counts: Sendable {
        let numbers = Mutex((connections: 0, requests: 0))
    }

    private final class Speaker: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var acts: [Act]
        private let counts: Counts
        private var received = ""

        init(_ acts: [Act], _ counts: Counts) {
            self.acts = acts
            self.counts = counts
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            // Requests of these tests have no bodies.
            guard received.contains("\r\n\r\n") else { return }
            received = ""
            counts.numbers.withLock { $0.requests += 1 }
            let act = acts.isEmpty ? .close : acts.removeFirst()
            switch act {
            case .say(let text): say(text, context)
            case .sayAndClose(let text):
                say(text, context)
                context.close(promise: nil)
            case .close: context.close(promise: nil)
            case .nothing: break
            }
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }
}

/// A call with time for a machine that is busy with other tests: how long an answer takes decides no test but those that set a limit.
func patient(
    _ method: HTTPCall.Method, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
    timeout: Duration = .seconds(600), maxAnswerBytes: Int = 4 << 20
) -> HTTPCall {
    HTTPCall(method, path, headers: headers, body: body, timeout: timeout, maxAnswerBytes: maxAnswerBytes)
}
