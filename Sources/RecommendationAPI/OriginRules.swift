import HTTPTypes
import HummingbirdCore
import NIOCore

/// What pages in a browser may do here.
package struct OriginRules: RequestCheck {
    private let ring: KeyRing
    private let allowedOrigins: Set<String>
    private let hosts: HostRules

    /// The rules that a configuration asks for.
    package init(_ configuration: APIConfiguration, hosts: HostRules) {
        self.init(ring: configuration.keyRing, allowedOrigins: configuration.allowedOrigins, hosts: hosts)
    }

    /// Rules made of their parts.
    package init(ring: KeyRing, allowedOrigins: [String], hosts: HostRules) {
        self.ring = ring
        self.allowedOrigins = Set(allowedOrigins)
        self.hosts = hosts
    }

    package func check(_ exchange: inout Exchange) throws(Problem) {
        let route = exchange.found
        // What is shown is written down as shown, so a page that asks unseen, as by an image, writes too where no key stops it.
        let isShown = route.recordsImpressions && !exchange.asksForPreview && ring.isEmpty
        if route.method != .get || isShown { try refuseForeignPage(exchange.request) }
    }

    /// A page of another origin must not make a browser change things here.
    private func refuseForeignPage(_ request: Request) throws(Problem) {
        guard let origin = request.headers[.origin] else {
            // Browsers name the origin of what changes things; one that only says "from elsewhere" is not trusted either.
            // Another port or a sister name is the same site, and another's page all the same.
            if let site = request.headers[.secFetchSite], site == "cross-site" || site == "same-site" {
                throw Self.foreign("of another \(site == "same-site" ? "origin" : "site")")
            }
            // A browser too old for that, or one that came over plain HTTP, may still say which page it was.
            if let page = request.headers[.referer].flatMap(Self.origin(of:)), !isAllowed(page, request) {
                throw Self.foreign("of \(page.quotedForMessage)")
            }
            return
        }
        guard isAllowed(origin, request) else { throw Self.foreign("of \(origin.quotedForMessage)") }
    }

    /// The origin of a page's address; nil where it is none.
    private static func origin(of address: String) -> String? {
        guard let scheme = address.firstRange(of: "://") else { return nil }
        return String(address[..<scheme.upperBound] + address[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" })
    }

    private func isAllowed(_ origin: String, _ request: Request) -> Bool {
        if allowedOrigins.contains(origin) { return true }
        guard let host = origin.firstRange(of: "://").map({ origin[$0.upperBound...] }) else { return false }
        return String(host) == request.head.authority && isOwnName(host)
    }

    /// Whether a page in a browser asked, or may have: what forms can send without asking first is not read then.
    static func isFromPage(_ request: Request) -> Bool {
        if request.headers[.origin] != nil { return true }
        guard let site = request.headers[.secFetchSite] else { return false }
        return site != "none"
    }

    private static func foreign(_ page: String) -> Problem {
        Problem(
            .forbidden, "foreign-origin",
            "A page \(page) may not change things here. Add its origin to http.cors_origins if it should.")
    }

    /// Without keys, only names that nobody else can point here: a page may have a name of its own resolve to this machine.
    private func isOwnName(_ authority: Substring) -> Bool {
        guard ring.isEmpty else { return true }
        if hosts.isOwn(authority) { return true }
        guard let name = HostRules.name(in: authority) else { return false }
        return (try? SocketAddress(ipAddress: name, port: 0)) != nil
    }
}
