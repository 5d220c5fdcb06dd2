/// Brings bytes of one encoding to UTF-8, in pieces of any size. A byte order mark at the start is left out.
///
/// UTF-8 is handed on as it is: what is no UTF-8 is for whoever reads a row to say. Half a pair of UTF-16 becomes U+FFFD.
struct TextTranscoder: Sendable {
    let encoding: ForeignEncoding
    private var isAtStart = true
    /// Bytes of a character, or of the mark, whose others are still to come.
    private var rest: [UInt8] = []
    /// The first half of a pair of UTF-16.
    private var leading: UInt16?

    init(_ encoding: ForeignEncoding) { self.encoding = encoding }

    /// Appends the characters of `bytes` to `text`.
    mutating func append(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        var bytes = bytes[...]
        if isAtStart {
            while rest.count < 3, let byte = bytes.popFirst() { rest.append(byte) }
            guard rest.count == 3 else { return }
            leaveStart(&text)
        }
        decode(bytes, &text)
    }

    /// Appends what is left at the end of the text.
    mutating func finish(_ text: inout [UInt8]) {
        if isAtStart { leaveStart(&text) }
        if leading != nil || !rest.isEmpty { put(0xFFFD, &text) }
        leading = nil
        rest = []
    }

    private mutating func leaveStart(_ text: inout [UInt8]) {
        isAtStart = false
        let head = rest
        rest = []
        let mark = ForeignEncoding.mark(of: head)
        let skipped = mark.map { $0.encoding == encoding ? $0.bytes : 0 } ?? 0
        decode(head[skipped...], &text)
    }

    private mutating func decode(_ bytes: some Collection<UInt8>, _ text: inout [UInt8]) {
        switch encoding {
        case .utf8: text.append(contentsOf: bytes)
        case .windows1252:
            for byte in bytes { if byte < 0x80 { text.append(byte) } else { put(Self.scalar(byte), &text) } }
        case .utf16LittleEndian, .utf16BigEndian:
            for byte in bytes {
                guard let first = rest.popLast() else { rest.append(byte); continue }
                let isLittle = encoding == .utf16LittleEndian
                unit(UInt16(isLittle ? byte : first) << 8 | UInt16(isLittle ? first : byte), &text)
            }
        }
    }

    private mutating func unit(_ unit: UInt16, _ text: inout [UInt8]) {
        if let high = leading {
            leading = nil
            if UTF16.isTrailSurrogate(unit) {
                return put(0x1_0000 + (UInt32(high & 0x3FF) << 10 | UInt32(unit & 0x3FF)), &text)
            }
            put(0xFFFD, &text)
        }
        if UTF16.isLeadSurrogate(unit) { leading = unit } else { put(UTF16.isTrailSurrogate(unit) ? 0xFFFD : UInt32(unit), &text) }
    }

    private func put(_ value: UInt32, _ text: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(value) else { return }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// The character of a byte from 0x80: the five that Windows-1252 does not define are control characters, as browsers read them.
    private static func scalar(_ byte: UInt8) -> UInt32 { byte < 0xA0 ? UInt32(upper[Int(byte) - 0x80]) : UInt32(byte) }

    private static let upper: [UInt16] = [
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
        0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
    ]
}
