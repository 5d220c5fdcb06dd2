import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Takes each request through admission, authorisation, its route and its deadline, and turns every failure into a problem.
public struct ServiceResponder: HTTPResponder {
    public typealias Context = BasicRequestContext

    let table: RouteTable
    let core: ServiceCore

    public func respond(to request: Request, context: Context) async throws -> Response {
        let began = ContinuousClock.now
        let inFlight = core.metrics.begin()
        let requestID = core.makeRequestID()
        let match = table.match(request.method, path: request.uri.path)
        var response: Response
        do {
            response = try await answer(request, match, requestID, began, inFlight)
        } catch let problem as Problem {
            response = problem.response(requestID: requestID)
        } catch {
            response = problem(for: error, requestID: requestID).response(requestID: requestID)
        }
        if request.method == .head { response = response.createHeadResponse() }
        response.headers[.requestID] = echoed(request) ?? requestID
        response.headers[.contentTypeOptions] = "nosniff"
        allowOrigin(of: request, in: &response)
        let duration = ContinuousClock.now - began
        let route: Int? = if case .found(let index, _) = match { index } else { nil }
        core.metrics.end(route: route, status: response.status.code, duration: duration)
        // The path may hold a user's id: the log has the template.
        core.logger.debug(
            "request",
            metadata: [
                "method": "\(request.method.rawValue)",
                "route": "\(route.map { table.routes[$0].template } ?? "unmatched")",
                "status": "\(response.status.code)", "ms": "\(duration.milliseconds)", "request_id": "\(requestID)",
            ])
        return response
    }

    private func answer(
        _ request: Request, _ match: RouteTable.Match, _ requestID: String, _ began: ContinuousClock.Instant,
        _ inFlight: Int
    ) async throws -> Response {
        let index: Int
        let parameters: [String]
        switch match {
        case .found(let found, let values):
            (index, parameters) = (found, values)
        case .otherMethods(let methods):
            return try otherMethod(request, methods)
        case .badEncoding:
            throw Problem(.badRequest, "invalid-encoding", "The path is not percent-encoded UTF-8.")
        case .unknown:
            throw Problem(.notFound, "unknown-route", "There is nothing at this path. See /openapi.json for what there is.")
        }
        let route = table.routes[index]
        if route.isLimited, inFlight > core.configuration.maxConcurrentRequests {
            throw Problem(
                .serviceUnavailable, "overloaded",
                "\(core.configuration.maxConcurrentRequests) requests are being answered already.",
                headers: [.retryAfter: "1"])
        }
        let caller = try authorise(request, route)
        if route.isLimited, let limit = core.rateLimit, let wait = limit.admit(caller: max(0, caller), now: began) {
            throw Problem(
                .tooManyRequests, "too-many-requests", "Too many requests a second. Ask again in \(wait) s.",
                headers: [.retryAfter: String(wait)])
        }
        if route.method != .get { try refuseForeignPage(request) }
        var exchange = Exchange(
            service: core, request: request, route: index, parameters: parameters, requestID: requestID, began: began,
            caller: caller)
        if route.takesBody { exchange.body = try await body(of: request) }
        guard route.isTimed else { return try await route.handle(exchange) }
        let ready = exchange
        do {
            return try await core.deadlines.run(
                limit: .milliseconds(core.configuration.requestTimeoutMilliseconds), from: began
            ) { try await route.handle(ready) }
        } catch is DeadlineClock.Expired {
            throw Problem.timedOut(milliseconds: core.configuration.requestTimeoutMilliseconds)
        }
    }

    private func otherMethod(_ request: Request, _ methods: [HTTPRequest.Method]) throws(Problem) -> Response {
        let allow = methods.map(\.rawValue).joined(separator: ", ")
        guard request.method == .options else {
            throw Problem(
                .methodNotAllowed, "method-not-allowed",
                "\(request.method.rawValue) is not possible here; \(allow) are.", headers: [.allow: allow])
        }
        var headers: HTTPFields = [.allow: allow]
        if let origin = request.headers[.origin], core.configuration.allowedOrigins.contains(origin) {
            headers[.accessControlAllowMethods] = allow
            headers[.accessControlAllowHeaders] = "Content-Type, Idempotency-Key, X-API-Key, X-Request-Id"
            headers[.accessControlMaxAge] = "600"
        }
        return Response(status: .noContent, headers: headers)
    }

