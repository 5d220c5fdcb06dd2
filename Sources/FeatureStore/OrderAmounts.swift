import Features
import Interactions

/// In which currency a training compares amounts and prices, and what it leaves out.
///
/// With configured rates all amounts are converted to their base. Without, only those in one currency count: the configured base, else
/// the one in which most people paid (not that of most revenue: numbers of different currencies say nothing beside each other; nor of
/// most orders: one sender may write any number of them), and of the prices that of most items. A currency in which one person alone
/// paid decides nothing where the prices have one.
public struct OrderAmounts: Sendable, Equatable {
    /// How many orders, or items, there are in a currency.
    public struct Share: Sendable, Equatable {
        /// ISO 4217.
        public var currency: String
        /// How many orders or items have an amount in it.
        public var count: Int64

        /// Makes a share.
        public init(currency: String, count: Int64) {
            self.currency = currency
            self.count = count
        }
    }

    /// Of orders.
    public var orders: AmountScale
    /// Of list prices.
    public var prices: AmountScale
    /// Orders with an amount that count.
    public var countedOrders: Int64
    /// Orders with an amount that do not, by currency, most first.
    public var leftOutOrders: [Share]
    /// Items with a price that do not count, by currency, most first.
    public var leftOutPrices: [Share]

    /// Reads what there is.
    ///
    /// - Complexity: O(interactions): there is no count of orders by currency.
    init(_ connection: Connection, rates: CurrencyRates?, base: String?, until: EventTime?) throws(StoreError) {
        let net = try NetPurchases(connection, until: until, readsAll: true)
        let people = try connection.run(
            """
            select currency, sum(orders)::bigint, count(*) from (
                select upper(currency) as currency, user_id, count(*) as orders
                from interactions\(net.join("interactions"))
                where type = 3 and amount_minor is not null and currency is not null\(net.kept("interactions"))\(
                    TrainingSnapshot.condition(until: until))
                group by 1, 2) person
            group by 1 order by 3 desc, 2 desc, 1
            """)
        let orders = Self.shares(people).sorted { ($1.count, $0.currency) < ($0.count, $1.currency) }
        let prices = Self.shares(
            try connection.run(
                """
                select upper(currency), count(*) from items where price_micros is not null and currency is not null and not deleted
                group by 1 order by 2 desc, 1
                """))
        let top = people.count == 0 ? nil : (currency: people.string(0, 0), payers: people.int64(0, 2) ?? 0)
        let paid = (top?.payers ?? 0) >= Self.leastPayers ? top?.currency : prices.first?.currency ?? top?.currency
        if let rates {
            self.orders = AmountScale(rates: rates)
            self.prices = self.orders
        } else {
            self.orders = AmountScale(currency: base ?? paid)
            self.prices = AmountScale(currency: base ?? prices.first?.currency)
        }
        let (orderScale, priceScale) = (self.orders, self.prices)
        leftOutOrders = orders.filter { orderScale.minor(0, $0.currency) == nil }
        leftOutPrices = prices.filter { priceScale.micros(0, $0.currency) == nil }
        countedOrders = orders.reduce(0) { $0 + $1.count } - leftOutOrders.reduce(0) { $0 + $1.count }
    }

    /// People who must have paid in a currency so that it can be the main one beside that of the prices.
    static let leastPayers = 2

    private static func shares(_ rows: QueryResult) -> [Share] {
        (0..<rows.count).map { Share(currency: rows.string($0, 0) ?? "", count: rows.int64($0, 1) ?? 0) }
    }

    /// SQL: what a row of a table is worth in minor units of the scale's currency, null where it cannot be compared.
    ///
    /// - Parameter amount: SQL for another amount than the row's own, in minor units of its currency.
    func sql(_ table: String, amount: String? = nil) -> String {
        let amount = amount ?? "\(table).amount_minor"
        if let rates = orders.rates {
            // Exact fractions, rounded once, half away from zero, as ``CurrencyRates`` does.
            let cases = rates.minorFactors.map { "when '\($0.code)' then \($0.factor)::numeric" }.joined(separator: " ")
            let known = rates.minorFactors.map { "'\($0.code)'" }.joined(separator: ", ")
            // least and greatest pass nulls over: without a rate nothing is worth nothing.
            return """
                case when upper(\(table).currency) in (\(known)) and \(table).amount_minor is not null then
                    least(9223372036854775807, greatest(-9223372036854775808,
                        round((\(amount)) * case upper(\(table).currency) \(cases) end)))::bigint end
                """
        }
        guard let currency = orders.currency else { return "null::bigint" }
        return "case when upper(\(table).currency) = '\(currency.replacing("'", with: "''"))' then \(amount) end"
    }
}
