import HTTPTypes
import NIOCore

/// By which names the service lets itself be called where it has no keys and listens on loopback.
///
/// A page in a browser may have a name of its own resolve to this machine and then ask as if it came from here (DNS rebinding). Its
/// requests carry that name as `Host`, so only names that nobody else can point here are answered.
package struct HostRules: RequestCheck {
    private let ring: KeyRing
    /// The name or address that the service listens on, and those that the configuration adds.
    private let ownNames: Set<String>
    /// Asked once, since a name is resolved for it.
    private let listensOnLoopbackOnly: Bool

    /// The rules that a configuration asks for.
    package init(_ configuration: APIConfiguration) {
        self.init(
            ring: configuration.keyRing, host: configuration.host, allowedHosts: configuration.allowedHosts,
            listensOnLoopbackOnly: configuration.listensOnLoopbackOnly)
    }

    /// Rules made of their parts.
    package init(ring: KeyRing, host: String, allowedHosts: [String], listensOnLoopbackOnly: Bool) {
        self.ring = ring
        self.listensOnLoopbackOnly = listensOnLoopbackOnly
        ownNames = Set(allowedHosts.compactMap { Self.name(in: $0) }).union([Self.plain(host)])
    }

    package func check(_ exchange: inout Exchange) throws(Problem) {
        guard listensOnLoopbackOnly, ring.isEmpty, let authority = exchange.request.head.authority else { return }
        guard !isOwn(authority) else { return }
        throw Problem(
            .misdirectedRequest, "foreign-host",
            "This service has no keys, so it answers by names of this machine only, and Host is \(authority.quotedForMessage). "
                + "Ask 127.0.0.1 or localhost, add the name to http.allowed_hosts, or set keys.")
    }

    /// Whether an authority (`name`, `name:port`, `[address]:port`) is a name of this machine, or configured.
    func isOwn(_ authority: some StringProtocol) -> Bool {
        guard let name = Self.name(in: authority) else { return false }
        return name == "localhost" || name.hasSuffix(".localhost") || ownNames.contains(name) || Self.isLoopback(name)
    }

    /// The name or address in an authority, in lower case, without port, brackets and a final dot; nil where it is none.
    static func name(in authority: some StringProtocol) -> String? {
        var rest = authority.lowercased()[...]
        let name: Substring
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            name = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
        } else {
            name = rest.prefix { $0 != ":" }
            rest = rest[name.endIndex...]
        }
        guard rest.isEmpty || rest.hasPrefix(":") && rest.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let plain = plain(name)
        return plain.isEmpty ? nil : plain
    }

    private static func plain(_ name: some StringProtocol) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    private static func isLoopback(_ name: String) -> Bool {
        switch try? SocketAddress(ipAddress: name, port: 0) {
        case .v4(let address): return withUnsafeBytes(of: address.address.sin_addr) { $0[0] == 127 }
        case .v6(let address):
            return withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF && bytes[12] == 127
                return isMapped || bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
            }
        default: return false
        }
    }
}
