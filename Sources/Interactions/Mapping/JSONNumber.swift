/// Numbers as text, where what is wanted of them is whole.
enum JSONNumber {
    /// Whether a text is a number by JSON's grammar, and nothing else.
    static func isWritten(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = text.first, first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") < 10 else { return false }
        var scanner = JSONScanner(text, from: 0, to: text.count, maxDepth: 1)
        do throws(Rejection) {
            let token = try scanner.value(depth: 0)
            return token.kind == .number && token.end == text.count
        } catch {
            return false
        }
    }

    /// The value where it is whole and fits; `1e3` and `12.0` are whole.
    static func whole(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        plain(text) ?? ExactDecimal(text).flatMap { $0.isWhole ? $0.integer : nil }
    }

    /// A number of units as milliseconds, what is finer cut off downwards; nil where it does not fit.
    static func scaled(_ text: UnsafeBufferPointer<UInt8>, _ unit: TimeUnit) -> Int64? {
        if let whole = plain(text) {
            switch unit {
            case .milliseconds, .rfc3339: return whole
            case .seconds:
                let (milliseconds, overflow) = whole.multipliedReportingOverflow(by: 1_000)
                return overflow ? nil : milliseconds
            case .microseconds: return whole / 1_000
            case .nanoseconds: return whole / 1_000_000
            }
        }
        guard let decimal = ExactDecimal(text) else { return nil }
        return decimal.floored(shift: unit.shift)
    }

    /// Up to 18 digits and nothing else.
    private static func plain(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard !text.isEmpty, text.count <= 18 else { return nil }
        var value: Int64 = 0
        for byte in text {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }
}

extension ExactDecimal {
    /// `self × 10^shift`, rounded down to a whole number; nil when it exceeds `Int64`.
    func floored(shift: Int) -> Int64? {
        guard mantissa != 0 else { return 0 }
        let power = exponent + shift
        if power >= 0 {
            guard power <= 18 else { return nil }
            let (scaled, overflow) = mantissa.multipliedReportingOverflow(by: Self.powerOfTen(power))
            guard !overflow, let magnitude = Int64(exactly: scaled) else { return nil }
            return negative ? -magnitude : magnitude
        }
        // The mantissa is below 10^28.
        guard -power <= 38 else { return negative ? -1 : 0 }
        let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: Self.powerOfTen(-power))
        guard let magnitude = Int64(exactly: quotient) else { return nil }
        return negative ? -magnitude - (remainder == 0 ? 0 : 1) : magnitude
    }
}
