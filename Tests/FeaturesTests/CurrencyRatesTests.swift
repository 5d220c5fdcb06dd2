import Features
import Interactions
import Testing

@Suite struct CurrencyRatesTests {
    @Test func amountsAreConvertedExactlyAndRoundedOnce() throws {
        let rates = try CurrencyRates(base: "usd", rates: ["VND": "0.000039", "eur": "1.1", "KWD": "3.25", "JPY": "0.00665", "XAU": "1e3"])
        // Minor units: cents, no decimals for VND and JPY, thousandths for KWD.
        #expect(rates.minor(4_000, "USD") == 4_000)
        #expect(rates.minor(1_000_000, "VND") == 3_900)
        #expect(rates.minor(1, "VND") == 0 && rates.minor(129, "VND") == 1 && rates.minor(128, "VND") == 0)
        #expect(rates.minor(1_000, "KWD") == 325 && rates.minor(2, "KWD") == 1 && rates.minor(1, "KWD") == 0)
        // Half away from zero, on either side.
        #expect(rates.minor(5, "EUR") == 6 && rates.minor(-5, "EUR") == -6 && rates.minor(4, "EUR") == 4)
        #expect(rates.minor(10, "CHF") == nil && rates.minor(10, "usd") == nil)
        #expect(rates.minor(.max, "EUR") == .max && rates.minor(.min, "EUR") == .min && rates.minor(.max, "USD") == .max)
        #expect(rates.micros(25_000_000_000_000, "VND") == 975_000_000 && rates.micros(10_000_000, "XAU") == 10_000_000_000)
        #expect(rates.minorFactors.first { $0.code == "VND" }?.factor == "39e-4")
    }

    @Test func aTableThatIsNoneIsRefusedByName() {
        for (base, table, code) in [
            ("Dollar", [:], ""), ("", ["VND": "1"], ""), ("USD", ["Dong": "1"], "Dong"), ("USD", ["VND": "0"], "VND"),
            ("USD", ["VND": "-1"], "VND"),
            ("USD", ["VND": "NaN"], "VND"), ("USD", ["VND": ""], "VND"), ("USD", ["VND": "1,5"], "VND"), ("USD", ["VND": "1e99"], "VND"),
            ("USD", ["VND": "0.1234567890123456789"], "VND"), ("USD", ["USD": "2"], "USD"), ("USD", ["VND": "1", "vnd": "2"], "vnd"),
        ] as [(String, [String: String], String)] {
            #expect("\(base) \(table)") { try CurrencyRates(base: base, rates: table) } throws: {
                ($0 as? CurrencyRates.Problem)?.code == code
            }
        }
    }

    @Test func withoutRatesOneCurrencyCounts() throws {
        let scale = AmountScale(currency: "EUR")
        #expect(scale.minor(5, "EUR") == 5 && scale.minor(5, "eur") == 5 && scale.minor(5, "USD") == nil && scale.minor(nil, "EUR") == nil)
        #expect(scale.micros(5, "VND") == nil && scale.minor(5, nil) == nil && AmountScale(currency: nil).minor(5, "EUR") == nil)
        let converted = AmountScale(rates: try CurrencyRates(base: "EUR", rates: ["VND": "0.00004"]))
        #expect(converted.currency == "EUR" && converted.micros(1_000_000, "vnd") == 40)
    }
}
