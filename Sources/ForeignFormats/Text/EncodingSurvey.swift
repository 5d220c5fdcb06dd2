/// Finds out how a text is encoded from its bytes, in pieces of any size. O(bytes), without memory.
///
/// The rule: a byte order mark says it; else zero bytes at every other place of the first 256 bytes mean UTF-16; else it is UTF-8, unless
/// more bytes are no UTF-8 than characters beyond ASCII are: then it is Windows-1252.
public struct EncodingSurvey: Sendable {
    private static let headBytes = 256

    private var head: [UInt8] = []
    /// Characters of two bytes or more that are UTF-8.
    private var rich: Int64 = 0
    /// Bytes that belong to no character of UTF-8.
    private var broken: Int64 = 0
    /// Bytes of a character that are still to come, and what the next one may be.
    private var missing = 0
    private var bounds: ClosedRange<UInt8> = 0x80...0xBF
    private var taken: Int64 = 0

    /// Nothing looked at yet.
    public init() {}

    /// Looks at the next bytes.
    public mutating func look(at bytes: UnsafeRawBufferPointer) {
        if head.count < Self.headBytes { head.append(contentsOf: bytes.prefix(Self.headBytes - head.count)) }
        for byte in bytes { look(byte) }
    }

    private mutating func look(_ byte: UInt8) {
        if missing > 0 {
            if bounds.contains(byte) {
                missing -= 1
                taken += 1
                bounds = 0x80...0xBF
                if missing == 0 { rich += 1 }
                return
            }
            // What began as a character is none, and this byte begins anew.
            broken += taken
            missing = 0
        }
        taken = 1
        bounds = 0x80...0xBF
        switch byte {
        case 0..<0x80: break
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, bounds) = (2, 0xA0...0xBF)
        case 0xED: (missing, bounds) = (2, 0x80...0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, bounds) = (3, 0x90...0xBF)
        case 0xF4: (missing, bounds) = (3, 0x80...0x8F)
        case 0xF1...0xF3: missing = 3
        default: broken += 1
        }
    }

    /// The encoding, by all that was looked at.
    public var encoding: ForeignEncoding {
        if let mark = ForeignEncoding.mark(of: head) { return mark.encoding }
        if let wide { return wide }
        return broken > rich ? .windows1252 : .utf8
    }

    /// UTF-16 without a mark: of the first characters nearly all are ASCII, and so every other byte is zero.
    private var wide: ForeignEncoding? {
        let pairs = head.count / 2
        guard pairs >= 2 else { return nil }
        var high = 0, low = 0
        for pair in 0..<pairs {
            if head[2 * pair] == 0 { high += 1 }
            if head[2 * pair + 1] == 0 { low += 1 }
        }
        if low * 4 >= pairs * 3, high * 4 <= pairs { return .utf16LittleEndian }
        return high * 4 >= pairs * 3 && low * 4 <= pairs ? .utf16BigEndian : nil
    }
}
