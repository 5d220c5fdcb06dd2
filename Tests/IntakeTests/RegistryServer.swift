import Foundation
import Hummingbird
import Intake
import Interactions
import Logging
import ServiceLifecycle
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

    private func response(_ request: Request) -> Response {
        let path = request.uri.string
        let (answer, isAway) = state.withLock { state in
            state.asked.append(path)
            if let login = request.headers[.authorization] { state.logins.insert(login) }
            return (state.answers[path], state.isAway)
        }
        func say(_ status: HTTPResponse.Status, _ text: String) -> Response {
            Response(
                status: status, headers: [.contentType: "application/vnd.schemaregistry.v1+json"],
                body: .init(byteBuffer: .init(string: text)))
        }
        if isAway { return say(.serviceUnavailable, #"{"error_code":50302,"message":"out for lunch"}"#) }
        return answer.map { say(.ok, $0) } ?? say(.notFound, #"{"error_code":40403,"message":"Schema not found"}"#)
    }

    /// Runs a registry for a piece of work on a thread of its own, which may wait.
    static func run(_ work: @escaping @Sendable (RegistryServer, SchemaRegistry.Settings) throws -> Void) async throws {
        let server = RegistryServer()
        let (listening, told) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.get("**") { request, _ in server.response(request) }
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        let group = ServiceGroup(services: [application], logger: quiet)
        // Other suites of this process keep the shared threads busy for minutes.
        let thread = LookupThread(named: "registry-server")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask(executorPreference: thread) { try await group.run() }
            var ports = listening.makeAsyncIterator()
            let port = await ports.next() ?? 0
            let result = await offPool { try work(server, SchemaRegistry.Settings(url: "http://127.0.0.1:\(port)")) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    private static func offPool(_ work: @escaping @Sendable () throws -> Void) async -> Result<Void, any Error> {
        await withCheckedContinuation { waiting in Thread { waiting.resume(returning: Result(catching: work)) }.start() }
    }
}
