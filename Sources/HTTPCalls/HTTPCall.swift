/// One request to a service.
public struct HTTPCall: Sendable {
    /// What a call does.
    public enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"

        /// Whether sending it twice does what sending it once does (RFC 9110, 9.2.2).
        var isIdempotent: Bool { self != .post }
    }

    /// What it does.
    public var method: Method
    /// From `/` on, percent-encoded, with its query; the address's own path stands before it.
    public var path: String
    /// Fields besides `Host` and `Content-Length`.
    public var headers: [(name: String, value: String)]
    /// What is sent; nil for nothing.
    public var body: [UInt8]?
    /// From the call to the last byte of the answer, waiting for a connection and opening one included.
    public var timeout: Duration
    /// A longer answer is given up.
    public var maxAnswerBytes: Int

    /// Makes a call.
    public init(
        _ method: Method, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeout: Duration = .seconds(10), maxAnswerBytes: Int = 4 << 20
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maxAnswerBytes = maxAnswerBytes
    }
}

/// What came back, whatever its status.
public struct HTTPAnswer: Sendable {
    /// 200, 404, …; never 1xx.
    public let status: Int
    /// Its fields, in their order.
    public let headers: [(name: String, value: String)]
    /// All of its body.
    public let body: [UInt8]

    /// The first value of a field, whatever the case of its name.
    public subscript(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Why a call has no answer.
public struct HTTPCallError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public enum Code: Sendable, Equatable {
        /// The address or the path is none.
        case badAddress
        /// The address is `https`, and this program was built without TLS.
        case builtWithoutTLS
        /// Nobody listens there, the name is not known, or TLS was not agreed on.
        case notConnected
        /// So many calls wait for a connection already that one more is not taken.
        case tooManyWaiting
        /// The time of the call is over.
        case timedOut
        /// The connection ended before the answer did.
        case closedEarly
        /// The answer is longer than asked for.
        case tooLarge
        /// What came back is no HTTP/1.
        case malformed
    }

    /// What kind of failure it was.
    public let code: Code
    /// A sentence with the words of what failed.
    public let message: String

    /// True where the same call may succeed later.
    public var isRetriable: Bool {
        switch code {
        case .notConnected, .tooManyWaiting, .timedOut, .closedEarly: true
        case .badAddress, .builtWithoutTLS, .tooLarge, .malformed: false
        }
    }

    /// The sentence.
    /// The sentence.
    public var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
