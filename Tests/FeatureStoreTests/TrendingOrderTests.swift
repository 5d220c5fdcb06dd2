import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

/// The trending list has as many items as something was done with, in an order that means something at any age.
struct TrendingOrderTests {
    private static let day: Int64 = 86_400_000

    /// A past with so many events of each item, spread over a year, the favourite least of them in its last days.
    private static func past() -> [Interaction] {
        var events: [Interaction] = []
        func add(_ item: String, _ type: InteractionType, at time: Int64) {
            events.append(event("e\(events.count)", type, item: item, at: time, offset: Int64(events.count)))
        }
        for (place, count) in [60, 40, 20, 10, 5, 2, 1].enumerated() {
            for number in 0..<count { add("best\(place)", .purchase, at: Int64(number) * 300 * day / Int64(count) + Int64(place)) }
        }
        for number in 0..<3 { add("cart", .addToCart, at: Int64(number) * day) }
        return events
    }

    private static func items(_ further: [String] = []) -> [(change: RecordChange<ItemRecord>, origin: RecordOrigin)] {
        ((0..<7).map { "best\($0)" } + ["cart"] + further).map { upsert($0, updatedAt: 1) }
    }

    @Test func whatIsOldIsInTheOrderOfAllThatWasDoneBehindWhatIsNew() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        _ = try store.commit(IngestBatch(interactions: Self.past(), items: Self.items(["now1", "now2", "untouched"])))
        // A year later three clicks come.
        var later = event("n1", item: "now1", at: 700 * Self.day, offset: 9_000)
        let old = try queries.trending(at: time(0), limit: 100).map(\.itemID)
        #expect(Set(old) == Set((0..<7).map { "best\($0)" } + ["cart"]) && old.prefix(4).allSatisfy { $0.hasPrefix("best") })
        var batch = IngestBatch(interactions: [later])
        later.eventID = "n2"
        later.position.offset = 9_001
        batch.interactions.append(later)
        batch.interactions.append(event("n3", item: "now2", at: 700 * Self.day, offset: 9_002))
        _ = try store.commit(batch)
        let expected = ["now1", "now2"] + (0..<5).map { "best\($0)" } + ["best5", "best6", "cart"]
        for now in [time(0), time(300 * Self.day), time(700 * Self.day), time(5_000 * Self.day)] {
            let found = try queries.trending(at: now, limit: 100)
            // Ten clicks' worth, five, three: a purchase counts for five clicks, a cart for one.
            #expect(found.map(\.itemID) == expected, "\(now)")
            #expect(found.allSatisfy { !$0.score.isZero } && zip(found, found.dropFirst()).allSatisfy { $1.score < $0.score })
            #expect(try queries.trending(at: now, limit: 4).map(\.itemID) == Array(expected.prefix(4)), "what is cut is the end")
        }
        let shares = try queries.trending(at: time(9_000 * Self.day), limit: 100)
        #expect(abs(shares[2].score.share(of: shares[1].score) - 0.5) < 1e-9, "the first of what is old is half of the last of what is new")
        #expect(abs(shares[3].score.share(of: shares[2].score) - 40.0 / 60) < 1e-6)
    }

    @Test func whatWasDoneInTheLastWeeksStandsBetween() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules(decayHalfLifeMilliseconds: Self.day))
        let queries = StoreQueries(url: database.url, rules: FeatureRules(decayHalfLifeMilliseconds: Self.day))
        var events: [Interaction] = []
        func add(_ item: String, _ count: Int, daysAgo: Int64) {
            for _ in 0..<count {
                events.append(event("e\(events.count)", item: item, at: -daysAgo * Self.day, offset: Int64(events.count)))
            }
        }
        // Of late, in four weeks, and ever; the newest in each part is the least.
        for (place, (item, count, days)) in [
            ("best0", 3, 1), ("best1", 1, 0), ("best2", 40, 20), ("best3", 9, 11), ("best4", 90, 60), ("best5", 80, 29), ("best6", 3, 28),
        ].enumerated() { add(item, count, daysAgo: Int64(days) + (place == 6 ? -1 : 0)) }
        _ = try store.commit(IngestBatch(interactions: events, items: Self.items()))
        let recent = try queries.recentCounts()
        #expect(recent.newest == time(0) && recent.itemIDs == ["best2", "best3", "best0", "best6", "best1"])
        #expect(recent.thousandths == [40_000, 9_000, 3_000, 3_000, 1_000])
        let live = try queries.trending(at: time(0), limit: 10)
        #expect(live.map(\.itemID) == ["best0", "best1", "best2", "best3", "best6", "best4", "best5"])
        #expect(zip(live, live.dropFirst()).allSatisfy { $1.score < $0.score } && live.allSatisfy { !$0.score.isZero })
        let unread = try queries.trending(at: time(0), limit: 10, recent: RecentCounts())
        #expect(unread.map(\.itemID).suffix(5) == ["best4", "best5", "best2", "best3", "best6"])
        // Of an import of old history nothing is of late.
        let stale = try queries.trending(at: time(400 * Self.day), limit: 10, isStale: true)
        #expect(stale.map(\.itemID) == ["best2", "best3", "best0", "best6", "best1", "best4", "best5"])
        #expect(zip(stale, stale.dropFirst()).allSatisfy { $1.score < $0.score } && stale.allSatisfy { !$0.score.isZero })
        #expect(!recent.isStale(at: time(6 * Self.day), halfLifeMilliseconds: Self.day))
        #expect(recent.isStale(at: time(7 * Self.day), halfLifeMilliseconds: Self.day))
        #expect(!RecentCounts().isStale(at: time(0), halfLifeMilliseconds: 1))
    }

    @Test func aShopWhereThingsAreOnlyPutIntoCartsHasAListToo() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        let events = (0..<6).map { event("e\($0)", .addToCart, item: "best\($0 % 3 == 2 ? 1 : 0)", at: Int64($0), offset: Int64($0)) }
        _ = try store.commit(IngestBatch(interactions: events, items: Self.items()))
        let found = try queries.trending(at: time(0), limit: 10)
        #expect(found.map(\.itemID) == ["best0", "best1"] && found.allSatisfy { !$0.score.isZero && $0.clicks == 0 })
        let empty = try TestDatabase()
        #expect(try StoreQueries(url: empty.url).trending(at: time(0), limit: 10).isEmpty)
    }
}
