import HummingbirdCore
import Logging
import NIOHTTP1

/// Makes an `application/problem+json` answer (RFC 9457) of whatever goes wrong further in; no error gets past it.
package struct ProblemDetails: RequestMiddleware {
    let logger: Logger

    /// Tells this log of failures that are not the caller's.
    package init(logger: Logger) {
        self.logger = logger
    }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        do {
            return try await next.handle(&exchange)
        } catch {
            let problem = problem(for: error, requestID: exchange.requestID)
            if exchange.service.configuration.servesGorse, GorseDoor.path(exchange.request.uri.path).hasPrefix(GorseDoor.prefix) {
                return GorseDoor.text(problem)
            }
            return problem.response(requestID: exchange.requestID)
        }
    }

    /// What the caller is told of an error. One that nobody foresaw is told of in the log only.
    func problem(for error: any Error, requestID: String) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as ServiceError: return Problem(error)
        case is CancellationError: return .cancelled
        case let interrupted as RequestInterrupted: return Problem(interrupted)
        case let malformed as HTTPParserError:
            return Problem(
                .badRequest, "malformed-request", "The body is not what its header announces: \(malformed).",
                headers: [.connection: "close"])
        default:
            logger.error("request failed", metadata: ["request_id": "\(requestID)", "error": "\(error)"])
            return Problem(
                .internalServerError, "internal", "The service failed to answer. The log has the reason under the request's id.")
        }
    }
}

/// Answers in place of what came and was no request; see ``RefusedRequest``.
package struct RefusedHeads: RequestCheck {
    /// The concern has no settings.
    package init() {}

    package func check(_ exchange: inout Exchange) throws(Problem) {
        if let refused = RefusedRequest.problem(of: exchange.request.head) { throw refused }
    }
}
