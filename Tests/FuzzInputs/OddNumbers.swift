/// Numbers as people and programs write them, and as no one should.
extension FuzzSource {
    /// Numbers of JSON's grammar that stand at some border: of digits, of exponents, of integers, of floats, of money.
    static let borderNumbers: [[UInt8]] = [
        "0", "-0", "0.0", "-0.0", "0e0", "0E-0", "1", "-1", "1e0", "1E+2", "1e3", "1.50", "1.50e1", "257597.0", "12e-1", "100e-2", "1e-300",
        "-1e-300", "2.1e-47", "1e41", "1e30", "-1e30", "1e300", "1e301", "1e308", "1.7976931348623157e308", "1e309", "1e-308", "5e-324",
        "1e-324", "1e-400", "1e999", "1e400000000000", "1e-400000000000", "9007199254740991", "9007199254740992", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "18446744073709551616", "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854.775807", "9223372036854.775808",
        "9223372036854775.807", "92233720368547758.07", "9000000000000", "9e18", "9.2e18", "1e18", "1e19", "0.1", "0.005", "0.0000005",
        "0.00000049999", "0.3333333333", "3.4028234663852886e38", "3.4028235677973366e38", "3.5e38", "1e-45", "1.4e-45", "7e-46",
        "1234567890123456789012345678", "12345678901234567890123456789", "1234567890123456789012345678901234567890",
        "12345678901234567890123456789012345678901", "0.1234567890123456789012345678901234567890",
        "0.12345678901234567890123456789012345678901", "1e40", "1.000000000000000000000000000000000000000000",
        "0.00000000000000000000001e23",
        "99999999999999999999999999.99e-20", "0.000000000000000000000000000000000000000000000000000000000001",
        "1000000000000000000000000000000000000000000000000", "1000000", "86400000", "1793520000000",
    ].map { Array($0.utf8) }

    /// What some programs write for numbers, and JSON does not allow.
    static let brokenNumbers: [[UInt8]] = [
        "NaN", "nan", "Infinity", "-Infinity", "01", "-01", ".5", "5.", "+1", "1e", "1e+", "--1", "0x10", "1_000", "1,5", "1.2.3", "-",
        "1f",
        "١٢", "1e1e1", "∞",
    ].map { Array($0.utf8) }

    /// Adds a number of JSON's grammar.
    public mutating func addNumber(to bytes: inout [UInt8]) {
        switch below(8) {
        case 0, 1, 2: bytes.append(contentsOf: pick(Self.borderNumbers))
        case 3: bytes.add(String(Int64(bitPattern: next()) >> Int64(below(64))))
        case 4: bytes.add(String(below(1_000)))
        case 5:
            // Any double that is finite: Swift writes the shortest text that reads back.
            let value = Double(bitPattern: next())
            bytes.add(value.isFinite ? "\(value)" : "1")
        default:
            if once(in: 3) { bytes.append(UInt8(ascii: "-")) }
            addDigits(1 + size(about: 40), to: &bytes)
            if once(in: 2) {
                bytes.append(UInt8(ascii: "."))
                for _ in 0..<1 + size(about: 40) { bytes.append(UInt8(ascii: "0") + UInt8(below(10))) }
            }
            if once(in: 3) {
                bytes.append(once(in: 2) ? UInt8(ascii: "e") : UInt8(ascii: "E"))
                if once(in: 2) { bytes.append(once(in: 2) ? UInt8(ascii: "-") : UInt8(ascii: "+")) }
                bytes.add(String(below(once(in: 4) ? 400 : 20)))
            }
        }
    }

    /// Adds a whole number without a sign.
    mutating func addDigits(_ count: Int, to bytes: inout [UInt8]) {
        guard count > 1 else { return bytes.append(UInt8(ascii: "0") + UInt8(below(10))) }
        bytes.append(UInt8(ascii: "1") + UInt8(below(9)))
        for _ in 1..<count { bytes.append(UInt8(ascii: "0") + UInt8(below(10))) }
    }

    /// Adds an amount of money: mostly a plain price, now and then one near the end of 64 bits of millionths.
    mutating func addAmount(to bytes: inout [UInt8]) {
        switch below(8) {
        case 0: addNumber(to: &bytes)
        case 1: bytes.add("922337203685\(below(10)).\(below(1_000_000))")
        case 2: bytes.add("\(below(1_000)).\(below(1_000_000_000))")
        default: bytes.add("\(below(2_000)).\(below(10))\(below(10))")
        }
    }
}
