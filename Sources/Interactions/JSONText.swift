import Bytes

/// Small readings and writings of JSON text that was validated before, such as ``Interaction/context``.
public enum JSONText {
    /// A JSON string literal with its quotes. Control characters, quotes and backslashes are escaped; all else stays UTF-8.
    public static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: JSONWriter.isEscaped) else { return "\"" + text + "\"" }
        var writer = JSONWriter(reservingBytes: text.utf8.count + 16)
        writer.string(text)
        return writer.text
    }

    /// The number under a key of the object itself; also of a string that holds one. Nil where there is none.
    public static func number(_ key: String, inObject json: String) -> Double? {
        guard let value = members(of: json)[key] else { return nil }
        switch value.kind {
        case .number: return Double(text(value, json))
        case .string:
            guard let number = Double(unescaped(value, json)), number.isFinite else { return nil }
            return number
        default: return nil
        }
    }

    /// The string under a key of the object itself; a number or a boolean as its text. Nil where there is none.
    public static func string(_ key: String, inObject json: String) -> String? {
        guard let value = members(of: json)[key] else { return nil }
        return scalar(value, json)
    }

    private static func scalar(_ value: JSONToken, _ json: String) -> String? { withBytes(json) { scalar(value, $0) } }

    /// A string, a number or a boolean as its text; nil for all else.
    static func scalar(_ value: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        switch value.kind {
        case .string: unescaped(value, bytes)
        case .number:
            withoutExponent(String(decoding: UnsafeBufferPointer(rebasing: bytes[value.start..<value.end]), as: UTF8.self))
        case .yes: "true"
        case .no: "false"
        case .absent, .null, .array, .object: nil
        }
    }

    /// A number as PostgreSQL's `numeric` prints it: `1e3` is `1000`, `-0` is `0`, `1.50` keeps its zero.
    private static func withoutExponent(_ number: String) -> String {
        let parts = number.split(whereSeparator: { $0 == "e" || $0 == "E" })
        let plain = parts[0]
        var negative = false
        var digits: [UInt8] = []
        var point = 0
        var seenPoint = false
        for byte in plain.utf8 {
            switch byte {
            case UInt8(ascii: "-"): negative = true
            case UInt8(ascii: "."): seenPoint = true
            default:
                digits.append(byte)
                if !seenPoint { point += 1 }
            }
        }
        let zero = digits.allSatisfy { $0 == UInt8(ascii: "0") }
        guard parts.count == 2 || zero && negative else { return number }
        let written = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        let exponent = max(-1_000, min(1_000, written))
        let scale = max(0, digits.count - point - exponent)
        point += exponent
        let missing = max(0, 1 - point)
        if missing > 0 {
            digits = [UInt8](repeating: UInt8(ascii: "0"), count: missing) + digits
            point += missing
        }
        while digits.count < point { digits.append(UInt8(ascii: "0")) }
        var whole = digits[..<point].drop(while: { $0 == UInt8(ascii: "0") })
        if whole.isEmpty { whole = [UInt8(ascii: "0")] }
        let fraction = digits[point..<min(digits.count, point + scale)]
        return (negative && !zero ? "-" : "") + String(decoding: whole, as: UTF8.self)
            + (fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self))
    }

    /// The bytes of a value as written; of a string without its quotes.
    private static func text(_ value: JSONToken, _ json: String) -> String {
        withBytes(json) { String(decoding: UnsafeBufferPointer(rebasing: $0[value.start..<value.end]), as: UTF8.self) }
    }

    private static func unescaped(_ value: JSONToken, _ json: String) -> String { withBytes(json) { unescaped(value, $0) } }

    static func unescaped(_ value: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard value.traits.contains(.escaped) else {
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[value.start..<value.end]), as: UTF8.self)
        }
        var result = ""
        var scanner = JSONScanner(bytes, from: value.start, to: value.end, maxDepth: DecodingRules.deepestAllowed)
        var plain = scanner.at
        while scanner.at < value.end {
            guard bytes[scanner.at] == UInt8(ascii: "\\") else {
                scanner.at += 1
                continue
            }
            result += String(decoding: UnsafeBufferPointer(rebasing: bytes[plain..<scanner.at]), as: UTF8.self)
            guard let scalar = try? scanner.escape() else { return result }
            if let scalar = Unicode.Scalar(scalar) { result.unicodeScalars.append(scalar) }
            plain = scanner.at
        }
        return result + String(decoding: UnsafeBufferPointer(rebasing: bytes[plain..<value.end]), as: UTF8.self)
    }

    private static func members(of json: String) -> [String: JSONToken] {
        withBytes(json) { bytes in
            guard bytes.count >= 2 else { return [:] }
            var scanner = JSONScanner(bytes, from: 0, to: bytes.count, maxDepth: DecodingRules.deepestAllowed)
            scanner.skipSpace()
            guard scanner.byte == UInt8(ascii: "{") else { return [:] }
            scanner.at += 1
            var result: [String: JSONToken] = [:]
            var first = true
            do throws(Rejection) {
                while let key = try scanner.nextKey(first: &first) {
                    result[unescaped(key, json)] = try scanner.value(depth: 1)
                }
            } catch {
                return [:]
            }
            return result
        }
    }

    private static func withBytes<Value>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
        var text = text
        return text.withUTF8(body)
    }
}
