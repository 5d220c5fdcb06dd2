import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import RecommendationAPI
import Synchronization

/// One request, and what each concern does with it by itself.
struct TestExchange {
    /// What comes after the concern: notes that it was reached, and answers or fails.
    struct Next: RequestHandler {
        let reached = Reached()
        var answer: @Sendable (Exchange) async throws -> Response = { _ in Response(status: .ok) }

        func handle(_ exchange: inout Exchange) async throws -> Response {
            reached.exchanges.withLock { $0.append(exchange) }
            return try await answer(exchange)
        }
    }

    final class Reached: Sendable {
        let exchanges = Mutex<[Exchange]>([])
        var count: Int { exchanges.withLock { $0.count } }
        var last: Exchange? { exchanges.withLock { $0.last } }
    }

    static let routes = [
        Route(.get, "/looks", scope: .read, parameters: KnownParameters(["preview", "n"], prefixes: ["context."])) { _ in
            Response(status: .ok)
        },
        Route(.get, "/shows", scope: .read, parameters: KnownParameters(["preview"]), recordsImpressions: true) { _ in
            Response(status: .ok)
        },
        Route(.post, "/writes", scope: .write, takesBody: true) { _ in Response(status: .accepted) },
        Route(.get, "/probe", scope: nil, isLimited: false) { _ in Response(status: .ok) },
        Route(.get, "/scrape", scope: .read, or: .metrics) { _ in Response(status: .ok) },
        Route(.get, "/listens", scope: .read, isTimed: false) { _ in Response(status: .ok) },
    ]

    let logged = LoggedLines()
    var exchange: Exchange

    init(
        _ method: HTTPRequest.Method, _ path: String, headers: [String: String] = [:], authority: String? = "localhost:8080",
        body: String = "", from address: String? = nil
    ) {
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        let head = HTTPRequest(method: method, scheme: "http", authority: authority, path: path, headerFields: fields)
        let logged = logged
        let core = ServiceCore(
            operations: TestService().operations, configuration: APIConfiguration(),
            logger: Logger(label: "test") { _ in logged.handler() }, routes: Self.routes.map { ($0.method.rawValue, $0.template) })
        exchange = Exchange(
            service: core, request: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body))),
            table: RouteTable(Self.routes), address: address.flatMap { try? SocketAddress(ipAddress: $0, port: 40_000) })
    }

    /// Lets it through a concern.
    /// - Returns: the status of what came back, or the last part of the problem's type.
    mutating func pass(_ concern: some RequestMiddleware, to next: Next = Next()) async throws -> Outcome {
        do {
            return Outcome(response: try await concern.handle(&exchange, next: next), problem: nil, reached: next.reached.count)
        } catch let problem as Problem {
            return Outcome(response: nil, problem: problem, reached: next.reached.count)
        }
    }

    struct Outcome {
        let response: Response?
        let problem: Problem?
        /// How often what comes after the concern was reached.
        let reached: Int

        var slug: String? { problem?.slug }
        var isLetThrough: Bool { problem == nil && reached == 1 }
        subscript(header: String) -> String? { HTTPField.Name(header).flatMap { response?.headers[$0] } }
    }
}
