import Features
import Interactions

extension Configuration {
    /// What currencies are worth in `currency.base`; nil where no rates are set.
    ///
    /// - Throws: `ConfigurationError` where a code or a rate is none.
    func currencyRates() throws(ConfigurationError) -> CurrencyRates? {
        let rates = map(.currencyRates)
        if rates.isEmpty { return nil }
        do throws(CurrencyRates.Problem) {
            return try CurrencyRates(base: currencyBase ?? text(.ingestDefaultCurrency), rates: rates)
        } catch {
            throw ConfigurationError((error.code.isEmpty ? "currency.base: " : "currency.rates.\(error.code): ") + error.description)
        }
    }

    /// `currency.base` in upper case; nil where it is not set.
    var currencyBase: String? {
        let base = text(.currencyBase)
        return base.isEmpty ? nil : base.uppercased()
    }
}
