import Interactions

/// What one unit of each currency is worth in a base currency, as exact decimals.
///
/// An amount is converted as the fraction that it is and rounded once, half away from zero: to minor units of the base for orders, to
/// millionths of its unit for prices. What exceeds the largest number becomes that.
public struct CurrencyRates: Sendable, Equatable {
    /// Why a table of rates cannot be used.
    public struct Problem: Error, Equatable, CustomStringConvertible {
        /// The code at fault; empty where it is the base.
        public var code: String
        /// What is wrong, as a sentence.
        public var description: String
    }

    /// `mantissa × 10^exponent`, above 0.
    public struct Rate: Sendable, Equatable {
        /// The digits as a whole number, below 10^18.
        public var mantissa: UInt64
        /// The power of ten that they count.
        public var exponent: Int
    }

    /// The most significant digits of a rate.
    public static let maxDigits = 18
    /// ISO 4217, upper case.
    public let base: String
    /// By code in upper case; the base itself is 1.
    public let rates: [String: Rate]

    /// Reads rates as they are written in a configuration: `["VND": "0.000039"]`.
    public init(base: String, rates texts: [String: String]) throws(Problem) {
        guard let base = Currency.code(base) else {
            throw Problem(code: "", description: "“\(base)” is no currency: three letters of ISO 4217 are wanted, such as EUR")
        }
        var rates: [String: Rate] = [:]
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            guard let code = Currency.code(name) else {
                throw Problem(code: name, description: "“\(name)” is no currency: three letters of ISO 4217 are wanted, such as VND")
            }
            guard let rate = Self.rate(text) else {
                throw Problem(
                    code: name,
                    description:
                        "“\(text)” is no rate: what one \(code) is worth in \(base) is wanted, a decimal above 0 of at most "
                            + "\(Self.maxDigits) digits, such as 0.000039"
                )
            }
            guard rates.updateValue(rate, forKey: code) == nil else { throw Problem(code: name, description: "\(code) has two rates") }
        }
        if let own = rates[base], own != Rate(mantissa: 1, exponent: 0) {
            throw Problem(code: base, description: "\(base) is the base, so that its rate is 1")
        }
        rates[base] = Rate(mantissa: 1, exponent: 0)
        self.base = base
        self.rates = rates
    }

    /// An amount in minor units of a currency, in minor units of the base; nil where there is no rate.
    public func minor(_ amount: Int64, _ currency: String) -> Int64? {
        guard let rate = rates[currency] else { return nil }
        let shift = Currency.minorUnitDigits(base) - Currency.minorUnitDigits(currency)
        return Self.product(amount, rate.mantissa, powerOfTen: rate.exponent + shift)
    }

    /// A price in millionths of a currency's unit, in millionths of the base's; nil where there is no rate.
    public func micros(_ price: Int64, _ currency: String) -> Int64? {
        rates[currency].map { Self.product(price, $0.mantissa, powerOfTen: $0.exponent) }
    }

    /// What a minor unit of each currency is worth in minor units of the base, as decimal text, by code.
    public var minorFactors: [(code: String, factor: String)] {
        rates.sorted { $0.key < $1.key }.map { code, rate in
            let exponent = rate.exponent + Currency.minorUnitDigits(base) - Currency.minorUnitDigits(code)
            return (code, "\(rate.mantissa)e\(exponent)")
        }
    }

    /// `value × mantissa × 10^power`, rounded half away from zero, within `Int64`.
    private static func product(_ value: Int64, _ mantissa: UInt64, powerOfTen power: Int) -> Int64 {
        let bound: Int64 = value < 0 ? .min : .max
        // Below 2^123.
        var magnitude = UInt128(value.magnitude) * UInt128(mantissa)
        if power >= 0 {
            // No power is larger than those of a rate and of two currencies together.
            let (next, isBeyond) = magnitude.multipliedReportingOverflow(by: ExactDecimal.powerOfTen(power))
            if isBeyond { return bound }
            magnitude = next
        } else {
            guard power >= -37 else { return 0 }
            let divisor = ExactDecimal.powerOfTen(-power)
            let (quotient, rest) = magnitude.quotientAndRemainder(dividingBy: divisor)
            magnitude = quotient + (rest >= divisor - rest ? 1 : 0)
        }
        guard let whole = Int64(exactly: magnitude) else { return bound }
        return value < 0 ? -whole : whole
    }

    /// A decimal above 0, with an exponent or without: `0.000039`, `.5`, `1e3`.
    private static func rate(_ text: String) -> Rate? {
        let parts = text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "e" || $0 == "E" })
        guard let number = parts.first, parts.count <= 2, number.utf8.contains(where: { $0 != UInt8(ascii: ".") }),
            number.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            number.utf8.count(where: { $0 == UInt8(ascii: ".") }) <= 1
        else { return nil }
        if parts.count == 2 { guard let written = Int(parts[1]), (-30...30).contains(written) else { return nil } }
        var text = text
        guard let decimal = text.withUTF8({ ExactDecimal($0) }), decimal.mantissa > 0,
            decimal.mantissa < ExactDecimal.powerOfTen(maxDigits), abs(decimal.exponent) <= 30
        else { return nil }
        return Rate(mantissa: UInt64(decimal.mantissa), exponent: decimal.exponent)
    }
}

/// The one currency in which amounts are compared: all of them at configured rates, or those of one currency alone. Amounts of
/// different currencies are never compared as bare numbers.
public struct AmountScale: Sendable, Equatable {
    /// What counts; nil where nothing is known, and nothing counts.
    public var currency: String?
    /// Rates into ``currency``; nil where only its own amounts count.
    public var rates: CurrencyRates?

    /// Amounts of one currency alone.
    public init(currency: String?) {
        self.currency = currency?.uppercased()
    }

    /// Amounts of every currency that has a rate.
    public init(rates: CurrencyRates) {
        currency = rates.base
        self.rates = rates
    }

    /// An amount in minor units, in those of ``currency``; nil where it cannot be compared.
    public func minor(_ amount: Int64?, _ code: String?) -> Int64? {
        guard let amount, let code = code?.uppercased() else { return nil }
        if let rates { return rates.minor(amount, code) }
        return code == currency ? amount : nil
    }

    /// A price in millionths, in those of ``currency``; nil where it cannot be compared.
    public func micros(_ price: Int64?, _ code: String?) -> Int64? {
        guard let price, let code = code?.uppercased() else { return nil }
        if let rates { return rates.micros(price, code) }
        return code == currency ? price : nil
    }
}
