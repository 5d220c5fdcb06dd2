/// Numbers and bytes as hexadecimal digits in lower case.
public enum Hexadecimal {
    /// All digits of a number, leading zeros too: 16 of a `UInt64`.
    public static func text(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: type(of: number).bitWidth / 4 - digits.utf8.count) + digits
    }

    /// Two digits a byte.
    public static func text(of bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { $0 += text($1) }
    }
}
