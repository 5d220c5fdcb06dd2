import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

@Suite("Whoever reads the log of what was bought reads what was kept", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct NetPurchaseTests {
    private func trade(
        _ id: String, _ type: InteractionType, user: String = "u1", item: String = "i1", minute: Int64, quantity: Int32 = 1,
        request: String? = nil
    ) -> Interaction {
        var event = event(id, type, user: user, item: item, at: minute * 60_000, offset: minute, hash: UInt64(minute), request: request)
        event.quantity = quantity
        event.priceMicros = 333_333
        event.currency = "EUR"
        event.amountMinor = (333_333 * Int64(quantity) + 5_000) / 10_000
        return event
    }

    /// A click; a purchase of which all came back; one of 10 of which 4 did; one that was kept; and a return of nothing.
    private func store() throws -> TestDatabase {
        let database = try TestDatabase()
        var shown = event("v", .impression, user: "u2", at: 60_000, offset: 90, request: "r", slot: 0, model: 3)
        shown.payloadHash = 90
        var other = event("w", .impression, user: "u2", item: "i3", at: 60_000, offset: 91, request: "r", slot: 1, model: 3)
        other.payloadHash = 91
        let batch = IngestBatch(interactions: [
            event("c", .click, item: "i1", at: 0, offset: 99), trade("p1", .purchase, minute: 1, quantity: 70_000),
            trade("r1", .return, minute: 17, quantity: 70_000), shown, other,
            trade("p2", .purchase, user: "u2", minute: 3, quantity: 10, request: "r"),
            trade("r2", .return, user: "u2", minute: 40, quantity: 4), trade("p3", .purchase, user: "u3", item: "i2", minute: 5),
            trade("p4", .purchase, user: "u2", item: "i3", minute: 6, request: "r"),
            trade("r4", .return, user: "u2", item: "i3", minute: 45, request: "r"),
            trade("r3", .return, user: "u3", item: "i9", minute: 50, quantity: 5),
        ])
        _ = try IngestStore(url: database.url, rules: FeatureRules()).commit(batch)
        return database
    }

    @Test("a training, its shown lists, its currency")
    func training() throws {
        let database = try store()
        let snapshot = try TrainingSnapshot(url: database.url)
        func read(until: EventTime? = nil) throws -> [String] {
            var rows: [String] = []
            try snapshot.forEachEvent(until: until) { (event) throws(StoreError) in
                let item = String(decoding: event.itemID, as: UTF8.self)
                rows.append("\(event.type) \(item) \(event.amountMinor.map(String.init) ?? "-")")
            }
            return rows.sorted()
        }
        #expect(try read() == ["1 i1 -", "3 i1 200", "3 i2 33"])
        // Before it came back nobody knew, and the return of the one is not that of the other.
        #expect(try read(until: time(16 * 60_000)) == ["1 i1 -", "3 i1 2333331", "3 i1 333", "3 i2 33", "3 i3 33"])
        #expect(try read(until: time(42 * 60_000)) == ["1 i1 -", "3 i1 200", "3 i2 33", "3 i3 33"])
        var rows: [String] = []
        try snapshot.forEachInteraction(types: [.purchase, .return]) { (row) throws(StoreError) in
            rows.append("\(row.userID) \(row.itemID) \(row.quantity) \(row.amountMinor ?? -1)")
        }
        #expect(rows == ["u2 i1 6 200", "u3 i2 1 33"])
        var shown: [String] = []
        try snapshot.forEachImpression(limit: 9) { (impression) throws(StoreError) in
            shown.append("\(String(decoding: impression.itemID, as: UTF8.self)) \(impression.outcomes) \(impression.amountMinor)")
        }
        #expect(shown.sorted() == ["i1 4 200", "i3 0 0"])
        #expect(snapshot.amounts.countedOrders == 2 && snapshot.watermark.newestEventTime == time(6 * 60_000))
        #expect(try snapshot.returns() == ReturnTally(returns: 4, pieces: 70_010, partly: 0, unmatched: 1, unmatchedPieces: 5))
        #expect(try snapshot.returns(until: time(41 * 60_000)).returns == 2)
    }

    @Test("what followed lists, segments, and reports of others")
    func reports() async throws {
        let database = try store()
        let queries = StoreQueries(url: database.url)
        #expect(
            try queries.modelOutcomes(since: time(0))
                == [ModelOutcome(modelVersion: 3, impressions: 2, clicks: 0, addToCarts: 0, purchases: 1)])
        #expect(try database.sql("select item_id, quantity, amount_minor from attributed_outcomes") == "i1|6|200")
        let statistics = try queries.statistics()
        #expect(statistics.interactions[.purchase] == 2 && statistics.interactions[.return] == 4 && statistics.returns.unmatched == 1)
        let item = try #require(try queries.itemFeatures(["i1"]).first)
        #expect(item.purchases == 1 && item.units == 6 && item.revenueMinor == ["EUR": 200] && item.returns.returns == 2)
        #expect(try queries.watchedFigures().returns == statistics.returns)
        let events = try queries.events(withItems: ["i1", "i2", "i3"], from: time(0), limit: 10)
        #expect(events.map(\.itemID) == ["i1", "i1", "i2"])
        #expect(try queries.interactionsPerMinute(until: time(3_600_000)).reduce(0) { $0 + $1.interactions } == 4)
    }
}
