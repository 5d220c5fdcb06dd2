import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct OrderAmountsTests {
    private func order(_ id: String, _ amount: Int64, _ currency: String, at: Int64 = 0, request: String? = nil) -> Interaction {
        var order = event(id, .purchase, user: id, item: "i1", at: at, request: request)
        (order.amountMinor, order.currency) = (amount, currency)
        return order
    }

    private func filled() throws -> TestDatabase {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        // 176 orders of 40 USD, some of them stored as an older version did, three of 1,000,000 VND, and one of 9 CHF.
        var orders = (0..<176).map { order("usd\($0)", 4_000, $0 < 20 ? "usd" : "USD", at: Int64($0)) }
        orders +=
            (0..<3).map { order("vnd\($0)", 1_000_000, "VND", at: 200 + Int64($0), request: "r\($0)") } + [
                order("chf", 900, "CHF", at: 300)
            ]
        orders.append(event("shown", .impression, user: "vnd0", item: "i1", at: 190, request: "r0", slot: 0))
        func item(_ id: String, _ price: Int64?, _ currency: String?) -> (change: RecordChange<ItemRecord>, origin: RecordOrigin) {
            (.upsert(ItemRecord(itemID: id, priceMicros: price, currency: currency, updatedAt: time(1))), origin(0))
        }
        _ = try store.commit(
            IngestBatch(
                interactions: orders,
                items: [
                    item("i1", 40_000_000, "USD"), item("i2", 25_000_000, "usd"), item("i3", 1_000_000_000_000, "VND"),
                    item("i4", nil, nil), item("i5", 5, "USD"),
                ]))
        return database
    }

    private func read(_ snapshot: TrainingSnapshot) throws -> (amounts: [Int64: Int], shown: [Int64], prices: [String: Int64?]) {
        var amounts: [Int64: Int] = [:], shown: [Int64] = [], prices: [String: Int64?] = [:]
        try snapshot.forEachEvent { (event) throws(StoreError) in amounts[event.amountMinor ?? -1, default: 0] += 1 }
        try snapshot.forEachImpression(limit: 10) { (impression) throws(StoreError) in shown.append(impression.amountMinor) }
        try snapshot.forEachItem { (item) throws(StoreError) in prices[item.record.itemID] = .some(item.record.priceMicros) }
        return (amounts, shown, prices)
    }

    @Test func theCurrencyOfMostOrdersCountsAndTheRestIsSaid() throws {
        let database = try filled()
        let snapshot = try TrainingSnapshot(url: database.url)
        let (amounts, shown, prices) = try read(snapshot)
        #expect(amounts == [4_000: 176, -1: 4] && shown == [0])
        #expect(snapshot.amounts.orders.currency == "USD" && snapshot.amounts.countedOrders == 176)
        #expect(snapshot.amounts.leftOutOrders == [.init(currency: "VND", count: 3), .init(currency: "CHF", count: 1)])
        #expect(prices == ["i1": 40_000_000, "i2": 25_000_000, "i3": nil, "i4": nil, "i5": 5])
        #expect(snapshot.amounts.leftOutPrices == [.init(currency: "VND", count: 1)])
        // A configured base decides without rates too, and orders of later are not asked.
        #expect(try read(TrainingSnapshot(url: database.url, base: "VND")).amounts == [1_000_000: 3, -1: 177])
        let early = try TrainingSnapshot(url: database.url, until: time(100))
        #expect(early.amounts.countedOrders == 101 && early.amounts.leftOutOrders.isEmpty)
    }

    @Test func ratesBringAllIntoOneCurrency() throws {
        let database = try filled()
        let rates = try CurrencyRates(base: "USD", rates: ["VND": "0.000039"])
        let snapshot = try TrainingSnapshot(url: database.url, rates: rates)
        let (amounts, shown, prices) = try read(snapshot)
        #expect(amounts == [4_000: 176, 3_900: 3, -1: 1] && shown == [3_900])
        #expect(snapshot.amounts.countedOrders == 179 && snapshot.amounts.leftOutOrders == [.init(currency: "CHF", count: 1)])
        #expect(prices == ["i1": 40_000_000, "i2": 25_000_000, "i3": 39_000_000, "i4": nil, "i5": 5])
        // PostgreSQL and this program round alike, whatever the amount.
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let odd = try CurrencyRates(base: "EUR", rates: ["VND": "0.0000385", "KWD": "2.995", "USD": "0.915"])
        var numbers = SeededNumbers(state: 3)
        var expected: [Int64: Int] = [:], orders: [Interaction] = []
        _ = try database.sql("delete from interactions")
        for number in 0..<600 {
            let currency = ["VND", "KWD", "USD"][number % 3]
            let amount = number < 6 ? [.max, .min, 0, 1, -1, 129][number] : Int64.random(in: -5_000...5_000_000, using: &numbers)
            orders.append(order("n\(number)", amount, currency, at: Int64(number)))
            expected[odd.minor(amount, currency) ?? -1, default: 0] += 1
        }
        _ = try store.commit(IngestBatch(interactions: orders))
        #expect(try read(TrainingSnapshot(url: database.url, rates: odd)).amounts == expected)
    }

    @Test func aStoreWithoutOrdersHasNoCurrency() throws {
        let database = try TestDatabase()
        let snapshot = try TrainingSnapshot(url: database.url)
        #expect(snapshot.amounts.orders.currency == nil && snapshot.amounts.leftOutOrders.isEmpty && snapshot.amounts.countedOrders == 0)
        #expect(try read(snapshot).amounts.isEmpty)
    }
}
