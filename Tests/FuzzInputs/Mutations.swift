/// Damage to bytes that were right before.
extension FuzzSource {
    private static let splices: [[UInt8]] =
        [
            "null", "\\u0000", "\\ud800", "\"", "\\", "{", "}", "[", "]", ",", ":", "-", "1e999", "0.3333333333", "\u{FEFF}", "\0", "\n",
            "é",
            "\"type\":", "\"user_id\":7,", "true", "  ", "99999999999999999999999", "\u{7F}", "\u{85}", "%", "&", "=", "+", "\r\n", "---",
            "*a",
            "&a", "!!", "/*", "//", "$", "${", "'", ";", "../",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]]

    /// Changes bytes in place: flips, cuts, splices, insertions, repetitions.
    public mutating func mutate(_ bytes: inout [UInt8], times: Int) {
        for _ in 0..<times {
            let at = below(bytes.count + 1)
            switch below(9) {
            case 0 where at < bytes.count: bytes[at] = UInt8(truncatingIfNeeded: next())
            case 1 where at < bytes.count: bytes[at] ^= 1 << UInt8(below(8))
            case 2 where at < bytes.count: bytes.remove(at: at)
            case 3: bytes.insert(contentsOf: pick(Self.splices), at: at)
            case 4: bytes.insert(contentsOf: pick(Self.textPieces), at: at)
            case 5: bytes.insert(contentsOf: pick(Self.brokenPieces), at: at)
            case 6: bytes.removeSubrange(at..<min(bytes.count, at + below(16)))
            case 7 where once(in: 3): bytes.removeSubrange(at...)
            default:
                let piece = Array(bytes[at..<min(bytes.count, at + below(48))])
                bytes.insert(contentsOf: piece, at: below(bytes.count + 1))
            }
        }
    }

    /// Changes a number within binary data: lengths and counts that lie.
    public mutating func mutateWord(_ bytes: inout [UInt8], within range: Range<Int>) {
        let range = range.clamped(to: 0..<bytes.count)
        guard range.count >= 8 else { return }
        let at = range.lowerBound + below(range.count - 7)
        let value = pick([0, 1, 2, 7, 1 << 15, 1 << 31, 1 << 32, 1 << 62, .max, next(), UInt64(below(1_000)), UInt64(bitPattern: -1)])
        let width = pick([1, 2, 4, 8])
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(at..<at + width, with: $0.prefix(width)) }
    }
}
