import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Takes each request through admission, authorisation, its route and its deadline, and turns every failure into a problem.
public struct ServiceResponder: HTTPResponder {
    public typealias Context = ServiceContext

    let table: RouteTable
    let core: ServiceCore

    public func respond(to request: Request, context: Context) async throws -> Response {
        let connection = core.connections[context.channel]
        await connection?.waitUntilTaken()
        let began = ContinuousClock.now
        var isCounted = false
        let requestID = core.makeRequestID()
        let match = table.match(request.method, path: request.uri.path)
        var response: Response
        do {
            response = try await answer(request, match, requestID, began, connection, &isCounted)
        } catch let problem as Problem {
            response = problem.response(requestID: requestID)
        } catch {
            response = problem(for: error, requestID: requestID).response(requestID: requestID)
        }
        if asksForPreview(request, match) { response = response.markedAsPreview() }
        if request.method == .head { response = response.createHeadResponse() }
        response.headers[.requestID] = echoed(request) ?? requestID
        response.headers[.contentTypeOptions] = "nosniff"
        allowOrigin(of: request, in: &response)
        let duration = ContinuousClock.now - began
        let route: Int? = if case .found(let index, _) = match { index } else { nil }
        if isCounted { core.metrics.leave() }
        // Who only looks is no traffic of the shop.
        if !response.isPreview { core.metrics.answered(route: route, status: response.status.code, duration: duration) }
        connection?.made(bytes: response.body.contentLength ?? 0)
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
        _ connection: Connection?, _ isCounted: inout Bool
    ) async throws -> Response {
        if let refused = RefusedRequest.problem(of: request.head) { throw refused }
        if core.listensOnLoopbackOnly { try HostRules(core.configuration).refuseForeignHost(request.head.authority) }
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
        let caller = try KeyCheck(core.configuration).authorise(request, route)
        if route.isLimited, let limit = core.rateLimit, let wait = limit.admit(caller: max(0, caller), now: began) {
            throw Problem(
                .tooManyRequests, "too-many-requests", "Too many requests a second. Ask again in \(wait) s.",
                headers: [.retryAfter: String(wait)])
        }
        // What is shown is written down as shown, so a page that asks unseen, as by an image, writes too where no key stops it.
        let isShown = route.recordsImpressions && core.configuration.keyRing.isEmpty && !asksForPreview(request, match)
        if route.method != .get || isShown { try OriginRules(core.configuration).refuseForeignPage(request) }
        let query = try QueryParameters(request.uri.query)
        try query.check(route.parameters, takesBody: route.takesBody)
        var exchange = Exchange(
            service: core, request: request, route: index, parameters: parameters, requestID: requestID, began: began,
            caller: caller, query: query)
        if route.takesBody {
            exchange.body = try await RequestBody.read(request, maxBytes: core.configuration.maxBodyBytes, from: connection)
        }
        // Counted once all is there: a body that does not come takes no place from others.
        let inFlight = core.metrics.enter()
        isCounted = true
        if route.isLimited, inFlight > core.configuration.maxConcurrentRequests {
            throw Problem(
                .serviceUnavailable, "overloaded",
                "\(core.configuration.maxConcurrentRequests) requests are being answered already.",
                headers: [.retryAfter: "1"])
        }
        if route.parameters.takesPreview { _ = try query.flag(KnownParameters.preview) }
        guard route.isTimed else { return try await route.handle(exchange) }
        let ready = exchange
        let isLarge = ready.body.count >= WorkThreads.largeBodyBytes
        do {
            return try await core.deadlines.run(
                limit: .milliseconds(core.configuration.requestTimeoutMilliseconds), from: route.takesBody ? .now : began,
                for: connection, on: isLarge ? WorkThreads.shared : nil
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
            headers[.accessControlAllowHeaders] = "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id"
            headers[.accessControlMaxAge] = "600"
        }
        return Response(status: .noContent, headers: headers)
    }

    /// Whether a look-up says that somebody only looks. What the body of a POST says is for its route to tell.
    private func asksForPreview(_ request: Request, _ match: RouteTable.Match) -> Bool {
        guard case .found(let index, _) = match, table.routes[index].parameters.takesPreview,
            let query = try? QueryParameters(request.uri.query)
        else { return false }
        return (try? query.flag(KnownParameters.preview)) ?? false
    }

    private func problem(for error: any Error, requestID: String) -> Problem {
        if let error = error as? ServiceError { return Problem(error) }
        if error is CancellationError { return .cancelled }
        if let interrupted = error as? RequestInterrupted { return Problem(interrupted) }
        if let malformed = error as? HTTPParserError {
            return Problem(
                .badRequest, "malformed-request", "The body is not what its header announces: \(malformed).",
                headers: [.connection: "close"])
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
        response.headers[.accessControlExposeHeaders] = "Idempotency-Replayed, Retry-After, WWW-Authenticate, X-Request-Id"
    }
}

extension HTTPField.Name {
    static let apiKey = Self("X-API-Key")!
    static let requestID = Self("X-Request-Id")!
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotencyReplayed = Self("Idempotency-Replayed")!
    static let preview = Self("X-Freshet-Preview")!
    static let secFetchSite = Self("Sec-Fetch-Site")!
    static let contentTypeOptions = Self("X-Content-Type-Options")!
}
