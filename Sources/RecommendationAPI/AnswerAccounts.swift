import HummingbirdCore
import Logging

/// Counts each answer by its route, status and time, and tells its connection how much there is to be read.
package struct AnswerCount: RequestMiddleware {
    let metrics: RequestMetrics

    /// Counts answers in these metrics.
    package init(metrics: RequestMetrics) {
        self.metrics = metrics
    }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        let response = try await next.handle(&exchange)
        // Who only looks is no traffic of the shop.
        if !response.isPreview {
            metrics.answered(
                route: exchange.matchedRoute, status: response.status.code, duration: ContinuousClock.now - exchange.began)
        }
        exchange.connection?.made(bytes: response.body.contentLength ?? 0)
        return response
    }
}

/// A line of the log for each promotion and erasure that somebody was let in for: who, by the name of the key, what, and what became of
/// it.
package struct AuditLog: RequestMiddleware {
    private let logger: Logger

    /// Writes to this log.
    package init(to logger: Logger) { self.logger = logger }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        let response = try await next.handle(&exchange)
        guard let act = exchange.found.audit?(exchange), let caller = exchange.admitted else { return response }
        logger.notice(
            "\(act), asked for over HTTP",
            metadata: [
                "key": "\(caller.name ?? "none needed")", "status": "\(response.status.code)", "request_id": "\(exchange.requestID)",
            ])
        return response
    }
}

/// A line of the log for each answer, where it is asked for (`debug`). It has the template of the path, which itself may hold a user's id.
package struct AccessLog: RequestMiddleware {
    let logger: Logger

    /// Writes to this log.
    package init(logger: Logger) {
        self.logger = logger
    }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        let response = try await next.handle(&exchange)
        guard logger.logLevel <= .debug else { return response }
        let route = exchange.matchedRoute == nil ? "unmatched" : exchange.found.template
        let (request, id, duration) = (exchange.request, exchange.requestID, ContinuousClock.now - exchange.began)
        logger.debug(
            "request",
            metadata: [
                "method": "\(request.method.rawValue)", "route": "\(route)", "status": "\(response.status.code)",
                "ms": "\(duration.milliseconds)", "request_id": "\(id)",
            ])
        return response
    }
}
