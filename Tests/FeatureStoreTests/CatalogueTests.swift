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
        #expect(
            try send([
                upsert("i1", title: "b", updatedAt: 12), upsert("i1", title: "c", updatedAt: 12), upsert("i1", title: "a", updatedAt: 11),
            ]) == 1)
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
        let loaded = try queries.catalogue()
        #expect(loaded.items.count == 50 && loaded.mark.version == 1)
        guard case .unchanged = try queries.catalogue(after: loaded.mark) else { Issue.record("something changed"); return }
        #expect(try await reader.read(userID: "u", exclude: []).catalogueVersion == 1)
        let hidden = try store.commit(IngestBatch(items: [upsert("i7", updatedAt: 2, hidden: true)]))
        #expect(hidden.catalogueVersion == 2)
        #expect(try await reader.read(userID: "u", exclude: []).catalogueVersion == 2)
        guard case .changes(let items, let mark) = try queries.catalogue(after: loaded.mark) else {
            Issue.record("not the changes alone")
            return
        }
        #expect(mark.version == 2 && items.map(\.record.itemID) == ["i7"] && items[0].record.hidden)
        // What changes nothing moves nothing.
        #expect(try store.commit(IngestBatch(items: [upsert("i7", updatedAt: 1)])).catalogueVersion == nil)
        #expect(try queries.catalogueMark().version == 2)
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
        _ = try store.commit(IngestBatch(items: (0..<15).map { upsert("i\($0)", updatedAt: 1, hidden: $0 == 4) }))
        let trending = try queries.trending(at: now, limit: 5, purchaseWeight: 2)
        let best = expected.items.values.filter { $0.itemID != "i4" }
            .map { ($0.itemID, $0.clickDecay.value(at: now, rules: rules) + 2 * $0.purchaseDecay.value(at: now, rules: rules)) }
            .sorted { $0.1 > $1.1 }.prefix(5).map(\.0)
        #expect(trending.map(\.itemID) == best)
        // At any time the same items in the same order, with the same shares, also where doubles are 0 or infinite.
        for year in [1, 1990, 2015, 2500, 9999] {
            let later = try queries.trending(at: EventTime(milliseconds: Int64(year - 1970) * 31_556_952_000), limit: 5, purchaseWeight: 2)
            #expect(later.map(\.itemID) == best, "\(year)")
            for (one, other) in zip(later, trending) {
                #expect(abs(one.score.share(of: later[0].score) - other.score.share(of: trending[0].score)) < 1e-5, "\(year)")
            }
        }
        let exposure = try queries.exposure(of: ["i1", "i2", "never-seen"])
        #expect(
            Set(exposure.items.map { "\($0.itemID) \($0.impressions) \($0.clicks)" })
                == Set(["i1", "i2"].compactMap { expected.items[$0] }.map { "\($0.itemID) \($0.impressions) \($0.clicks)" }))
        #expect(exposure.impressions == expected.items.values.reduce(0) { $0 + $1.impressions })
        #expect(exposure.clicks == expected.items.values.reduce(0) { $0 + min($1.clicks, $1.impressions) })
    }

    @Test(arguments: [3_600_000, 86_400_000] as [Int64]) func ageNeverBendsTheOrder(_ halfLife: Int64) throws {
        let database = try TestDatabase()
        let rules = FeatureRules(decayHalfLifeMilliseconds: halfLife)
        let store = try IngestStore(url: database.url, rules: rules)
        let queries = StoreQueries(url: database.url, rules: rules)
        // Items of every decade, each with one click more than the one before it in the same hour; one is dated 9999.
        let years: [Int64] = [1, 1902, 1969, 1990, 1991, 2015, 2026, 9999]
        var events: [Interaction] = []
        for (place, year) in years.enumerated() {
            let border = (year - 1970) * 31_556_952_000 / rules.decayPeriodMilliseconds * rules.decayPeriodMilliseconds
            for (item, count, after) in [("few", 1, -1), ("many", 20, 1)] as [(String, Int, Int64)] {
                for click in 0..<count {
                    var click = event("e\(events.count)-\(click)", item: "\(item)\(year)", offset: Int64(events.count))
                    click.time = EventTime(milliseconds: border + after * 1_000 + Int64(place))
                    events.append(click)
                }
            }
        }
        _ = try store.commit(
            IngestBatch(
                interactions: events, items: years.flatMap { [upsert("few\($0)", updatedAt: 1), upsert("many\($0)", updatedAt: 1)] }))
        // Those of the newest year by what is left of them; of the others nothing is, and the order is that of all clicks, the newer first.
        let others = years.dropLast().reversed()
        let expected = ["many9999", "few9999"] + others.map { "many\($0)" } + others.map { "few\($0)" }
        for now in [EventTime(milliseconds: -62_000_000_000_000), time(0), EventTime(milliseconds: 253_402_300_000_000)] {
            let found = try queries.trending(at: now, limit: 100)
            #expect(found.map(\.itemID) == expected)
            #expect(zip(found, found.dropFirst()).allSatisfy { $1.score < $0.score } && found.allSatisfy { !$0.score.isZero })
            #expect(try queries.trending(at: now, limit: 3).map(\.itemID) == Array(expected.prefix(3)))
        }
    }

    @Test func idsWithoutARecordTakeNoPlaceInTrending() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        var batch = IngestBatch()
        for number in 0..<600 {
            for (kind, clicks) in [("unnamed", 3), ("hidden", 2), ("gone", 2)] {
                for click in 0..<clicks {
                    batch.interactions.append(
                        event(
                            "\(kind)\(number)-\(click)", item: "\(kind)\(number)", at: Int64(number),
                            offset: Int64(batch.interactions.count)))
                }
            }
            batch.items.append(upsert("hidden\(number)", updatedAt: 1, hidden: true))
            batch.items.append((.delete(id: "gone\(number)", at: time(1)), origin(0)))
        }
        for number in 0..<10 {
            batch.interactions.append(event("p\(number)", item: "product\(number)", at: 0, offset: Int64(batch.interactions.count)))
            batch.items.append(upsert("product\(number)", updatedAt: 1))
        }
        _ = try store.commit(batch)
        #expect(Set(try queries.trending(at: time(0), limit: 500).map(\.itemID)) == Set((0..<10).map { "product\($0)" }))
    }

    @Test func aClockAheadNeitherWinsForEverNorOutlivesADeletion() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        // Milliseconds from the clock of the database, as records are dated.
        let now = try #require(Int64(database.sql("select (extract(epoch from clock_timestamp()) * 1000)::bigint")))
        func at(_ seconds: Int64) -> EventTime { EventTime(milliseconds: now + seconds * 1_000) }
        func put(_ id: String, _ title: String, _ seconds: Int64) throws -> Int {
            try store.commit(IngestBatch(items: [(.upsert(ItemRecord(itemID: id, title: title, updatedAt: at(seconds))), origin(0))]))
                .itemsChanged
        }
        func delete(_ id: String, _ seconds: Int64?) throws -> Int {
            try store.commit(IngestBatch(items: [(.delete(id: id, at: seconds.map(at)), origin(1))])).itemsChanged
        }
        // A row that an older version accepted: dated years ahead.
        let years: Int64 = 5 * 365 * 86_400
        #expect(try put("i1", "from the future", years) == 1)
        #expect(try put("i1", "older than the row's storing", -3_600) == 0)
        #expect(try put("i1", "today", 30) == 1)
        #expect(try queries.item("i1")?.record.title == "today")
        // A deletion takes what is dated ahead with it, by years or by minutes, in one batch or in two.
        for ahead in [years, 120] {
            #expect(try put("i2", "ahead", ahead) == 1)
            #expect(try delete("i2", 0) == 1)
            #expect(try queries.item("i2")?.isDeleted == true)
            #expect(try put("i2", "older than the deletion", -60) == 0)
            let both = try store.commit(
                IngestBatch(items: [
                    (.upsert(ItemRecord(itemID: "i3", updatedAt: at(ahead))), origin(2)), (.delete(id: "i3", at: at(0)), origin(3)),
                ]))
            #expect(both.itemsChanged == 1)
            #expect(try queries.item("i3")?.isDeleted == true)
            #expect(try put("i2", "new again", ahead) == 1)
        }
        // A deletion that is itself dated ahead is of now, and so is one without a time or of a clock that was never set.
        for (id, time) in [("i4", years), ("i5", nil), ("i6", -now / 1_000)] as [(String, Int64?)] {
            #expect(try put(id, "here", -5) == 1)
            #expect(try delete(id, time) == 1, "\(id)")
            #expect(try queries.item(id)?.isDeleted == true, "\(id)")
            #expect(try put(id, "older", -4) == 0, "\(id)")
            #expect(try put(id, "back", 60) == 1, "\(id)")
            #expect(try queries.item(id)?.isAvailable == true, "\(id)")
        }
        // A deletion that comes late does not take what was sent after it.
        #expect(try put("i7", "made anew", -5) == 1)
        #expect(try delete("i7", -10) == 0)
    }
}
