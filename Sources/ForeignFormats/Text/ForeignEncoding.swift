/// How the characters of a text file are written.
public enum ForeignEncoding: String, Sendable, CaseIterable {
    /// UTF-8, with or without its mark.
    case utf8 = "utf-8"
    /// UTF-16, the lower byte first.
    case utf16LittleEndian = "utf-16le"
    /// UTF-16, the higher byte first.
    case utf16BigEndian = "utf-16be"
    /// Windows-1252, of which Latin-1 (ISO 8859-1) is a part.
    case windows1252 = "windows-1252"

    /// The encoding of this name; case does not matter, and `latin1`, `latin-1`, `iso-8859-1` and `utf8` are names, too.
    public init?(name: String) {
        let small = name.lowercased()
        switch small {
        case "latin1", "latin-1", "iso-8859-1", "cp1252": self = .windows1252
        case "utf8": self = .utf8
        default:
            guard let known = ForeignEncoding(rawValue: small) else { return nil }
            self = known
        }
    }

    /// The byte order mark that the first bytes are, with its length.
    static func mark(of head: some Collection<UInt8>) -> (encoding: ForeignEncoding, bytes: Int)? {
        if head.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if head.starts(with: [0xFF, 0xFE]) { return (.utf16LittleEndian, 2) }
        if head.starts(with: [0xFE, 0xFF]) { return (.utf16BigEndian, 2) }
        return nil
    }
}
