/// What ISO 4217 says of currencies, as far as amounts need it.
public enum Currency {
    /// The digits after the decimal point of the currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD; 2 where unknown.
    public static func minorUnitDigits(_ code: String) -> Int {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
            "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        case "CLF", "UYW": 4
        default: 2
        }
    }

    /// The code in upper case when the text is three ASCII letters, whatever their case; else nil.
    public static func code(_ text: String) -> String? {
        var text = text
        return text.withUTF8 { normalized($0) }
    }

    /// The code in upper case when it is three ASCII letters, else nil.
    static func normalized(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard bytes.count == 3 else { return nil }
        var word: (UInt8, UInt8, UInt8) = (bytes[0] & 0xDF, bytes[1] & 0xDF, bytes[2] & 0xDF)
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard letters.contains(word.0), letters.contains(word.1), letters.contains(word.2) else { return nil }
        return withUnsafeBytes(of: &word) { String(decoding: $0, as: UTF8.self) }
    }
}
