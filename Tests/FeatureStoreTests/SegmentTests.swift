import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct SegmentTests {
    /// 30 users, of whom every third is from DE and the others from FR, each with a click of an item of their country by phone.
    private func filled() throws -> (TestDatabase, StoreQueries) {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var batch = IngestBatch(items: ["iDE", "iFR"].map { upsert($0, updatedAt: 1) })
        for number in 0..<30 {
            let country = number % 3 == 0 ? "DE" : "FR"
            var own = event("e\(number)", user: "u\(number)", item: "i\(country)", at: Int64(number), offset: Int64(number))
            own.context = #"{"device":"phone","country":"\#(country)","deep":{"a":1},"list":[1,2],"rating":\#(number % 5)}"#
            batch.interactions.append(own)
            batch.users.append(
                (
                    .upsert(
                        UserRecord(
                            userID: "u\(number)", attributes: #"{"country":"\#(country)","zip":"z\#(number)","age":25}"#, updatedAt: time(1)
                        )),
                    origin(Int64(number), source: "freshet.users")
                ))
        }
        // Impressions say nothing; a purchase says more.
        batch.interactions.append(event("seen", .impression, user: "u0", item: "iFR", at: 40, offset: 40))
        batch.interactions.append(event("bought", .purchase, user: "u0", item: "iDE", at: 41, offset: 41))
        _ = try store.commit(batch)
        return (database, StoreQueries(url: database.url, connections: 1))
    }

    private func events(_ found: [SegmentEvents], _ segment: String, _ item: String) -> Double {
        found.first { $0.segment == segment && $0.itemID == item }?.events ?? 0
    }

    @Test func attributesAndContextMakeSegments() throws {
        let (database, store) = try filled()
        let found = try store.segmentEvents(SegmentRules(minimumUsers: 3))
        // The attribute and the same word of the context count once. All happened within milliseconds, so nothing decayed.
        #expect(abs(events(found, "country=DE", "iDE") - 15) < 0.01)
        #expect(events(found, "country=DE", "iFR") == 0)
        #expect(abs(events(found, "country=FR", "iFR") - 20) < 0.01)
        #expect(abs(events(found, "", "iDE") - 15) < 0.01 && abs(events(found, "", "iFR") - 20) < 0.01)
        #expect(abs(events(found, "age=25", "iFR") - 20) < 0.01 && abs(events(found, "device=phone", "iDE") - 10) < 0.01)
        // One user's postcode, lists and objects are no segments.
        #expect(found.allSatisfy { !$0.segment.hasPrefix("zip") && !$0.segment.hasPrefix("list") && !$0.segment.hasPrefix("deep") })
        withExtendedLifetime(database) {}
    }

    @Test func namesHalfLifeAndTheNewestEventsBoundWhatCounts() throws {
        let (database, store) = try filled()
        let named = try store.segmentEvents(SegmentRules(names: ["device"], minimumUsers: 3))
        #expect(Set(named.map(\.segment)) == ["", "device=phone"])
        let newest = try store.segmentEvents(SegmentRules(eventsLimit: 4, minimumUsers: 1))
        #expect(abs(newest.filter { $0.segment.isEmpty }.reduce(0) { $0 + $1.events } - 8) < 0.01)
        #expect(try store.segmentEvents(SegmentRules(eventsLimit: 0)).isEmpty)
        // 36 ms: what was 36 ms before the newest counts half.
        let decayed = try store.segmentEvents(SegmentRules(halfLifeHours: 36 / 3_600_000, minimumUsers: 1))
        #expect(abs(events(decayed, "zip=z5", "iFR") - 0.5) < 0.01)
        withExtendedLifetime(database) {}
    }

    @Test func anEmptyStoreAndStrangeContextsAreHarmless() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url, connections: 1)
        #expect(try queries.segmentEvents(SegmentRules()).isEmpty)
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var batch = IngestBatch()
        for (number, context) in [
            nil, "[1,2]", "\"text\"", "null", "{}", #"{"a":null,"a":"1"}"#, #"{"long":"\#(String(repeating: "x", count: 100))"}"#,
        ].enumerated() {
            var own = event("e\(number)", user: "u\(number)", at: Int64(number), offset: Int64(number))
            own.context = context
            batch.interactions.append(own)
        }
        batch.items = [upsert("i1", updatedAt: 1)]
        _ = try store.commit(batch)
        let found = try queries.segmentEvents(SegmentRules(minimumUsers: 1))
        #expect(Set(found.map(\.segment)) == ["", "a=1"])
    }

    @Test func whatMayNotBeShownTakesNoPlaceFromWhatMay() throws {
        let (database, store) = try filled()
        let ingest = try IngestStore(url: database.url, rules: FeatureRules())
        // Newer than everything else: clicks of 40 people on 300 ids that no record names, and on as many hidden items as a segment lists.
        var batch = IngestBatch()
        for number in 0..<400 {
            var unnamed = event(
                "x\(number)", user: "v\(number % 40)", item: "unnamed\(number % 300)", at: 100 + Int64(number), offset: 100 + Int64(number))
            unnamed.context = #"{"country":"DE","crowd":"c\#(number % 4)"}"#
            batch.interactions.append(unnamed)
        }
        for number in 0..<2 * SegmentRules.itemsLimit {
            var hidden = event("h\(number)", user: "v\(number % 40)", item: "hidden\(number / 2)", at: 600, offset: 600 + Int64(number))
            hidden.context = #"{"country":"DE"}"#
            batch.interactions.append(hidden)
            if number.isMultiple(of: 2) { batch.items.append(upsert("hidden\(number / 2)", updatedAt: 1, hidden: true)) }
        }
        _ = try ingest.commit(batch)
        let found = try store.segmentEvents(SegmentRules(minimumUsers: 3))
        #expect(abs(events(found, "country=DE", "iDE") - 15) < 0.01)
        #expect(found.allSatisfy { !$0.itemID.hasPrefix("unnamed") && !$0.segment.hasPrefix("crowd") })
        // So many interactions with items are counted, whatever stands between them.
        let newest = try store.segmentEvents(SegmentRules(eventsLimit: 2 * SegmentRules.itemsLimit + 4, minimumUsers: 1))
        #expect(newest.contains { $0.segment.isEmpty && ["iDE", "iFR"].contains($0.itemID) })
        withExtendedLifetime(database) {}
    }
}
