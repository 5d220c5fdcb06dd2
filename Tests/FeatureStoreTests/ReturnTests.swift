import Features
import FeatureStore
import Interactions
import TestSupport
import Testing

@Suite("Returns take purchases back in every table", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ReturnTests {
    static let tables = ["interactions", "user_features", "item_features", "item_revenue", "item_returns", "purchase_returns"]

    private func trade(
        _ id: String, _ type: InteractionType, user: String = "u1", item: String = "i1", minute: Int64, quantity: Int32 = 1,
        price: Int64 = 2_000_000
    ) -> Interaction {
        var event = event(id, type, user: user, item: item, at: minute * 60_000, offset: minute, hash: UInt64(minute) &* 31 &+ 7)
        event.quantity = quantity
        event.priceMicros = price
        event.currency = "EUR"
        event.amountMinor = price / 10_000 * Int64(quantity)
        return event
    }

    private func commit(_ store: IngestStore, _ events: [Interaction]) throws -> IngestSummary {
        try store.commit(IngestBatch(interactions: events))
    }

    private func item(_ database: TestDatabase, _ id: String = "i1") throws -> String {
        try database.sql(
            """
            select purchases, units, (select revenue_minor from item_revenue r where r.item_id = f.item_id),
                coalesce((select returns || ' ' || pieces || ' ' || partly || ' ' || unmatched || ' ' || unmatched_pieces
                    from item_returns r where r.item_id = f.item_id), 'none')
            from item_features f where item_id = '\(id)'
            """)
    }

    @Test("the bestsellers of late know neither what was given back nor the giving back, and contexts are those of what was done")
    func recent() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var back = trade("r1", .return, minute: 9)
        back.context = #"{"why":"small"}"#
        var kept = trade("p2", .purchase, item: "i2", minute: 3)
        kept.context = #"{"rating":5}"#
        _ = try store.commit(
            IngestBatch(
                interactions: [trade("p1", .purchase, minute: 1), kept, back, trade("c1", .click, item: "i3", minute: 4)],
                items: ["i1", "i2", "i3"].map { upsert($0, updatedAt: 1) }))
        let recent = try StoreQueries(url: database.url).recentCounts()
        #expect(recent.itemIDs == ["i2", "i3"] && recent.thousandths == [5_000, 1_000])
        #expect(recent.newest == time(4 * 60_000))
        let snapshot = try TrainingSnapshot(url: database.url)
        var contexts = 0
        try snapshot.forEachNewestContext(limit: 10) { (_) throws(StoreError) in contexts += 1 }
        #expect(contexts == 3)
    }

    @Test("a return that names its purchase takes that one back, whatever else would match better")
    func named() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var back = trade("r1", .return, minute: 9, price: 3_000_000)
        back.context = #"{"why":"broken","purchase_event_id":"p1"}"#
        _ = try commit(store, [trade("p1", .purchase, minute: 1), trade("p2", .purchase, minute: 2, price: 3_000_000), back])
        let matched = try database.sql("select purchase_id, return_id, pieces from purchase_returns")
        #expect(matched == "p1|r1|1")
        #expect(try item(database).hasPrefix("1|1|300|"))
    }

    @Test("any order of arrival, in any batches, gives the same tables", arguments: 1...6)
    func anyOrder(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        let events = madeUpTrades(200, seed: seed, partition: 0) + madeUpEvents(60, seed: seed, partition: 1, users: 3, items: 3)
        var contents: [[String: String]] = []
        for sizes in [[260], [1, 9, 50, 200], [130, 130], [7, 60, 193]] {
            // Histories of 30 forget purchases that are given back later.
            let database = try TestDatabase()
            let store = try IngestStore(url: database.url, rules: FeatureRules(historyLimitEvents: 30))
            var rest = contents.isEmpty ? events[...] : events.shuffled(using: &numbers)[...]
            var sent: [Interaction] = []
            for size in sizes {
                let part = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                // What came before comes once more with it.
                let again = sent.isEmpty ? [] : [sent[sent.count / 2], sent[0]]
                #expect(try commit(store, part + again).stored == part.count)
                sent += part
            }
            contents.append(try database.content())
        }
        #expect(contents[0]["purchase_returns"]?.isEmpty == false)
        for table in Self.tables {
            for other in contents.dropFirst() { #expect(contents[0][table] == other[table], "\(table)") }
        }
    }

    @Test("the tables are those of what was kept, as if the rest had never been bought")
    func net() throws {
        let database = try TestDatabase(), other = try TestDatabase()
        let kept = [trade("k1", .purchase, minute: 1), trade("k2", .purchase, user: "u2", minute: 9, quantity: 3)]
        let gone = [trade("g1", .purchase, minute: 4, quantity: 70_000), trade("g2", .purchase, user: "u2", minute: 5, price: 3_000_000)]
        let returns = [
            trade("r1", .return, minute: 20, quantity: 70_000), trade("r2", .return, user: "u2", minute: 21, price: 3_000_000),
        ]
        let summary = try commit(try IngestStore(url: database.url, rules: FeatureRules()), kept + gone + returns)
        #expect(summary.returns == ReturnTally(returns: 2, pieces: 70_001, partly: 0, unmatched: 0, unmatchedPieces: 0))
        _ = try commit(try IngestStore(url: other.url, rules: FeatureRules()), kept)
        let columns = "purchases, units, purchase_newest, purchase_previous, purchase_landmark"
        for query in ["select \(columns) from item_features", "select * from item_revenue"] {
            #expect(try database.sql(query) == (try other.sql(query)))
        }
    }

    @Test("partly, more than was bought, and before it was bought")
    func partly() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var summary = try commit(store, [trade("r1", .return, minute: 30, quantity: 2)])
        #expect(summary.returns == ReturnTally(returns: 1, pieces: 2, partly: 0, unmatched: 1, unmatchedPieces: 2))
        #expect(try item(database) == "0|0||1 2 0 1 2")
        // Its purchase comes: a piece of three stays.
        summary = try commit(store, [trade("p1", .purchase, minute: 10, quantity: 3)])
        #expect(summary.returns == ReturnTally(returns: 0, pieces: 0, partly: 0, unmatched: -1, unmatchedPieces: -2))
        #expect(summary.returns.sentence == "returns that came before their purchases and match them now: 1")
        #expect(ReturnTally().sentence == nil)
        #expect(try item(database) == "1|1|200|1 2 0 0 0")
        // More than there is: the last piece goes, and two match nothing.
        summary = try commit(store, [trade("r2", .return, minute: 40, quantity: 3)])
        #expect(summary.returns == ReturnTally(returns: 1, pieces: 3, partly: 1, unmatched: 0, unmatchedPieces: 2))
        #expect(try item(database) == "0|0|0|2 5 1 0 2")
        // A later purchase is none that came back; an earlier one that comes late is.
        _ = try commit(store, [trade("p2", .purchase, minute: 50)])
        #expect(try item(database) == "1|1|200|2 5 1 0 2")
        _ = try commit(store, [trade("p3", .purchase, minute: 5, quantity: 4)])
        #expect(try item(database) == "2|3|600|2 5 0 0 0")
        // Twice is once.
        summary = try commit(store, [trade("r2", .return, minute: 40, quantity: 3)])
        #expect(summary.duplicates == 1 && summary.returns == ReturnTally())
        #expect(try item(database) == "2|3|600|2 5 0 0 0")
    }

    @Test("what was given back excludes nothing, from the history or beyond it, and a later purchase excludes again")
    func userState() async throws {
        let database = try TestDatabase()
        let rules = FeatureRules(historyLimitEvents: 3)
        let store = try IngestStore(url: database.url, rules: rules)
        let reader = try UserStateReader(url: database.url, rules: rules)
        defer { reader.close() }
        func state() async throws -> (met: Set<String>, history: [String]) {
            let state = try await reader.read(userID: "u1", exclude: [.purchase])
            return (Set(state.excludedItemIDs), state.history.entries.map(\.itemID))
        }
        _ = try commit(store, [trade("p1", .purchase, item: "a", minute: 1), trade("p2", .purchase, item: "b", minute: 2)])
        _ = try commit(store, [trade("r1", .return, item: "a", minute: 3)])
        var now = try await state()
        #expect(now.met == ["b"] && now.history == ["b"])
        let view = try #require(
            try StoreQueries(url: database.url, rules: rules).userFeatures("u1"))
        #expect(view.purchases == 1 && view.returns == 1 && view.history.entries.map(\.isReturned) == [true, false])
        // More than the history holds: what it forgets stays given back.
        _ = try commit(store, (4...8).map { trade("p\($0)", .purchase, item: "c\($0)", minute: $0) })
        _ = try commit(store, [trade("r2", .return, item: "b", minute: 9)])
        now = try await state()
        #expect(now.met == ["c4", "c5", "c6", "c7", "c8"] && now.history == ["c6", "c7", "c8"])
        _ = try commit(store, [trade("p9", .purchase, item: "a", minute: 10)])
        now = try await state()
        #expect(now.met.contains("a") && !now.met.contains("b"))
    }

    @Test("people whom nobody knows, and items that nobody bought")
    func unknown() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let summary = try commit(
            store,
            [
                trade("r1", .return, user: "nobody", item: "nothing", minute: 1, quantity: 9),
                trade("p1", .purchase, user: "u2", minute: 2),
                trade("r2", .return, user: "u1", minute: 3),
            ])
        #expect(summary.returns == ReturnTally(returns: 2, pieces: 10, partly: 0, unmatched: 2, unmatchedPieces: 10))
        #expect(try item(database) == "1|1|200|1 1 0 1 1")
        #expect(try item(database, "nothing") == "0|0||1 9 0 1 9")
        #expect(summary.returns.sentence == "2 of 2 returns match no purchase: 100.0 % of the pieces, which are left out")
    }

    @Test("two consumers at once, one with purchases and one with their returns, end where one does")
    func atOnce() async throws {
        let purchases = (0..<300).map { trade("p\($0)", .purchase, user: "u\($0 % 7)", item: "i\($0 % 5)", minute: Int64($0)) }
        let returns = (0..<200).map { trade("r\($0)", .return, user: "u\($0 % 7)", item: "i\($0 % 5)", minute: Int64(400 + $0)) }
        let single = try TestDatabase(), database = try TestDatabase()
        _ = try commit(try IngestStore(url: single.url, rules: FeatureRules()), purchases + returns)
        let url = database.url
        try await withThrowingTaskGroup(of: Void.self) { group in
            for events in [purchases, returns] {
                group.addTask {
                    let store = try IngestStore(url: url, rules: FeatureRules())
                    for start in stride(from: 0, to: events.count, by: 20) {
                        _ = try store.commit(IngestBatch(interactions: Array(events[start..<min(start + 20, events.count)])))
                    }
                }
            }
            try await group.waitForAll()
        }
        let (one, two) = (try single.content(), try database.content())
        for table in Self.tables { #expect(one[table] == two[table], "\(table)") }
        #expect(try database.sql("select count(*) from purchase_returns") == "200")
    }

    @Test("an erasure takes matches away, items keep what was taken back, and what stays is matched again")
    func erasure() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try commit(
            store,
            [
                trade("p1", .purchase, minute: 1), trade("r1", .return, minute: 2), trade("p2", .purchase, item: "i2", minute: 20),
                trade("r2", .return, item: "i2", minute: 30), trade("x", .purchase, user: "u2", minute: 3),
            ])
        let before = (try item(database), try item(database, "i2"))
        var batch = IngestBatch()
        batch.users = [(.delete(id: "u1", at: time(10 * 60_000)), origin(1))]
        _ = try store.commit(batch)
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        #expect(try database.sql("select user_id, purchase_id, return_id from purchase_returns") == "u1|p2|r2")
        let after = (try item(database), try item(database, "i2"))
        #expect(after == before)
        let view = try #require(
            try StoreQueries(url: database.url).userFeatures("u1"))
        #expect(view.purchases == 0 && view.returns == 1 && view.history.entries.map(\.isReturned) == [true])
    }
}
