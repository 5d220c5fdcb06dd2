import Foundation
import Interactions

/// Numbers as settings write them: digits with an optional sign, point and exponent.
enum NumberText {
    /// Digits with an optional sign, and no zero before other digits, which YAML 1.1 reads as base 8.
    static func isWhole(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+") ? text.utf8.dropFirst() : text.utf8[...]
        return isDigits(digits) && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
    }

    /// A decimal number, `1e3` included. What Swift reads beside it (`0x10`, `inf`, `nan`) is none.
    static func isDecimal(_ text: String) -> Bool {
        text.wholeMatch(of: /[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/) != nil
    }

    /// What to write instead of a whole number in another notation.
    static func wholeHint(_ text: String, within range: ClosedRange<Int>?) -> String? {
        let plain = text.replacing("_", with: ""), sign = plain.hasPrefix("-") ? -1 : 1
        let digits = plain.drop { $0 == "-" || $0 == "+" }
        if digits.hasPrefix("0"), digits.count > 1, isDigits(digits.utf8) {
            let number = digits.drop { $0 == "0" }
            return "write \(number.isEmpty ? "0" : number) without a zero before it, which some readers of YAML take for base 8"
        }
        var meant: Int?
        for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            meant = Int(digits.dropFirst(2), radix: radix).flatMap { $0 >= 0 ? $0 * sign : nil }
        }
        if meant == nil, isDecimal(plain), let number = Double(plain), number == number.rounded(), abs(number) < 1e15 {
            meant = Int(number)
        }
        guard let meant, range?.contains(meant) ?? true, String(meant) != text else { return nil }
        return "write \(meant)"
    }

    /// What to write instead of a number in another notation.
    static func decimalHint(_ text: String) -> String? {
        let plain = text.replacing("_", with: ""), digits = plain.drop { $0 == "-" || $0 == "+" }
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            return Int(digits.dropFirst(2), radix: 16).flatMap { $0 >= 0 ? "write \(plain.hasPrefix("-") ? -$0 : $0)" : nil }
        }
        let point = plain.replacing(",", with: ".")
        if point != text, isDecimal(point) { return "write \(point)" }
        return nil
    }

    private static func isDigits(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

/// `true` and `false`, and the other words of YAML 1.1 that people mean them by.
enum BooleanText {
    /// The word as it is kept; nil for others.
    static func word(_ text: String) -> String? {
        switch text {
        case "true", "True", "TRUE": "true"
        case "false", "False", "FALSE": "false"
        default: nil
        }
    }

    /// What to write instead.
    static func hint(_ text: String) -> String? {
        if isFalse(text) { return "write false" }
        return ["yes", "y", "on", "1", "true"].contains(text.lowercased()) ? "write true" : nil
    }

    static func isFalse(_ text: String) -> Bool { ["no", "n", "off", "0", "false"].contains(text.lowercased()) }
}

/// ISO 4217 codes by their form.
enum CurrencyText {
    /// The code in capitals; nil for what has not three letters from A to Z.
    static func code(_ text: String) -> String? {
        let isLetters = text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
        return text.utf8.count == 3 && isLetters ? text.uppercased() : nil
    }
}

/// The names of event types, and what may stand for one.
enum EventTypeNames {
    static let all = InteractionType.allCases.map(\.name)

    /// Why no event could carry `alias` as its type; nil where one could.
    static func problem(withAlias alias: String) -> String? {
        let longest = DecodingRules().maxIDBytes
        if alias.isEmpty { return "is empty: no event has such a type" }
        if alias.utf8.count > longest { return "is longer than \(longest) bytes: no event has such a type" }
        if let wrong = alias.unicodeScalars.first(where: isControl) {
            return "holds the control character U+\(hexadecimal(wrong)): no event has such a type"
        }
        return nil
    }

    /// The form in which the decoder compares: that of ids.
    static func normal(_ alias: String) -> String { alias.precomposedStringWithCanonicalMapping }

    static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) }

    static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
