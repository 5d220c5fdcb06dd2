import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct CatalogueTests {
    @Test func theNewestRecordWinsWhicheverWayItComes() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        func send(_ changes: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)]) throws -> Int {
            try store.commit(IngestBatch(items: changes)).itemsChanged
        }
        #expect(try send([upsert("i1", title: "new", updatedAt: 10)]) == 1)
        #expect(try send([upsert("i1", title: "old", updatedAt: 9)]) == 0)
        #expect(try send([(.delete(id: "i1", at: time(9)), origin(0))]) == 0)
        #expect(try queries.item("i1")?.record.title == "new")
        #expect(try send([upsert("i1", title: "tie", updatedAt: 10)]) == 1)
        #expect(try queries.item("i1")?.record.title == "tie")
        // In one batch: the newest, and of equal times the later.
        #expect(try send([upsert("i1", title: "b", updatedAt: 12), upsert("i1", title: "c", updatedAt: 12), upsert("i1", title: "a", updatedAt: 11)]) == 1)
        #expect(try queries.item("i1")?.record.title == "c")
        // Without a time of its own a record has its source's, or 1970.
        #expect(try send([(.upsert(ItemRecord(itemID: "i1", title: "no time")), origin(1))]) == 0)
        #expect(try send([(.upsert(ItemRecord(itemID: "i1", title: "source's time")), origin(1, at: time(13)))]) == 1)
        #expect(try send([(.delete(id: "i1", at: nil), origin(2, at: time(14)))]) == 1)
        #expect(try queries.item("i1")?.isAvailable == false)
        #expect(try send([upsert("i1", title: "too late", updatedAt: 13)]) == 0)
        #expect(try send([upsert("i1", title: "back", updatedAt: 15)]) == 1)
        let item = try #require(try queries.item("i1"))
        #expect(item.isAvailable && item.record.title == "back" && item.record.embedding == [0.5, -1])
        #expect(item.record.categories == ["shoes", "a \"quoted\" one"] && item.record.updatedAt == time(15))
        #expect(try database.sql("select count(*) from item_changes where item_id = 'i1'") == "6")
        #expect(try send([(.delete(id: "unknown", at: time(3)), origin(3))]) == 1)
        #expect(try queries.item("unknown")?.isDeleted == true)
    }

    @Test func aHiddenItemMovesTheVersionAndIsSeenByAReaderThatFollows() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        let reader = try UserStateReader(url: database.url)
        _ = try store.commit(IngestBatch(items: (0..<50).map { upsert("i\($0)", updatedAt: 1) }))
        let loaded = try queries.items(changedAfter: 0)
        #expect(loaded.items.count == 50 && loaded.version == 1)
        #expect(try queries.items(changedAfter: 1).items.isEmpty)
        #expect(try await reader.read(userID: "u", exclude: []).catalogueVersion == 1)
        let hidden = try store.commit(IngestBatch(items: [upsert("i7", updatedAt: 2, hidden: true)]))
        #expect(hidden.catalogueVersion == 2)
        #expect(try await reader.read(userID: "u", exclude: []).catalogueVersion == 2)
        let changed = try queries.items(changedAfter: loaded.version)
        #expect(changed.version == 2 && changed.items.map(\.record.itemID) == ["i7"] && changed.items[0].record.hidden)
        // What changes nothing moves nothing.
        #expect(try store.commit(IngestBatch(items: [upsert("i7", updatedAt: 1)])).catalogueVersion == nil)
        #expect(try queries.catalogueVersion() == 2)
        reader.close()
    }

    @Test func countersAndTrendingAreThoseOfTheFold() throws {
        let database = try TestDatabase()
        let rules = FeatureRules()
        let store = try IngestStore(url: database.url, rules: rules)
        let queries = StoreQueries(url: database.url, rules: rules)
        let events = madeUpEvents(600, seed: 5, partition: 0)
        for start in stride(from: 0, to: 600, by: 50) { _ = try store.commit(IngestBatch(interactions: Array(events[start..<start + 50]))) }
        var expected = FeatureDelta(rules: rules)
        expected.fold(events)
        for item in try queries.itemFeatures(Array(expected.items.keys)) {
            let delta = try #require(expected.items[item.itemID])
            #expect(item.clickDecay == delta.clickDecay && item.purchaseDecay == delta.purchaseDecay, "\(item.itemID)")
            #expect(item.revenueMinor == delta.revenue && item.units == delta.units && item.clicks == delta.clicks)
            #expect(item.firstTime == delta.firstTime && item.lastTime == delta.lastTime)
        }
        let user = try #require(try queries.userFeatures("u3"))
        #expect(user.history == expected.users["u3"]?.history && user.purchases == expected.users["u3"]?.purchases)
        let now = time(5_184_000_000)
        _ = try store.commit(IngestBatch(items: [upsert("i4", updatedAt: 1, hidden: true)]))
        let trending = try queries.trending(at: now, limit: 5, purchaseWeight: 2)
        let best = expected.items.values.filter { $0.itemID != "i4" }
            .map { ($0.itemID, $0.clickDecay.value(at: now, rules: rules) + 2 * $0.purchaseDecay.value(at: now, rules: rules)) }
            .sorted { $0.1 > $1.1 }.prefix(5).map(\.0)
        #expect(trending.map(\.itemID) == best)
        let exposure = try queries.exposure(of: ["i1", "i2", "never-seen"])
        #expect(
            Set(exposure.items.map { "\($0.itemID) \($0.impressions) \($0.clicks)" })
                == Set(["i1", "i2"].compactMap { expected.items[$0] }.map { "\($0.itemID) \($0.impressions) \($0.clicks)" }))
        #expect(exposure.impressions == expected.items.values.reduce(0) { $0 + $1.impressions })
        #expect(exposure.clicks == expected.items.values.reduce(0) { $0 + min($1.clicks, $1.impressions) })
    }
}