    /// The place of the caller's key, or -1 where none is needed.
    private func authorise(_ request: Request, _ route: Route) throws(Problem) -> Int {
        guard !core.configuration.apiKeys.isEmpty, let scope = route.scope else { return -1 }
        guard let presented = request.headers[.apiKey] else {
            throw Problem(
                .unauthorized, "key-required", "Send an API key with scope `\(scope.rawValue)` as X-API-Key.",
                headers: [.wwwAuthenticate: "X-API-Key"])
        }
        guard let index = core.configuration.keyIndex(presented: Array(presented.utf8)) else {
            throw Problem(
                .unauthorized, "unknown-key", "The key in X-API-Key is not known.",
                headers: [.wwwAuthenticate: "X-API-Key"])
        }
        guard core.configuration.apiKeys[index].scopes.contains(scope) else {
            throw Problem(.forbidden, "scope-required", "The key does not have scope `\(scope.rawValue)`.")
        }
        return index
    }

    /// A page of another origin must not make a browser change things here.
    private func refuseForeignPage(_ request: Request) throws(Problem) {
        guard let origin = request.headers[.origin], !core.configuration.allowedOrigins.contains(origin) else { return }
        let host = origin.firstRange(of: "://").map { origin[$0.upperBound...] }
        if let host, String(host) == request.head.authority, isOwnName(host) { return }
        throw Problem(
            .forbidden, "foreign-origin",
            "A page of \(origin.quotedForMessage) may not change things here. Add it to the allowed origins if it should.")
    }

    /// Without keys, only names that nobody else can point here: a page may have a name of its own resolve to this machine.
    private func isOwnName(_ authority: Substring) -> Bool {
        guard core.configuration.apiKeys.isEmpty else { return true }
        if authority.hasPrefix("[") { return true }
        let name = authority.prefix { $0 != ":" }
        return name == "localhost" || name == core.configuration.host || name.allSatisfy { $0.isNumber || $0 == "." }
    }

    private func body(of request: Request) async throws -> [UInt8] {
        let limit = core.configuration.maxBodyBytes
        let tooLarge = Problem.tooLarge("The body is larger than \(limit) bytes. Split the request.")
        if let declared = request.headers[.contentLength].flatMap(Int.init), declared > limit { throw tooLarge }
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "unsupported-encoding", "Content-Encoding \(encoding.quotedForMessage) is not read. Send plain JSON.")
        }
        if let type = request.headers[.contentType], !ContentType(type).isJSON {
            throw Problem(
                .unsupportedMediaType, "unsupported-media-type",
                "Content-Type \(type.quotedForMessage) is not read. Send application/json (curl: -H 'Content-Type: application/json').")
        }
        do {
            return Array((try await request.body.collect(upTo: limit)).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }

    private func problem(for error: any Error, requestID: String) -> Problem {
        if let error = error as? ServiceError { return Problem(error) }
        if error is CancellationError {
            return Problem(
                .serviceUnavailable, "cancelled", "The request was cancelled, as the service stops.",
                headers: [.retryAfter: "1"])
        }
        core.logger.error("request failed", metadata: ["request_id": "\(requestID)", "error": "\(error)"])
        return Problem(
            .internalServerError, "internal", "The service failed to answer. The log has the reason under the request's id.")
    }

    /// The caller's own `X-Request-Id`, where it is harmless.
    private func echoed(_ request: Request) -> String? {
        guard let id = request.headers[.requestID], !id.isEmpty, id.utf8.count <= 128 else { return nil }
        return id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? id : nil
    }

    private func allowOrigin(of request: Request, in response: inout Response) {
        guard !core.configuration.allowedOrigins.isEmpty else { return }
        response.headers[.vary] = "Origin"
        guard let origin = request.headers[.origin], core.configuration.allowedOrigins.contains(origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = "X-Request-Id, Retry-After"
    }
}

/// The media type of a body.
struct ContentType {
    private let essence: String

    init(_ header: String) {
        let end = header.firstIndex(of: ";") ?? header.endIndex
        essence = header[..<end].filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// One record a line.
    var isLines: Bool {
        ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines", "application/x-jsonlines"]
            .contains(essence)
    }

    var isJSON: Bool { essence == "application/json" || essence.hasSuffix("+json") || isLines }
}

extension HTTPField.Name {
    static let apiKey = Self("X-API-Key")!
    static let requestID = Self("X-Request-Id")!
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotencyReplayed = Self("Idempotency-Replayed")!
    static let contentTypeOptions = Self("X-Content-Type-Options")!
}
