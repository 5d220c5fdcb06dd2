/// Base64 (RFC 4648, section 4), as JSON carries bytes.
public enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// By byte its six bits; 64 of a byte that is none of the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for index in 0..<64 { values[Int(alphabet.utf8Start[index])] = UInt8(index) }
        return values
    }()

    /// Appends bytes as text with its padding.
    ///
    /// - Complexity: O(bytes).
    public static func append(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        var group: UInt32 = 0, held = 0
        func letter(_ shift: UInt32) -> UInt8 { alphabet.utf8Start[Int(group >> shift & 63)] }
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            guard held == 3 else { continue }
            output.append(letter(18))
            output.append(letter(12))
            output.append(letter(6))
            output.append(letter(0))
            (group, held) = (0, 0)
        }
        guard held > 0 else { return }
        group <<= held == 1 ? 16 : 8
        output.append(letter(18))
        output.append(letter(12))
        output.append(held == 1 ? UInt8(ascii: "=") : letter(6))
        output.append(UInt8(ascii: "="))
    }

    /// The text of bytes, with its padding.
    public static func text(_ bytes: some Collection<UInt8>) -> String {
        var output: [UInt8] = []
        append(bytes, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// The bytes of a text, whose padding may be missing; nil of a text that is none.
    ///
    /// - Complexity: O(bytes).
    public static func bytes(of text: some Collection<UInt8>) -> [UInt8]? {
        var result: [UInt8] = [], group: UInt32 = 0, held = 0, padding = 0
        result.reserveCapacity(text.count / 4 * 3 + 2)
        for byte in text {
            guard byte != UInt8(ascii: "=") else {
                padding += 1
                continue
            }
            let value = values[Int(byte)]
            guard value < 64, padding == 0 else { return nil }
            group = group << 6 | UInt32(value)
            held += 1
            guard held == 4 else { continue }
            result.append(UInt8(truncatingIfNeeded: group >> 16))
            result.append(UInt8(truncatingIfNeeded: group >> 8))
            result.append(UInt8(truncatingIfNeeded: group))
            (group, held) = (0, 0)
        }
        guard padding == 0 || padding == 4 - held, held != 1 else { return nil }
        if held >= 2 { result.append(UInt8(truncatingIfNeeded: group >> (held == 2 ? 4 : 10))) }
        if held == 3 { result.append(UInt8(truncatingIfNeeded: group >> 2)) }
        return result
    }
}
