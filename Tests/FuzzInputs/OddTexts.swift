/// Strings that people, keyboards and broken programs send.
extension FuzzSource {
    /// What may stand between the quotes of a JSON string.
    static let textPieces: [[UInt8]] = [
        "a", "Z", "7", " ", "-", "_", "/", "#", ":", ".", "'", "&", "<b>", "%2F", "{", "}", "[", "]", ",", "=", "|", "null", "session:",
        "u1",
        "i1", "café", "cafe\u{301}", "é", "ß", "ſ", "ﬁ", "Å", "Å", "Ω", "漢", "각", "\u{1100}\u{1161}\u{11A8}", "😀", "👩‍👩‍👧", "🇩🇪", "שלום",
        "مرحبا",
        "\u{FEFF}", "\u{2028}", "\u{200B}", "\u{200D}", "\u{202E}", "\u{A0}", "\u{FFFD}", "\u{FFFF}", "\u{10FFFF}", "\u{E000}", "i\u{307}",
        "İ",
        // These grow where canonically equivalent text is brought to one form: 3 bytes to 6, 2 to 4, 4 to 12.
        "\u{958}", "\u{344}", "\u{FB2C}", "\u{1D160}", "\u{301}", "a\u{323}\u{307}", "a\u{307}\u{323}",
        "\u{7F}", "\u{80}", "\u{85}", "\u{9F}", "\\u0000", "\\u0007", "\\u001f", "\\u007f", "\\u0085", "\\n", "\\t", "\\r", "\\b", "\\f",
        "\\/",
        "\\\\", "\\\"", "\\u00e9", "\\u00E9", "\\u0041", "\\u2028", "\\ud83d\\ude00", "\\uFEFF", "e\\u0301", "\\uffff",
    ].map { Array($0.utf8) }

    /// What may not.
    static let brokenPieces: [[UInt8]] =
        [
            "\\ud800", "\\udc00", "\\ude00\\ud83d", "\\ud83d", "\\ud83dx", "\\x41", "\\u12g4", "\\u12", "\\", "\"", "\n", "\t", "\0",
            "\u{1F}",
            "\\U0041", "\\'",
        ].map { Array($0.utf8) } + [
            [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xFE, 0xFF], [0x80],
        ]

    /// Adds a JSON string with its quotes.
    ///
    /// - Parameter limitBytes: a bound that the reader has; now and then the string ends about there.
    public mutating func addText(to bytes: inout [UInt8], about limitBytes: Int = 256) {
        bytes.append(UInt8(ascii: "\""))
        switch below(12) {
        case 0: break
        case 1: addRepeated(to: &bytes, about: limitBytes)
        default: for _ in 0...below(5) { bytes.append(contentsOf: pick(Self.textPieces)) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// One piece again and again, until the bytes are about as many as the bound: with the prefix of a session and without.
    private mutating func addRepeated(to bytes: inout [UInt8], about limitBytes: Int) {
        let piece = once(in: 2) ? Array("a".utf8) : pick(Self.textPieces)
        let border = pick([limitBytes, limitBytes, limitBytes - 8, limitBytes / 2, limitBytes / 3]) - 2 + below(5)
        var written = 0
        while written + piece.count <= border {
            bytes.append(contentsOf: piece)
            written += piece.count
        }
        while written < border {
            bytes.append(UInt8(ascii: "x"))
            written += 1
        }
    }

    /// Adds an id as most senders write it: from a small world, so that records meet.
    mutating func addKnownID(_ prefix: StaticString, of count: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        bytes.add(prefix)
        bytes.add(String(below(count)))
        bytes.append(UInt8(ascii: "\""))
    }

    /// Text as a key of Kafka, a path or a plain file holds it: bytes without quotes and escapes.
    public mutating func plainBytes(about limitBytes: Int = 256) -> [UInt8] {
        var bytes: [UInt8] = []
        switch below(16) {
        case 0: break
        case 1: addRepeated(to: &bytes, about: limitBytes)
        // A schema registry's frame before the id.
        case 2: bytes = [0, 0, 0, 0, UInt8(below(8))] + Array("i\(below(100))".utf8)
        case 3: for _ in 0..<below(24) { bytes.append(UInt8(truncatingIfNeeded: next())) }
        case 4: withUnsafeBytes(of: next().bigEndian) { bytes.append(contentsOf: $0.prefix(pick([4, 8]))) }
        case 5: addText(to: &bytes)
        case 6: for _ in 0...below(4) { bytes.append(contentsOf: pick(Self.brokenPieces)) }
        case 7, 8, 9: for _ in 0...below(4) { bytes.append(contentsOf: pick(Self.textPieces)) }
        default: bytes.add(pick(["i", "u", "session:s", ""]) + "\(below(1_000))")
        }
        return bytes
    }
}
