import HTTPTypes
import NIOHTTP1

/// What came in place of a request, and the answer to it.
struct RefusedRequest: Error, Equatable {
    /// A method that the parser knows is none: only the service itself can put it into a request.
    static let method = "REFUSED"
    private static let statusField = "freshet-status"
    private static let detailField = "freshet-detail"

    let status: HTTPResponse.Status
    let slug: String
    let detail: String

    static func malformed(_ what: String) -> Self {
        Self(status: .badRequest, slug: "malformed-request", detail: "This is no HTTP/1.1 request: \(what).")
    }

    static let targetTooLong = Self(
        status: .uriTooLong, slug: "uri-too-long",
        detail: "The path and query are longer than \(ServiceChannel.maxHeadBytes) bytes. Send long lists in the body of a POST.")
    static let headTooLarge = Self(
        status: .requestHeaderFieldsTooLarge, slug: "header-too-large",
        detail: "The header has more than \(ServiceChannel.maxHeadBytes) bytes or \(ServiceChannel.maxHeaderFields) fields.")
    static let tooSlow = Self(
        status: .requestTimeout, slug: "request-timeout", detail: "The request did not come in whole in time (http.request_seconds).")

    /// The head that goes on in its place.
    var head: HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1, method: .RAW(value: Self.method), uri: "/",
            headers: [Self.statusField: "\(status.code) \(slug)", Self.detailField: detail])
    }

    /// The problem that a head made by ``head`` stands for; nil for every request that came from outside.
    static func problem(of request: HTTPRequest) -> Problem? {
        guard request.method.rawValue == method, let statusField = HTTPField.Name(statusField),
            let detailField = HTTPField.Name(detailField), let words = request.headerFields[statusField]?.split(separator: " "),
            words.count == 2, let code = Int(words[0])
        else { return nil }
        return Problem(
            .init(code: code), String(words[1]), request.headerFields[detailField] ?? "", headers: [.connection: "close"])
    }
}

/// What a request's head must be beyond what the parser asks for.
enum RequestHeadRules {
    /// The head with the authority that counts as its only `Host`, or why it is refused.
    static func examine(_ head: HTTPRequestHead) -> Result<HTTPRequestHead, RefusedRequest> {
        var head = head
        let hosts = head.headers["host"]
        if hosts.count > 1 { return .failure(.malformed("it has \(hosts.count) Host fields")) }
        if hosts.isEmpty, head.version != .http1_0 { return .failure(.malformed("it has no Host field")) }
        if let expectation = head.headers.first(name: "expect"), expectation.lowercased() != "100-continue" {
            return .failure(
                RefusedRequest(
                    status: .expectationFailed, slug: "expectation-failed",
                    detail: "Expect: \(expectation.quotedForMessage) is not known here; 100-continue is."))
        }
        let codings = head.headers["transfer-encoding"]
        if !codings.isEmpty {
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return .failure(
                    RefusedRequest(
                        status: .notImplemented, slug: "unsupported-transfer-encoding",
                        detail: "Transfer-Encoding \(codings.joined(separator: ", ").quotedForMessage) is not read. "
                            + "Send chunked, or a Content-Length."))
            }
            if head.version == .http1_0 { return .failure(.malformed("HTTP/1.0 has no Transfer-Encoding")) }
        }
        switch head.method {
        case .CONNECT, .TRACE:
            // Answered by the table of routes, which knows neither; the target of a CONNECT is no path.
            if head.method == .CONNECT { head.uri = "/" }
            return .success(head)
        case .OPTIONS where head.uri == "*": return .success(head)
        default: break
        }
        if head.uri.utf8.first == UInt8(ascii: "/") { return .success(head) }
        // The absolute form: its authority counts, whatever Host says (RFC 9112, 3.2.2).
        guard let scheme = ["http://", "https://"].first(where: { head.uri.prefix($0.utf8.count).lowercased() == $0 }) else {
            return .failure(.malformed("its target \(head.uri.quotedForMessage) is neither a path nor an http URL"))
        }
        let rest = head.uri.utf8.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard !authority.isEmpty, !authority.contains(UInt8(ascii: "@")) else {
            return .failure(.malformed("its target \(head.uri.quotedForMessage) has no plain authority"))
        }
        head.headers.replaceOrAdd(name: "Host", value: String(decoding: authority, as: UTF8.self))
        let path = String(decoding: rest[authority.endIndex...], as: UTF8.self)
        head.uri = path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
        return .success(head)
    }
}
