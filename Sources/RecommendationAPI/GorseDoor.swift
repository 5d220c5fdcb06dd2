import Bytes
import ForeignClients
import HTTPTypes
import HummingbirdCore
import Interactions
import NIOCore

/// The door for clients of Gorse: what their requests and answers have in common.
enum GorseDoor {
    /// All paths begin so.
    static let prefix = "/api/"
    /// The number of elements where a request names none, as Gorse has it.
    static let defaultCount = 10
    /// Feedback of one user or item that an answer lists at most.
    static let listedFeedbackLimit = 10_000

    static let routes = GorseRecordRoutes.routes + GorseFeedbackRoutes.routes + GorseAnswerRoutes.routes

    static func route(
        _ method: HTTPRequest.Method, _ path: String, _ scope: AccessScope?, takesBody: Bool = false, shows: Bool = false,
        isLimited: Bool = true, audit: (@Sendable (Exchange) -> String)? = nil,
        _ handle: @escaping @Sendable (Exchange) async throws -> Response
    ) -> Route {
        Route(
            method, path, scope: scope, takesBody: takesBody, parameters: .any, isLimited: isLimited, recordsImpressions: shows,
            audit: audit
        ) { exchange in
            do throws(any Error) {
                return try await handle(exchange)
            } catch let rejection as Rejection {
                throw Problem(.badRequest, rejection.code.rawValue, "\(rejection.field.map { "\($0) " } ?? "")\(rejection.detail).")
            }
        }
    }

    /// `{"RowAffected":n}`
    static func affected(_ rows: Int) -> Response {
        json { writer in
            writer.object {
                $0.key("RowAffected")
                $0.integer(rows)
            }
        }
    }

    static func json(_ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        write(&writer)
        return Response(json: writer.bytes)
    }

    /// A list in pages: the elements, and where the next page begins.
    static func page<Element>(
        _ name: StaticString, _ elements: [Element], cursor: String, _ write: (Element, inout JSONWriter) -> Void
    ) -> Response {
        json { writer in
            writer.object { page in
                page.field("Cursor", cursor)
                page.key(name)
                page.array { list in
                    for element in elements { write(element, &list) }
                }
            }
        }
    }

    /// `n` and `offset`.
    struct Window {
        var count: Int
        var offset: Int

        init(_ exchange: Exchange) throws(Problem) {
            let most = exchange.service.configuration.maxRecommendations
            count = min(most, max(0, try Self.number("n", exchange) ?? GorseDoor.defaultCount))
            offset = max(0, try Self.number("offset", exchange) ?? 0)
        }

        private static func number(_ name: String, _ exchange: Exchange) throws(Problem) -> Int? {
            guard let text = exchange.query.values(name).last(where: { !$0.isEmpty }) else { return nil }
            guard let number = Int(text) else {
                throw .badParameter(name, "`\(name)` is \(text.quotedForMessage); give a whole number.")
            }
            return number
        }

        /// The part of a list that is asked for.
        func part<Element>(of list: [Element]) -> [Element] { Array(list.dropFirst(offset).prefix(count)) }
    }

    static func cursor(_ exchange: Exchange) -> String {
        exchange.query.values("cursor").last ?? exchange.query.values("Cursor").last ?? ""
    }

    /// The categories in the path and in the query.
    static func categories(_ exchange: Exchange, inPath place: Int?) -> [String] {
        let own = place.flatMap { exchange.parameters.indices.contains($0) ? exchange.parameters[$0] : nil }
        return ([own].compactMap { $0 } + exchange.query.values("category")).filter { !$0.isEmpty }
    }

    /// The answer that says in plain text what was wrong, as Gorse's clients read it.
    static func text(_ problem: Problem) -> Response {
        var headers = problem.headers
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(status: problem.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: problem.detail)))
    }

    /// The path with single slashes where it is one of this door, else as it is.
    static func path(_ path: String) -> String {
        guard path.contains("//") else { return path }
        let collapsed = "/" + path.split(separator: "/").joined(separator: "/")
        return collapsed.hasPrefix(prefix) ? collapsed : path
    }
}
