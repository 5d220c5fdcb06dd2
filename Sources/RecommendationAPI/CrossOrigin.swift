import HTTPTypes
import HummingbirdCore

/// What pages of configured origins learn from a browser's questions before and after their own (CORS, https://fetch.spec.whatwg.org).
package struct CrossOrigin: RequestMiddleware {
    private let allowedOrigins: Set<String>

    private static let requestHeaders = "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id"
    private static let answerHeaders = "Idempotency-Replayed, Retry-After, WWW-Authenticate, X-Request-Id"
    private static let preflightSeconds = "600"

    /// Lets pages of these origins call; `*` lets all.
    package init(allowedOrigins: [String]) {
        self.allowedOrigins = Set(allowedOrigins)
    }

    /// Marks the answer for pages that may read it.
    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        var response = try await next.handle(&exchange)
        guard !allowedOrigins.isEmpty else { return response }
        response.headers[.vary] = "Origin"
        if let origin = exchange.request.headers[.origin], allowedOrigins.contains(origin) {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlExposeHeaders] = Self.answerHeaders
        }
        return response
    }

    /// The answer to `OPTIONS`, by which a browser asks before a page's request.
    ///
    /// - Parameter allow: the methods that the path knows, as `Allow` lists them.
    package func preflight(_ request: Request, allow: String) -> Response {
        var headers: HTTPFields = [.allow: allow]
        if let origin = request.headers[.origin], allowedOrigins.contains(origin) {
            headers[.accessControlAllowMethods] = allow
            headers[.accessControlAllowHeaders] = Self.requestHeaders
            headers[.accessControlMaxAge] = Self.preflightSeconds
        }
        return Response(status: .noContent, headers: headers)
    }
}
