/// Where a service is: what its URL says.
public struct HTTPAddress: Sendable, Hashable {
    /// Whether it is asked through TLS (`https`).
    public let isSecure: Bool
    /// A name, or an address without brackets.
    public let host: String
    /// 1 to 65,535; that of the scheme where the URL names none.
    public let port: Int
    /// What stands before every path: empty, or `/shop` without a slash at its end.
    public let pathPrefix: String

    /// Reads `http://127.0.0.1:8080`, `https://shop.example/freshet`, `http://[::1]:8080/`.
    ///
    /// - Throws: ``HTTPCallError`` with the code ``HTTPCallError/Code/badAddress`` that says what is wrong with it.
    public init(_ url: String) throws(HTTPCallError) {
        func refused(_ why: String) -> HTTPCallError {
            HTTPCallError(.badAddress, "\(url) is no address of a service: \(why) (such as http://127.0.0.1:8080)")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw refused("it holds spaces or control characters") }
        guard let colon = url.firstRange(of: "://") else { throw refused("it begins with neither http:// nor https://") }
        switch url[..<colon.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw refused("it begins with neither http:// nor https://")
        }
        let rest = url[colon.upperBound...]
        guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else { throw refused("it has a query or a fragment") }
        let authority = rest.prefix { $0 != "/" }
        var path = rest[authority.endIndex...]
        while path.last == "/" { path.removeLast() }
        pathPrefix = String(path)
        guard !authority.contains("@") else { throw refused("it names a user") }
        var portText: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw refused("its bracket is not closed") }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let behind = authority[authority.index(after: end)...]
            guard behind.isEmpty || behind.first == ":" else { throw refused("something stands behind its bracket") }
            if !behind.isEmpty { portText = behind.dropFirst() }
        } else {
            let name = authority.prefix { $0 != ":" }
            host = String(name)
            if name.endIndex < authority.endIndex { portText = authority[authority.index(after: name.endIndex)...] }
        }
        guard !host.isEmpty else { throw refused("it names no host") }
        guard let portText else {
            port = isSecure ? 443 : 80
            return
        }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(portText), 1...65_535 ~= number else {
            throw refused("its port is not a number from 1 to 65535")
        }
        port = number
    }

    /// What goes into `Host`: the port only where it is not the scheme's own.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
