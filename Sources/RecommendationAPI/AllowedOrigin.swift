/// An origin as people write it and as browsers send it (RFC 6454): scheme, host, and the port where it is not the scheme's own.
public enum AllowedOrigin {
    /// The origin as a browser sends it, or nil where the text is none: a path, a wildcard, no scheme.
    public static func normalised(_ text: String) -> String? {
        guard let colon = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<colon.lowerBound].lowercased()
        var authority = text[colon.upperBound...].lowercased()
        if authority.hasSuffix("/") { authority.removeLast() }
        let named =
            scheme.utf8.first.map { isLetter($0) } == true
            && scheme.utf8.allSatisfy { isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }
        guard named, !authority.isEmpty, authority.utf8.allSatisfy({ isLetter($0) || isDigit($0) || "-._:[]".utf8.contains($0) })
        else { return nil }
        if let port = ["http": ":80", "https": ":443"][scheme], authority.hasSuffix(port) { authority.removeLast(port.count) }
        return "\(scheme)://\(authority)"
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
