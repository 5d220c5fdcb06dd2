import HTTPTypes
import HummingbirdCore

/// Who calls, by the key that came as `X-API-Key` or as a bearer token (RFC 6750).
package struct KeyCheck: RequestCheck {
    private let ring: KeyRing

    /// - Parameter ring: whose keys may change meanwhile; those in force as a request comes decide.
    package init(_ ring: KeyRing) {
        self.ring = ring
    }

    package func check(_ exchange: inout Exchange) throws(Problem) {
        exchange.caller = try authorise(exchange.request, exchange.found)
    }

    /// The number of the caller's key, or -1 where none is needed.
    func authorise(_ request: Request, _ route: Route) throws(Problem) -> Int {
        let keys = ring.entries
        guard !keys.isEmpty, let scope = route.scope else { return -1 }
        guard let presented = Self.presented(request) else {
            throw Problem(
                .unauthorized, "key-required",
                "Send an API key with scope `\(scope.rawValue)` as X-API-Key, or as Authorization: Bearer.",
                headers: [.wwwAuthenticate: #"Bearer realm="freshet", X-API-Key"#])
        }
        guard let found = keys.entry(presented: Array(presented.key.utf8)) else {
            throw Problem(
                .unauthorized, "unknown-key", "The key in \(presented.place) is not known.",
                headers: [.wwwAuthenticate: #"Bearer realm="freshet", error="invalid_token", X-API-Key"#])
        }
        let scopes = found.key.scopes
        guard scopes.contains(scope) || route.orScope.map({ scopes.contains($0) }) == true else {
            throw Problem(.forbidden, "scope-required", "The key does not have scope `\(scope.rawValue)`.")
        }
        return found.caller
    }

    /// Whether a caller of a route that is open to everybody may be told what only readers may: without keys everybody, else who
    /// sent one with scope `read`.
    func mayRead(_ request: Request) -> Bool {
        let keys = ring.entries
        if keys.isEmpty { return true }
        guard let presented = Self.presented(request) else { return false }
        return keys.entry(presented: Array(presented.key.utf8))?.key.scopes.contains(.read) == true
    }

    /// `X-API-Key` where it is there; proxies put schemes of their own into `Authorization`, which say nothing here.
    private static func presented(_ request: Request) -> (key: String, place: String)? {
        if let key = request.headers[.apiKey] { return (key, "X-API-Key") }
        guard let header = request.headers[.authorization] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return (String(parts[1].drop { $0 == " " }), "Authorization")
    }
}
