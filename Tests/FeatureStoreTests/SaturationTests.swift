import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

/// Sums end at the largest and the smallest number, and end nothing else.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct SaturationTests {
    private func paid(_ id: String, _ amount: Int64, user: String = "u1", currency: String = "EUR", at: Int64) -> Interaction {
        var order = event(id, .purchase, user: user, at: at, request: "r1")
        (order.amountMinor, order.currency) = (amount, currency)
        return order
    }

    @Test(arguments: [Int64(9_000_000_000_000_000_000), -9_000_000_000_000_000_000])
    func twoPurchasesOfOneAnswer(amount: Int64) throws {
        let sum = amount > 0 ? Int64.max : Int64.min
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let shown = event("shown", .impression, user: "u1", at: 0, request: "r1", slot: 0)
        _ = try store.commit(IngestBatch(interactions: [shown, paid("p1", amount, at: 1), paid("p2", amount, at: 2)]))
        for rates in [nil, try CurrencyRates(base: "EUR", rates: ["USD": "0.9"])] {
            var found: [Int64] = []
            try TrainingSnapshot(url: database.url, rates: rates).forEachImpression(limit: 10) { (shown) throws(StoreError) in
                found.append(shown.amountMinor)
            }
            #expect(found == [sum])
        }
    }

    @Test func countersAtTheirEnd() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try store.commit(
            IngestBatch(
                interactions: ["i1", "i2"].map { event("c-\($0)", item: $0) }, items: ["i1", "i2"].map { upsert($0, updatedAt: 1) }))
        try database.sql(
            """
            update item_features set impressions = 9223372036854775807, clicks = 9223372036854775807, add_to_carts = 9223372036854775807,
                purchases = 9223372036854775807, units = 9223372036854775807
            """)
        let queries = StoreQueries(url: database.url)
        #expect(try queries.statistics().interactions[.click] == .max)
        let exposure = try queries.exposure(of: ["i1"])
        #expect(exposure.impressions == .max && exposure.clicks == .max)
        #expect(try queries.trending(at: time(5), limit: 5).count == 2)
        #expect(try queries.interactions(withItems: ["i1", "i2"]).count == .max)
        // One more of each kind is stored, and nothing stops.
        let more = InteractionType.allCases.filter { $0 != .return }.enumerated().map {
            event("more\($0)", $1, item: "i1", at: 10 + Int64($0), request: "r", slot: 0)
        }
        #expect(try store.commit(IngestBatch(interactions: more)).stored == more.count)
        #expect(
            try database.sql("select impressions, clicks, add_to_carts, purchases, units from item_features where item_id = 'i1'")
                == [String](repeating: "\(Int64.max)", count: 5).joined(separator: "|"))
    }

    @Test func nobodysOrdersAloneMakeTheirCurrencyTheMainOne() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        // One sender with many orders of one currency, and three people who paid once each.
        let flood = (0..<20).map { paid("f\($0)", .max, user: "flood", currency: "JPY", at: Int64($0)) }
        let people = (0..<3).map { paid("p\($0)", 1_000, user: "u\($0)", at: 100 + Int64($0)) }
        _ = try store.commit(IngestBatch(interactions: flood + people))
        let amounts = try TrainingSnapshot(url: database.url).amounts
        #expect(amounts.orders.currency == "EUR" && amounts.countedOrders == 3)
        #expect(amounts.leftOutOrders == [.init(currency: "JPY", count: 20)])
    }

    @Test func oneOrderDoesNotOutvoteThePrices() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let item = ItemRecord(itemID: "i1", priceMicros: 5_000_000, currency: "EUR", updatedAt: time(1))
        _ = try store.commit(IngestBatch(interactions: [paid("p", .max, currency: "VND", at: 1)], items: [(.upsert(item), origin(0))]))
        #expect(try TrainingSnapshot(url: database.url).amounts.orders.currency == "EUR")
        _ = try store.commit(IngestBatch(interactions: [paid("q", 9, user: "u2", currency: "VND", at: 2)]))
        #expect(try TrainingSnapshot(url: database.url).amounts.orders.currency == "VND", "two people are a shop's customers")
    }
}
