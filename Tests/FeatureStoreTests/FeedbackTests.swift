import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite("Feedback by name", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct FeedbackTests {
    private static func feedback(
        _ id: String, _ name: String = "like", _ type: InteractionType = .click, user: String = "u1", item: String = "i1",
        value: Double = 0, at: Int64 = 0, offset: Int64 = 0, more: String = ""
    ) -> Interaction {
        var event = event(id, type, user: user, item: item, at: at, offset: offset)
        event.context = #"{"feedback_type":"\#(name)","value":\#(value)\#(more)}"#
        if type == .purchase { (event.amountMinor, event.currency, event.quantity) = (1_999, "EUR", 1) }
        event.payloadHash = event.contentHash()
        return event
    }

    private static func retraction(_ item: String, _ name: String? = nil, behind offset: Int64, user: String = "u1") -> IngestBatch {
        var batch = IngestBatch()
        batch.retractions = [
            Retraction(userID: user, itemID: item, feedbackType: name, position: Position(partition: 0, offset: offset))
        ]
        return batch
    }

    @Test("values add up over distinct events, and a repeat counts once")
    func sums() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        let first = Self.feedback("a", value: 2, at: 1_000, more: #","labels":{"x":[1,2.50]},"comment":"old""#)
        let second = Self.feedback("b", value: 0.5, at: 500, offset: 1, more: #","comment":"older""#)
        for _ in 0..<3 { _ = try store.commit(IngestBatch(interactions: [first, second, Self.feedback("c", "read", offset: 2)])) }
        let found = try queries.feedback(FeedbackFilter(userID: "u1"), limit: 10)
        #expect(found.map(\.type) == ["like", "read"])
        #expect(found[0].value == 2.5 && found[0].time == time(500) && found[0].updated == time(1_000))
        #expect(found[0].labels == #"{"x":[1,2.50]}"# && found[0].comment == "old")
        #expect(try queries.feedback(FeedbackFilter(itemID: "i1", type: "read"), limit: 10).count == 1)
        #expect(try queries.userFeatures("u1")?.clicks == 3)
    }

    @Test("what is taken back leaves counters, history, exclusions and the log as if it had never come")
    func takenBack() async throws {
        let (with, without) = (try TestDatabase(), try TestDatabase())
        let rules = FeatureRules(historyLimitEvents: 5)
        let stores = try [with, without].map { try IngestStore(url: $0.url, rules: rules) }
        var others: [Interaction] = []
        for number in 0..<9 {
            let type: InteractionType = number % 3 == 0 ? .purchase : .click
            others.append(event("o\(number)", type, item: "i\(number % 4)", at: Int64(number) * 86_400_000, offset: Int64(number)))
        }
        for store in stores { _ = try store.commit(IngestBatch(interactions: others)) }
        // Of the pair there is an event that stays: it came otherwise.
        let own = [
            Self.feedback("f1", "like", item: "i1", value: 1, at: 20 * 86_400_000, offset: 20),
            Self.feedback("f2", "buy", .purchase, item: "i1", value: 1, at: 21 * 86_400_000, offset: 21),
            Self.feedback("f3", "like", item: "new", at: 22 * 86_400_000, offset: 22),
        ]
        _ = try stores[0].commit(IngestBatch(interactions: own))
        _ = try stores[0].commit(Self.retraction("i1", behind: 30))
        _ = try stores[0].commit(Self.retraction("new", "other", behind: 31))
        let queries = [with, without].map { StoreQueries(url: $0.url, rules: rules) }
        #expect(try queries[0].feedback(FeedbackFilter(userID: "u1"), limit: 10).map(\.itemID) == ["new"])
        _ = try stores[0].commit(Self.retraction("new", "like", behind: 32))
        #expect(try queries[0].feedback(FeedbackFilter(userID: "u1"), limit: 10).isEmpty)
        let (item, plain) = (try queries[0].itemFeatures(["i0", "i1", "i2", "i3"]), try queries[1].itemFeatures(["i0", "i1", "i2", "i3"]))
        for (left, right) in zip(item, plain) {
            #expect(left.clicks == right.clicks && left.purchases == right.purchases && left.units == right.units)
            #expect(left.revenueMinor.filter { $0.value != 0 } == right.revenueMinor)
        }
        let (user, same) = (try #require(try queries[0].userFeatures("u1")), try #require(try queries[1].userFeatures("u1")))
        #expect(user.clicks == same.clicks && user.purchases == same.purchases)
        #expect(!user.history.entries.contains { $0.itemID == "new" })
        #expect(try with.sql("select count(*) from interactions") == "9")
        let states = try [with, without].map { try UserStateReader(url: $0.url, rules: rules) }
        let ways: [InteractionType] = [.click, .purchase]
        let read = try await states[0].read(userID: "u1", exclude: ways)
        let expected = try await states[1].read(userID: "u1", exclude: ways)
        #expect(Set(read.excludedItemIDs) == Set(expected.excludedItemIDs))
        for state in states { state.close() }
    }

    @Test("what stands behind a deletion in its partition stays, also in one batch; more events follow")
    func order() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        var batch = Self.retraction("i1", behind: 5)
        batch.interactions = [Self.feedback("a", value: 1, offset: 4), Self.feedback("b", value: 7, at: 1, offset: 6)]
        _ = try store.commit(batch)
        #expect(try queries.feedback(FeedbackFilter(userID: "u1"), limit: 10).map(\.value) == [7])
        _ = try store.commit(IngestBatch(interactions: [Self.feedback("c", value: 1, at: 2, offset: 7)]))
        #expect(try queries.feedback(FeedbackFilter(userID: "u1"), limit: 10).map(\.value) == [8])
        #expect(try queries.userFeatures("u1")?.clicks == 2)
        // Deleted, it may be sent again and counts again.
        _ = try store.commit(Self.retraction("i1", behind: 8))
        _ = try store.commit(IngestBatch(interactions: [Self.feedback("c", value: 1, at: 2, offset: 9)]))
        #expect(try queries.feedback(FeedbackFilter(userID: "u1"), limit: 10).map(\.value) == [1])
        #expect(try queries.userFeatures("u1")?.history.entries.count == 1)
    }

    @Test("it goes with its user and its item, and is in what is told of a person")
    func erased() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        _ = try store.commit(
            IngestBatch(interactions: [
                Self.feedback("a", item: "i1"), Self.feedback("b", item: "i2", offset: 1),
                Self.feedback("c", user: "u2", item: "i2", offset: 2),
            ]))
        var export = try #require(try queries.export(of: "u1")), lines: [String] = []
        while let page = try export.nextPage(queries) { lines += page }
        #expect(lines.count { $0.contains(#""kind":"feedback""#) } == 2)
        let origin = RecordOrigin(source: "items", cluster: "k", position: Position(partition: 0, offset: 0), recordTime: time(9))
        _ = try store.commit(IngestBatch(items: [(.delete(id: "i1", at: time(9)), origin)]))
        #expect(try queries.feedback(FeedbackFilter(), limit: 10).map(\.itemID) == ["i2", "i2"])
        try queries.eraseUser("u1")
        #expect(try queries.feedback(FeedbackFilter(), limit: 10).map(\.userID) == ["u2"])
    }

    @Test("pages go on where the last one ended; lists are in the order of ids; titles are searched by words")
    func lists() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        let origin = RecordOrigin(source: "items", cluster: "k", position: Position(partition: 0, offset: 0), recordTime: time(9))
        let items = ["1", "10", "100", "2"].map { ItemRecord(itemID: $0, title: "Story \($0) 100%", categories: ["a", "b"]) }
        var batch = IngestBatch(items: items.map { (.upsert($0), origin) })
        batch.interactions = (0..<25).map { Self.feedback("e\($0)", "t\($0 % 3)", user: "u\($0 % 5)", item: "\($0)", offset: Int64($0)) }
        _ = try store.commit(batch)
        var seen: [Feedback] = [], place: FeedbackPlace?
        while true {
            let page = try queries.feedback(FeedbackFilter(), after: place, limit: 4)
            guard let last = page.last else { break }
            seen += page
            place = FeedbackPlace(userID: last.userID, itemID: last.itemID, type: last.type)
        }
        #expect(seen.count == 25 && Set(seen.map(\.itemID)).count == 25)
        #expect(try queries.items(after: "", limit: 3).map(\.itemID) == ["1", "10", "100"])
        #expect(try queries.items(after: "100", limit: 3).map(\.itemID) == ["2"])
        #expect(try queries.users(after: "u1", limit: 2).map(\.userID) == ["u2", "u3"])
        #expect(try queries.items(titled: ["story", "100%"], limit: 9).count == 4)
        #expect(try queries.items(titled: ["story", "2 1"], limit: 9).map(\.itemID) == ["2"])
        #expect(try queries.items(titled: ["100_"], limit: 9).isEmpty)
        #expect(try queries.unknownItems(among: ["1", "new", "100"]) == ["new"])
    }
}
