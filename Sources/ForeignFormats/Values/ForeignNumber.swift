/// Which mark stands before a number's fraction.
public enum DecimalMark: String, Sendable, CaseIterable {
    /// As each number shows; what could be read in two ways is refused.
    case auto
    /// `1,234.50`
    case point
    /// `1.234,50`
    case comma
}

/// Reads numbers as people and spreadsheets write them. No number passes through binary floating point.
///
/// Thousands may be parted by spaces, apostrophes, or the mark that is not the decimal one, in groups of three digits. Under
/// ``DecimalMark/auto`` a mark that stands twice parts thousands, of two different marks the last is the decimal one, and a single mark is
/// the decimal one, except for a comma (where cells are separated by semicolons, a point, too) before exactly three digits: `1,234` may be
/// 1234 or 1.234.
struct ForeignNumber: Sendable {
    /// Which mark is the decimal one.
    var mark: DecimalMark
    /// Whether cells are separated by semicolons, as they are where the comma is the decimal mark.
    var isSemicolonFile: Bool

    enum Reading: Equatable {
        /// The number as JSON writes it.
        case number(String)
        /// Two numbers that it could be.
        case ambiguous(String, String)
        case none
    }

    /// Reads a number with a sign, without a currency. O(bytes).
    func read(_ text: some StringProtocol) -> Reading {
        var bytes = Self.withoutSpaces(Array(text.utf8))
        var sign = ""
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            if first == UInt8(ascii: "-") { sign = "-" }
            bytes.removeFirst()
        }
        if let power = bytes.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) { return scientific(bytes, power, sign) }
        var marks: [(place: Int, mark: UInt8)] = []
        for (place, byte) in bytes.enumerated() {
            if Self.isDigit(byte) { continue }
            guard [UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "'"), UInt8(ascii: " ")].contains(byte) else { return .none }
            marks.append((place, byte))
        }
        guard bytes.contains(where: Self.isDigit) else { return .none }
        let dots = marks.count { $0.mark == UInt8(ascii: ".") }, commas = marks.count { $0.mark == UInt8(ascii: ",") }
        guard let decimal = decimalMark(bytes, marks, dots, commas) else {
            guard let place = marks.first?.place else { return .none }
            let whole = bytes[..<place] + bytes[(place + 1)...]
            let fraction = String(decoding: bytes[(place + 1)...], as: UTF8.self)
            return .ambiguous(sign + Self.text(whole), sign + Self.text(bytes[..<place]) + "." + fraction)
        }
        return assembled(bytes, decimal: decimal, sign)
    }

    /// The decimal mark; 0 where the number has none, nil where nobody can say.
    private func decimalMark(_ bytes: [UInt8], _ marks: [(place: Int, mark: UInt8)], _ dots: Int, _ commas: Int) -> UInt8? {
        switch mark {
        case .point: return UInt8(ascii: ".")
        case .comma: return UInt8(ascii: ",")
        case .auto: break
        }
        guard let last = marks.last(where: { $0.mark == UInt8(ascii: ".") || $0.mark == UInt8(ascii: ",") }) else { return 0 }
        if dots > 0 && commas > 0 { return last.mark }
        if dots + commas > 1 { return 0 }
        let digitsBefore = marks.first?.place == last.place ? last.place : 0
        let isGroup = bytes.count - last.place == 4 && (1...3).contains(digitsBefore) && bytes[0] != UInt8(ascii: "0")
        return isGroup && (last.mark == UInt8(ascii: ",") || isSemicolonFile) ? nil : last.mark
    }

    private func assembled(_ bytes: [UInt8], decimal: UInt8, _ sign: String) -> Reading {
        let point = bytes.lastIndex(of: decimal) ?? bytes.count
        let fraction = bytes[min(point + 1, bytes.count)...]
        guard fraction.allSatisfy(Self.isDigit), !bytes[..<point].contains(decimal) else { return .none }
        var whole: [UInt8] = [], run = 0, grouping: UInt8?
        for byte in bytes[..<point] {
            guard !Self.isDigit(byte) else {
                whole.append(byte)
                run += 1
                continue
            }
            guard grouping == nil ? (1...3).contains(run) : run == 3 && byte == grouping else { return .none }
            grouping = byte
            run = 0
        }
        guard grouping == nil || run == 3 else { return .none }
        return .number(sign + Self.text(whole) + (fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self)))
    }

    /// `1.5e3`: as programs write it, with a point and without thousands.
    private func scientific(_ bytes: [UInt8], _ power: Int, _ sign: String) -> Reading {
        var exponent = bytes[(power + 1)...]
        var exponentSign = ""
        if let first = exponent.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            exponentSign = first == UInt8(ascii: "-") ? "-" : ""
            exponent = exponent.dropFirst()
        }
        let parts = bytes[..<power].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard !exponent.isEmpty, exponent.count <= 3, exponent.allSatisfy(Self.isDigit), let whole = parts.first, !whole.isEmpty,
            parts.allSatisfy({ $0.allSatisfy(Self.isDigit) }), parts.last?.isEmpty == false
        else { return .none }
        let fraction = parts.count == 2 ? "." + String(decoding: parts[1], as: UTF8.self) : ""
        return .number(sign + Self.text(whole) + fraction + "e" + exponentSign + String(decoding: exponent, as: UTF8.self))
    }

    /// Digits without leading zeros; 0 for none.
    private static func text(_ digits: some Collection<UInt8>) -> String {
        let rest = digits.drop { $0 == UInt8(ascii: "0") }
        return rest.isEmpty ? "0" : String(decoding: rest, as: UTF8.self)
    }

    /// The bytes without white space around them; spaces that do not break a line are spaces, and so is their narrow form.
    private static func withoutSpaces(_ bytes: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let width = wideSpaces.first { bytes[index...].starts(with: $0.bytes) }
            plain.append(width?.meaning ?? bytes[index])
            index += width?.bytes.count ?? 1
        }
        while plain.last == 0x20 || plain.last == 0x09 { plain.removeLast() }
        return Array(plain.drop { $0 == 0x20 || $0 == 0x09 })
    }

    /// U+00A0, U+2009, U+202F, the typographic apostrophe and the minus sign.
    private static let wideSpaces: [(bytes: [UInt8], meaning: UInt8)] = [
        ([0xC2, 0xA0], 0x20), ([0xE2, 0x80, 0x89], 0x20), ([0xE2, 0x80, 0xAF], 0x20), ([0xE2, 0x80, 0x99], UInt8(ascii: "'")),
        ([0xE2, 0x88, 0x92], UInt8(ascii: "-")),
    ]

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
