/// Three letters of ISO 4217 in two bytes.
public struct CurrencyCode: Sendable, Equatable, Comparable {
    /// The letters as a number of base 26, plus 1: 1...17,576.
    public let rawValue: UInt16

    /// The largest ``rawValue``, that of ZZZ.
    public static let largest: UInt16 = 26 * 26 * 26

    /// Reads letters of either case; nil where there are not three.
    public init?(_ text: String) {
        guard text.utf8.count == 3 else { return nil }
        var number: UInt16 = 0
        for byte in text.utf8 {
            let letter = byte & 0xDF
            guard (0x41...0x5A).contains(letter) else { return nil }
            number = number * 26 + UInt16(letter - 0x41)
        }
        rawValue = number + 1
    }

    /// Nil where the number is no code.
    public init?(rawValue: UInt16) {
        guard (1...Self.largest).contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// The letters, upper case.
    public var text: String {
        let number = rawValue - 1
        return String(decoding: [number / 676, number / 26 % 26, number % 26].map { UInt8($0) + 0x41 }, as: UTF8.self)
    }

    public static func < (left: CurrencyCode, right: CurrencyCode) -> Bool { left.rawValue < right.rawValue }
}
