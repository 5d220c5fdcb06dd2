import Evaluation
import Features
import Interactions

/// A number of a registry's row as a whole one: what no whole number holds becomes the nearest that is one.
package func wholeNumber(_ number: Double) -> Int64 {
    number.isNaN ? 0 : number >= 0x1p63 ? .max : number <= -0x1p63 ? .min : Int64(number)
}

/// What a training's watermark says of currencies and of returns: for its log, its report, and for whoever serves its model.
package struct AmountNotes {
    /// The currency of orders' amounts; nil where there are none.
    package var orderCurrency: String?
    /// The currency of prices.
    package var priceCurrency: String?
    /// Orders that count, and what is left out, in words: `3 in VND`; empty where nothing is.
    package var orders: Int
    /// Orders without a rate, in words: `3 in VND`; empty where there is none.
    package var leftOutOrders: String
    /// Prices without a rate, in words; empty where there is none.
    package var leftOutPrices: String

    /// Returns that take purchases back.
    package var returns: Int
    /// What of them matches no purchase, as a sentence without a full stop; empty where nothing is left over.
    package var leftOverReturns: String

    /// Reads a watermark; nil where it is of an older version, which said nothing of currencies.
    package init?(watermark: String) {
        guard let left = JSONText.string("orders_left_out", inObject: watermark) else { return nil }
        orderCurrency = JSONText.string("order_currency", inObject: watermark)
        priceCurrency = JSONText.string("price_currency", inObject: watermark)
        orders = JSONText.number("orders_with_amount", inObject: watermark).map { Int(wholeNumber($0)) } ?? 0
        leftOutOrders = left
        leftOutPrices = JSONText.string("prices_left_out", inObject: watermark) ?? ""
        returns = JSONText.number("returns", inObject: watermark).map { Int(wholeNumber($0)) } ?? 0
        leftOverReturns = JSONText.string("returns_left_over", inObject: watermark) ?? ""
    }

    /// Lines for the report.
    package var lines: [DataNote] {
        var lines: [DataNote] = []
        if let orderCurrency, orders > 0 || !leftOutOrders.isEmpty {
            lines.append(DataNote("orders with an amount", .text("\(orders), in \(orderCurrency)")))
        }
        if !leftOutOrders.isEmpty { lines.append(DataNote("orders left out for want of a rate", .text(leftOutOrders))) }
        if !leftOutPrices.isEmpty { lines.append(DataNote("prices left out for want of a rate", .text(leftOutPrices))) }
        if returns > 0 {
            let words = leftOverReturns.isEmpty ? "\(returns); all of them match purchases" : leftOverReturns
            lines.append(DataNote("returns", .text(words)))
        }
        return lines
    }

    /// What to tell whoever trains; nil where everything counts.
    package var warning: String? {
        guard !(leftOutOrders.isEmpty && leftOutPrices.isEmpty) else { return nil }
        let parts = [
            leftOutOrders.isEmpty ? nil : "orders: \(leftOutOrders)", leftOutPrices.isEmpty ? nil : "prices of items: \(leftOutPrices)",
        ].compactMap { $0 }
        return "amounts are compared in \(orderCurrency ?? priceCurrency ?? "one currency"), and these have no rate and are left out: "
            + parts.joined(separator: "; ") + ". Set currency.rates to count them"
    }

    /// How prices of items are compared under a model: as its training did, at today's rates.
    package static func prices(watermark: String, rates: CurrencyRates?) -> AmountScale? { scale("price_currency", watermark, rates) }

    /// The same of what was paid.
    package static func orders(watermark: String, rates: CurrencyRates?) -> AmountScale? { scale("order_currency", watermark, rates) }

    private static func scale(_ name: String, _ watermark: String, _ rates: CurrencyRates?) -> AmountScale? {
        guard let currency = JSONText.string(name, inObject: watermark) else { return nil }
        if let rates, rates.base == currency { return AmountScale(rates: rates) }
        return AmountScale(currency: currency)
    }
}
