import Foundation
import Intake
import Interactions
import NIOCore
import NIOPosix
import Synchronization

/// A schema registry on loopback, as far as reading it goes: schemas may be added while it runs, and it may seem to be away.
final class RegistryServer: Sendable {
    private struct State {
        /// Answers by path.
        var answers: [String: String] = [:]
        var isAway = false
        var asked: [String] = []
        var logins: Set<String> = []
    }

    private let state = Mutex(State())

    /// Adds a schema, as JSON text within JSON, or what another place is to answer.
    func add(_ number: Int32, _ schema: String, type: String? = nil, references: String = "") {
        let more = (type.map { #","schemaType":"\#($0)""# } ?? "") + (references.isEmpty ? "" : #","references":\#(references)"#)
        answer("/schemas/ids/\(number)", #"{"schema":\#(JSONText.quoted(schema))\#(more)}"#)
    }

    func answer(_ path: String, _ body: String) { state.withLock { $0.answers[path] = body } }

    /// Whether every question is answered with 503.
    var isAway: Bool {
        get { state.withLock(\.isAway) }
        set { state.withLock { $0.isAway = newValue } }
    }

    /// Paths that were asked for.
    var asked: [String] { state.withLock(\.asked) }
    var logins: Set<String> { state.withLock(\.logins) }

    /// The answer to a request, whose text has no body.
    private func answer(to request: String) -> String {
        let lines = request.split(separator: "\r\n"), path = lines.first?.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        let login = lines.first { $0.lowercased().hasPrefix("authorization: ") }?.dropFirst("authorization: ".count)
        let (answer, isAway) = state.withLock { state in
            state.asked.append(path)
            if let login { state.logins.insert(String(login)) }
            return (state.answers[path], state.isAway)
        }
        func say(_ status: String, _ text: String) -> String {
            "HTTP/1.1 \(status)\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                + text
        }
        if isAway { return say("503 Service Unavailable", #"{"error_code":50302,"message":"out for lunch"}"#) }
        return answer.map { say("200 OK", $0) } ?? say("404 Not Found", #"{"error_code":40403,"message":"Schema not found"}"#)
    }

    /// Runs a registry for a piece of work on a thread of its own, which may wait. It answers on the threads of its event loops, whatever
    /// keeps those that tests share busy.
    static func run(_ work: @escaping @Sendable (RegistryServer, SchemaRegistry.Settings) throws -> Void) async throws {
        try await offPool {
            let server = RegistryServer()
            let channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Speaker(server)) }
                }
                .bind(host: "127.0.0.1", port: 0).wait()
            defer { try? channel.close().wait() }
            try work(server, SchemaRegistry.Settings(url: "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"))
        }.get()
    }

    private static func offPool(_ work: @escaping @Sendable () throws -> Void) async -> Result<Void, any Error> {
        await withCheckedContinuation { waiting in Thread { waiting.resume(returning: Result(catching: work)) }.start() }
    }

    private final class Speaker: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let server: RegistryServer
        private var received = ""

        init(_ server: RegistryServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            while let end = received.range(of: "\r\n\r\n") {
                let answer = server.answer(to: String(received[..<end.lowerBound]))
                received.removeSubrange(..<end.upperBound)
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            }
        }
    }
}
