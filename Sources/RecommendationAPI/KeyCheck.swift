import HTTPTypes
import Logging
import HummingbirdCore

/// Who calls, by the key that came as `X-API-Key` or as a bearer token (RFC 6750).
package struct KeyCheck: RequestCheck {
    private let ring: KeyRing
    private let guesses: KeyGuesses
    private let logger: Logger?

    /// - Parameters:
    ///   - ring: whose keys may change meanwhile; those in force as a request comes decide.
    ///   - guesses: slows down who guesses.
    ///   - logger: is told of them.
    package init(_ ring: KeyRing, guesses: KeyGuesses = KeyGuesses(now: .now), logger: Logger? = nil) {
        self.ring = ring
        self.guesses = guesses
        self.logger = logger
    }

    package func check(_ exchange: inout Exchange) throws(Problem) {
        let found = try authorise(exchange)
        exchange.admitted = Exchange.Caller(number: found?.caller ?? -1, name: found?.key.name)
    }

    /// The caller's key, or nil where none is needed.
    private func authorise(_ exchange: Exchange) throws(Problem) -> KeyRing.Entry? {
        let keys = ring.entries, route = exchange.found
        guard !keys.isEmpty, let scope = route.scope else { return nil }
        guard let presented = Self.presented(exchange.request) else {
            throw Problem(
                .unauthorized, "key-required",
                "Send an API key with scope `\(scope.rawValue)` as X-API-Key, or as Authorization: Bearer.",
                headers: [.wwwAuthenticate: #"Bearer realm="freshet", X-API-Key"#])
        }
        let (known, wait) = look(presented.key, among: keys, exchange)
        if let wait {
            throw Problem(
                .tooManyRequests, "too-many-wrong-keys", "Too many wrong keys came from this address. Ask again in \(wait) s.",
                headers: [.retryAfter: String(wait)])
        }
        guard let found = known else {
            throw Problem(
                .unauthorized, "unknown-key", "The key in \(presented.place) is not known.",
                headers: [.wwwAuthenticate: #"Bearer realm="freshet", error="invalid_token", X-API-Key"#])
        }
        let scopes = found.key.scopes
        guard scopes.contains(scope) || route.orScope.map({ scopes.contains($0) }) == true else {
            throw Problem(.forbidden, "scope-required", "The key does not have scope `\(scope.rawValue)`.")
        }
        return found
    }

    /// The entry of a key, where there is one, or the seconds to wait where too many wrong ones came from the same address.
    private func look(_ key: String, among keys: [KeyRing.Entry], _ exchange: Exchange) -> (KeyRing.Entry?, wait: Int?) {
        let found = keys.entry(presented: Array(key.utf8)), now = exchange.began
        guard let origin = exchange.origin else { return (found, nil) }
        let wait = found.map { guesses.rightKey(of: $0.caller, from: origin, now: now) } ?? guesses.wrongKey(from: origin, now: now)
        guard let wait else { return (found, nil) }
        if let logger, let sentence = guesses.tell(exchange.address, now: now) { logger.warning("\(sentence)") }
        return (nil, wait)
    }

    /// Whether a caller of a route that is open to everybody may be told what only readers may: without keys everybody, else who
    /// sent one with scope `read`.
    package func mayRead(_ exchange: Exchange) -> Bool {
        let keys = ring.entries
        if keys.isEmpty { return true }
        guard let presented = Self.presented(exchange.request) else { return false }
        return look(presented.key, among: keys, exchange).0?.key.scopes.contains(.read) == true
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
