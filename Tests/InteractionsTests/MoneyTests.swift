import Interactions
import Testing

@Suite struct MoneyTests {
    func paid(_ value: String, _ quantity: Int32 = 1, _ currency: String? = "USD") throws -> (Int64?, Int64?, String?) {
        let decoded = try decode(
            event([("value", value), ("quantity", "\(quantity)"), ("currency", currency.map { "\"\($0)\"" })])
        ).get()
        return (decoded.priceMicros, decoded.amountMinor, decoded.currency)
    }

    @Test func exactAmounts() throws {
        #expect(try paid("19.99") == (19_990_000, 1_999, "USD"))
        #expect(try paid("0.1", 3) == (100_000, 30, "USD"))
        #expect(try paid("1.5e1", 2) == (15_000_000, 3_000, "USD"))
        #expect(try paid("150E-1", 2) == (15_000_000, 3_000, "USD"))
        #expect(try paid("0") == (0, 0, "USD"))
        #expect(try paid("-0.0") == (0, 0, "USD"))
        #expect(try paid("0e999999999999999999999999") == (0, 0, "USD"))
        #expect(try paid("1e-400") == (0, 0, "USD"))
        #expect(try paid("20", 3, nil) == (20_000_000, 6_000, "USD"))
        #expect(try paid("20", 3, "eur") == (20_000_000, 6_000, "EUR"))
    }

    @Test func thirdsComeBackToTheCent() throws {
        #expect(try paid("0.3333333333333333", 3).1 == 100)
        #expect(try paid("0.333333", 3).1 == 100)
        #expect(try paid("0.6666666666666666", 3).1 == 200)
        #expect(try paid("0.14285714285714285", 7).1 == 100)
        // Rounded once: 0.333 rounded to 0.33 first would give 0.99.
        #expect(try paid("0.005", 1).1 == 1)
        #expect(try paid("0.0049999999999999999", 1).1 == 0)
        #expect(try paid("0.0049999999999999999", 2).1 == 1)
        #expect(try paid("2.675", 1).1 == 268)
    }

    @Test func minorUnits() throws {
        #expect(try paid("1500", 2, "JPY").1 == 3_000)
        #expect(try paid("1500.5", 1, "JPY").1 == 1_501)
        #expect(try paid("1.2345", 1, "KWD").1 == 1_235)
        #expect(try paid("1.23454", 1, "CLF").1 == 12_345)
        #expect(Currency.minorUnitDigits("KRW") == 0 && Currency.minorUnitDigits("EUR") == 2)
        #expect(Currency.minorUnitDigits("XYZ") == 2 && Currency.minorUnitDigits("BHD") == 3)
    }

    @Test func limits() throws {
        #expect(try paid("9223372036854.775807").0 == .max)
        #expect(decode(event([("value", "9223372036854.775808")])).code == .outOfRange)
        #expect(try paid("0.1234567890123456789012345678").0 == 123_457)
        #expect(decode(event([("value", "0.12345678901234567890123456789")])).code == .outOfRange)
        #expect(try paid("1.000000000000000000000000000000000000000000000000000000").0 == 1_000_000)
        #expect(decode(event([("value", "1e999999999999999999999")])).code == .outOfRange)
    }

    /// The slow reference: schoolbook digits.
    @Test func againstSchoolbookArithmetic() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<5_000 {
            let whole = Int64.random(in: 0...99_999, using: &random)
            let places = Int.random(in: 1...12, using: &random)
            let fraction = (0..<places).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
            let quantity = Int32.random(in: 1...1_000, using: &random)
            let minorDigits = [0, 2, 3].randomElement(using: &random)!
            let currency = [0: "JPY", 2: "EUR", 3: "KWD"][minorDigits]!
            // whole.fraction × quantity in units of 10^-12, as an integer.
            let padded = fraction + String(repeating: "0", count: 12 - places)
            let units = Int64(whole) * 1_000_000_000_000 + Int64(padded)!
            let (high, low) = units.multipliedFullWidth(by: Int64(quantity))
            var divisor: Int64 = 1
            for _ in 0..<(12 - minorDigits) { divisor *= 10 }
            let (quotient, remainder) = divisor.dividingFullWidth((high, low))
            let expected = remainder * 2 >= divisor ? quotient + 1 : quotient
            #expect(try paid("\(whole).\(fraction)", quantity, currency).1 == expected)
        }
    }

    @Test func encodingKeepsPriceAndAmount() throws {
        for value in ["0.3333333333333333", "0.0000004", "1234.5678915", "0.9999999999999999999999", "7", "0.0000125"] {
            for quantity in ["1", "3", "90", "123457"] {
                for currency in ["\"USD\"", "\"JPY\"", "\"KWD\""] {
                    let first = try decode(event([("value", value), ("quantity", quantity), ("currency", currency)])).get()
                    let second = try decode(first.json()).get()
                    #expect(first == second, "\(value) × \(quantity) \(currency): \(first.json())")
                }
            }
        }
    }
}
