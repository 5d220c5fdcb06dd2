import HTTPTypes
import HummingbirdCore
import Synchronization

/// Names requests: each answer has an id that no other has, random for the process and counted within it.
package final class RequestIDs: Sendable {
    private let prefix: String
    private let count = Atomic<UInt64>(0)

    /// - Parameter prefix: what tells this process from others.
    package init(prefix: String = String(UInt64.random(in: .min ... .max), radix: 36)) {
        self.prefix = prefix
    }

    /// An id that was not given before.
    package func next() -> String {
        let number = count.wrappingAdd(1, ordering: .relaxed).oldValue
        return "\(prefix)-\(String(number, radix: 36))"
    }

    /// The caller's own `X-Request-Id`, where it is harmless.
    static func echoed(_ request: Request) -> String? {
        guard let id = request.headers[.requestID], !id.isEmpty, id.utf8.count <= 128 else { return nil }
        return id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? id : nil
    }
}

/// What every answer carries, whatever it says: the request's id, and the mark of who only looked. `HEAD` loses its body here.
package struct AnswerMarks: RequestMiddleware {
    /// The concern has no settings.
    package init() {}

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        var response = try await next.handle(&exchange)
        if exchange.asksForPreview { response = response.markedAsPreview() }
        if exchange.request.method == .head { response = response.createHeadResponse() }
        response.headers[.requestID] = RequestIDs.echoed(exchange.request) ?? exchange.requestID
        response.headers[.contentTypeOptions] = "nosniff"
        return response
    }
}

extension Response {
    /// The answer with the mark of a preview, which the metrics leave out.
    func markedAsPreview() -> Response {
        var marked = self
        marked.headers[.preview] = "true"
        return marked
    }

    var isPreview: Bool { headers[.preview] != nil }
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
