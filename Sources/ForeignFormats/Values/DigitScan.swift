/// Reads the digits and marks of a short text, one after the other.
struct DigitScan {
    let text: String
    private let bytes: [UInt8]
    private var at = 0

    init(_ written: some StringProtocol) {
        let bytes = Array(written.utf8)
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let head = bytes.drop(while: isSpace)
        let tail = head.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? head.startIndex
        self.bytes = Array(head[..<tail])
        text = String(decoding: self.bytes, as: UTF8.self)
    }

    var isAtEnd: Bool { at >= bytes.count }
    var rest: String { String(decoding: bytes[at...], as: UTF8.self) }

    /// Whether it is one number: digits, perhaps with a sign, a fraction or a power.
    var isNumber: Bool {
        let dots = bytes.count { $0 == UInt8(ascii: ".") }
        let digits = bytes.drop { $0 == UInt8(ascii: "-") }
        guard let first = digits.first, first &- UInt8(ascii: "0") < 10, dots <= 1, bytes.count - digits.count <= 1 else { return false }
        return digits.allSatisfy { $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") || $0 == 0x2B }
    }

    mutating func digits(upTo count: Int) -> (value: Int, digits: Int)? {
        let start = at
        var value = 0
        while at < bytes.count, at - start < count, bytes[at] &- UInt8(ascii: "0") < 10 {
            value = value * 10 + Int(bytes[at] &- UInt8(ascii: "0"))
            at += 1
        }
        return at > start ? (value, at - start) : nil
    }

    /// A fraction of a second: up to nine digits, of which three count.
    mutating func milliseconds() -> Int? {
        guard let read = digits(upTo: 9) else { return nil }
        var (value, digits) = read
        while digits > 3 { (value, digits) = (value / 10, digits - 1) }
        while digits < 3 { (value, digits) = (value * 10, digits + 1) }
        return value
    }

    mutating func pop(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func pop(in marks: StaticString) -> UInt8? {
        guard at < bytes.count else { return nil }
        let byte = bytes[at]
        guard UnsafeBufferPointer(start: marks.utf8Start, count: marks.utf8CodeUnitCount).contains(byte) else { return nil }
        at += 1
        return byte
    }

    mutating func skipSpaces() { while at < bytes.count, bytes[at] == 0x20 { at += 1 } }

    /// 0 for AM and 12 for PM, where one stands there.
    mutating func half() -> Int? {
        let before = at
        skipSpaces()
        let word = bytes[at...].prefix(2).map { $0 | 0x20 }
        guard word == Array("am".utf8) || word == Array("pm".utf8) else {
            at = before
            return nil
        }
        at += 2
        return word[0] == UInt8(ascii: "p") ? 12 : 0
    }
}
