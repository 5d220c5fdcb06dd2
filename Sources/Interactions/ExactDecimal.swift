/// A JSON number as the decimal that was written: `± mantissa × 10^exponent`, with no rounding.
///
/// Money never passes through binary floating point, in which 0.1 has no value.
package struct ExactDecimal: Equatable {
    var negative: Bool
    /// Below 10^28, so that a product with a 32-bit quantity still fits 128 bits.
    package var mantissa: UInt128
    /// The power of ten that the mantissa counts.
    package var exponent: Int

    /// The most significant digits, leading and trailing zeros not counted.
    static let maxSignificantDigits = 28

    /// Reads a number that already follows JSON's grammar; nil when it has more than 28 significant digits.
    package init?(_ text: UnsafeBufferPointer<UInt8>) {
        negative = false
        mantissa = 0
        exponent = 0
        var significant = 0
        var pendingZeros = 0
        var fractionDigits = 0
        var inFraction = false
        var index = 0
        scan: while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "-"): negative = true
            case UInt8(ascii: "."): inFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
            default:
                if inFraction { fractionDigits += 1 }
                let digit = byte &- UInt8(ascii: "0")
                if digit == 0 {
                    if significant > 0 { pendingZeros += 1 }
                    continue
                }
                significant += pendingZeros + 1
                guard significant <= Self.maxSignificantDigits else { return nil }
                while pendingZeros > 0 {
                    mantissa &*= 10
                    pendingZeros -= 1
                }
                mantissa = mantissa &* 10 &+ UInt128(digit)
            }
        }
        var written = 0
        var writtenNegative = false
        while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "-"): writtenNegative = true
            case UInt8(ascii: "+"): break
            default:
                // Saturates: any exponent beyond this is out of every range asked of it.
                if written < 1_000_000 { written = written * 10 + Int(byte &- UInt8(ascii: "0")) }
            }
        }
        exponent = (writtenNegative ? -written : written) - fractionDigits + pendingZeros
        if mantissa == 0 {
            negative = false
            exponent = 0
        }
    }

    /// `|self| × factor × 10^shift`, rounded half away from zero to a whole number; nil when it exceeds `Int64`.
    func magnitude(times factor: UInt32, shift: Int) -> Int64? {
        guard mantissa != 0, factor != 0 else { return 0 }
        let product = mantissa &* UInt128(factor)
        let power = exponent + shift
        if power >= 0 {
            guard power <= 18 else { return nil }
            let (scaled, overflow) = product.multipliedReportingOverflow(by: Self.powerOfTen(power))
            return overflow ? nil : Int64(exactly: scaled)
        }
        // The product is below 10^38, so that a larger divisor leaves less than a half.
        guard -power <= 38 else { return 0 }
        let divisor = Self.powerOfTen(-power)
        if let small = UInt64(exactly: product), let smallDivisor = UInt64(exactly: divisor) {
            let (quotient, remainder) = small.quotientAndRemainder(dividingBy: smallDivisor)
            return Int64(exactly: quotient &+ (remainder >= smallDivisor - remainder ? 1 : 0))
        }
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: divisor)
        return Int64(exactly: quotient + (remainder >= divisor - remainder ? 1 : 0))
    }

    /// The value when it is a whole number within `Int64`, else nil.
    var integer: Int64? {
        guard mantissa != 0 else { return 0 }
        guard exponent >= 0, exponent <= 18 else { return nil }  // trailing zeros are in the exponent, never in the mantissa
        let (scaled, overflow) = mantissa.multipliedReportingOverflow(by: Self.powerOfTen(exponent))
        guard !overflow, let magnitude = Int64(exactly: scaled) else { return nil }
        return negative ? -magnitude : magnitude
    }

    /// Whether the value is a whole number of any size.
    var isWhole: Bool { mantissa == 0 || exponent >= 0 }

    /// 10 to a power from 0 to 38.
    package static func powerOfTen(_ power: Int) -> UInt128 {
        powers[power]
    }

    private static let powers: [UInt128] = {
        var values: [UInt128] = [1]
        for _ in 0..<38 { values.append(values[values.count - 1] * 10) }
        return values
    }()

    /// The shortest decimal text of a whole number of 10^-`digits` units: `19.99` for 19,990,000 and 6.
    static func text(units: UInt128, digits: Int) -> String {
        let (whole, fraction) = units.quotientAndRemainder(dividingBy: powerOfTen(digits))
        guard fraction != 0 else { return String(whole) }
        var tail = String(fraction)
        tail = String(repeating: "0", count: digits - tail.utf8.count) + tail
        while tail.utf8.last == UInt8(ascii: "0") { tail.removeLast() }
        return "\(whole).\(tail)"
    }
}
