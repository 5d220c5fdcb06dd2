/// Why an operation could not do what was asked. It becomes an `application/problem+json` answer.
public struct ServiceError: Error, Sendable, Equatable {
    /// What kind of failure it was, and so which status the caller sees.
    public enum Code: Sendable, Equatable {
        /// 400: what was asked makes no sense.
        case invalid
        /// 404.
        case notFound
        /// 409: it does not go with the state as it is.
        case conflict
        /// 429: this caller asks too much.
        case tooMany
        /// 503: a part that is needed does not answer now.
        case unavailable
        /// 504: it did not happen in time.
        case timedOut
    }

    /// What kind of failure it was.
    public var code: Code
    /// A sentence for the caller: what was wrong, where, and what to do. No secrets.
    public var detail: String
    /// For ``Code/tooMany`` and ``Code/unavailable``: when to ask again.
    public var retryAfterSeconds: Int?

    /// True where the same request may succeed later.
    public var isRetriable: Bool {
        switch code {
        case .invalid, .notFound, .conflict: false
        case .tooMany, .unavailable, .timedOut: true
        }
    }

    /// Makes an error.
    public init(_ code: Code, _ detail: String, retryAfterSeconds: Int? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfterSeconds = retryAfterSeconds
    }
}
