import HummingbirdCore

/// Answers a request, or says why not.
package protocol RequestHandler: Sendable {
    /// - Throws: whatever ``ProblemDetails`` makes an answer of.
    func handle(_ exchange: inout Exchange) async throws -> Response
}

/// One concern of answering: it sees the request on its way in and the answer on its way out, and knows none of the others.
package protocol RequestMiddleware: Sendable {
    /// Answers a request, most often by what `next` answers.
    func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response
}

/// A concern that lets a request through or refuses it, and does nothing with the answer.
package protocol RequestCheck: RequestMiddleware {
    /// Lets a request through, or says why not.
    func check(_ exchange: inout Exchange) throws(Problem)
}

extension RequestCheck {
    /// What `next` answers, once the check lets the request through.
    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        try check(&exchange)
        return try await next.handle(&exchange)
    }
}

extension RequestMiddleware {
    /// The chain of this concern and what comes after it.
    ///
    /// Chains are types, not lists: the compiler sees through the whole, and passing a request on allocates nothing.
    package func then<Next: RequestHandler>(_ next: Next) -> Linked<Self, Next> { Linked(outer: self, inner: next) }
}

/// A concern with all that comes after it.
package struct Linked<Outer: RequestMiddleware, Inner: RequestHandler>: RequestHandler {
    let outer: Outer
    let inner: Inner

    package func handle(_ exchange: inout Exchange) async throws -> Response {
        try await outer.handle(&exchange, next: inner)
    }
}

/// The end of a chain: what the request's route does.
package struct RouteWork: RequestHandler {
    /// The concern has no settings.
    package init() {}

    package func handle(_ exchange: inout Exchange) async throws -> Response {
        try await exchange.found.handle(exchange)
    }
}

/// Lets requests through whose path and method stand for a route, and answers for the others.
package struct KnownRoutes: RequestMiddleware {
    /// What answers `OPTIONS`.
    let crossOrigin: CrossOrigin

    /// Lets pages of these origins read answers.
    package init(crossOrigin: CrossOrigin) {
        self.crossOrigin = crossOrigin
    }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        switch exchange.match {
        case .found: return try await next.handle(&exchange)
        case .otherMethods(let methods):
            let allow = methods.map(\.rawValue).joined(separator: ", ")
            guard exchange.request.method == .options else {
                throw Problem(
                    .methodNotAllowed, "method-not-allowed",
                    "\(exchange.request.method.rawValue) is not possible here; \(allow) are.", headers: [.allow: allow])
            }
            return crossOrigin.preflight(exchange.request, allow: allow)
        case .badEncoding:
            throw Problem(.badRequest, "invalid-encoding", "The path is not percent-encoded UTF-8.")
        case .unknown:
            throw Problem(.notFound, "unknown-route", "There is nothing at this path. See /openapi.json for what there is.")
        }
    }
}

/// Refuses parameters that the route does not read, and a query that cannot be read.
package struct KnownQuery: RequestCheck {
    /// The concern has no settings.
    package init() {}

    package func check(_ exchange: inout Exchange) throws(Problem) {
        try exchange.readQuery()
        let route = exchange.found
        try exchange.query.check(route.parameters, takesBody: route.takesBody)
        if route.parameters.takesPreview { _ = try exchange.query.flag(KnownParameters.preview) }
    }
}
