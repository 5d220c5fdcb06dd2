import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

/// What excludes items stays exact for users with more events than a history holds.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct MetItemsTests {
    private static let rules = FeatureRules(historyLimitEvents: 20)
    /// Events lie so far apart that an erasure between two of them takes only the one before.
    private static let minutes: Int64 = 600_000

    /// 300 events of four users with items of their own, the kinds mixed; two users stay within the limit of a history.
    private static func events() -> [Interaction] {
        var numbers = SeededNumbers(state: 5)
        return (0..<300).map { index in
            let user = index < 280 ? index % 2 : 2 + index % 2
            let type = InteractionType.allCases[Int.random(in: 0..<4, using: &numbers)]
            return event(
                "e\(index)", type, user: "u\(user)", item: "item-\(Int.random(in: 0..<90, using: &numbers))",
                at: Int64(index * 7 % 300) * minutes,
                offset: Int64(index), hash: UInt64(index))
        }
    }

    private static func expected(_ events: [Interaction], _ user: String, _ types: [InteractionType]) -> Set<String> {
        Set(events.filter { $0.userID == user && types.contains($0.type) }.map(\.itemID))
    }

    @Test func everyOrderAndSizeOfBatchesExcludesTheSameItems() async throws {
        let events = Self.events()
        var contents: [String] = []
        for (size, seed) in [(300, 0), (1, 1), (7, 2), (64, 3)] {
            let database = try TestDatabase()
            let store = try IngestStore(url: database.url, rules: Self.rules)
            var order = events
            if seed > 0 {
                var numbers = SeededNumbers(state: UInt64(seed))
                order.shuffle(using: &numbers)
            }
            for start in stride(from: 0, to: order.count, by: size) {
                let part = Array(order[start..<min(order.count, start + size)])
                var delta = FeatureDelta(rules: Self.rules)
                delta.fold(part)
                #expect(try store.commit(IngestBatch(interactions: part, prefolded: delta)).stored == part.count)
                // A repeat takes the other way through the store and changes nothing.
                if start % 3 == 0 { #expect(try store.commit(IngestBatch(interactions: part)).duplicates == part.count) }
            }
            let reader = try UserStateReader(url: database.url, rules: Self.rules)
            for user in ["u0", "u1", "u2", "u3"] {
                for types in [[InteractionType.purchase], [.click, .addToCart], [.click, .addToCart, .purchase]] {
                    let state = try await reader.read(userID: user, exclude: types), excluded = state.excludedItemIDs
                    #expect(Set(excluded) == Self.expected(events, user, types), "\(user) \(types) in batches of \(size)")
                    #expect(Set(excluded).count == excluded.count)
                    // Of each the ways in which it was met, also where the history has forgotten some.
                    for (item, ways) in zip(excluded, state.excludedWays) {
                        let own = types.filter { Self.expected(events, user, [$0]).contains(item) }
                        #expect(ways == own.reduce(0) { $0 | 1 << $1.rawValue }, "\(user) \(item)")
                    }
                    #expect(state.excludedWays.count == excluded.count)
                }
                #expect(try await reader.read(userID: user, exclude: []).excludedItemIDs.isEmpty)
            }
            #expect(try database.sql("select user_id from user_features where met_items is not null order by 1") == "u0\nu1")
            contents.append(try database.sql("select * from user_features order by 1"))
        }
        #expect(Set(contents).count == 1)
    }

    @Test func aSmallerHistoryThanBeforeForgetsNothing() async throws {
        let database = try TestDatabase()
        let events = (0..<15).map { event("e\($0)", .click, item: "i\($0)", at: Int64($0), offset: Int64($0)) }
        _ = try IngestStore(url: database.url, rules: Self.rules).commit(IngestBatch(interactions: events))
        let smaller = FeatureRules(historyLimitEvents: 5)
        _ = try IngestStore(url: database.url, rules: smaller).commit(
            IngestBatch(interactions: [event("late", .purchase, item: "i99", at: -5)]))
        let state = try await UserStateReader(url: database.url, rules: smaller).read(userID: "u1", exclude: [.click, .purchase])
        #expect(state.history.entries.map(\.itemID) == (10..<15).map { "i\($0)" })
        #expect(Set(state.excludedItemIDs) == Set((0..<15).map { "i\($0)" } + ["i99"]))
    }

    @Test func erasureFindsEveryInteractionOfAUserWithMoreThanAHistory() async throws {
        let events = Self.events()
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: Self.rules)
        _ = try store.commit(IngestBatch(interactions: events))
        // At a time between the events: the later ones stay and are folded as if there were no others.
        let cut = 150 * Self.minutes
        _ = try store.commit(IngestBatch(users: ["u1", "u2"].map { (.delete(id: $0, at: time(cut)), origin(1)) }))
        _ = try ErasureWork(url: database.url, rules: Self.rules).finish()
        for user in ["u0", "u1", "u2", "u3"] {
            let kept = events.filter { $0.userID == user && (user == "u0" || user == "u3" || $0.time > time(cut)) }
            #expect(try database.sql("select count(*) from interactions where user_id = '\(user)'") == "\(kept.count)", "\(user)")
            let fresh = try TestDatabase()
            _ = try IngestStore(url: fresh.url, rules: Self.rules).commit(IngestBatch(interactions: kept))
            let row = "select * from user_features where user_id = '\(user)'"
            #expect(try database.sql(row) == fresh.sql(row), "\(user)")
        }
        // The row that the store had cached is gone: the next events of the user start from what is stored.
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: time(1_000 * Self.minutes)), origin(2))]))
        _ = try store.commit(IngestBatch(interactions: [event("back", .click, user: "u1", item: "new", at: 2_000 * Self.minutes)]))
        let state = try await UserStateReader(url: database.url, rules: Self.rules).read(
            userID: "u1", exclude: [.click, .addToCart, .purchase])
        #expect(state.excludedItemIDs == ["new"])
    }

    @Test func idsThatDifferOnlyInTheirUnicodeSpellingLoseNoRow() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        // One text for Swift, two for the database: e-acute as one scalar, and as e with a combining accent.
        let spellings = ["caf\u{E9}", "cafe\u{301}"]
        #expect(spellings[0] == spellings[1])
        var sent: [Interaction] = []
        for (index, spelling) in spellings.enumerated() {
            sent.append(event(spelling, user: spelling, item: spelling, offset: Int64(index), hash: UInt64(index)))
        }
        #expect(try store.commit(IngestBatch(interactions: sent)).stored == 2)
        #expect(try store.commit(IngestBatch(interactions: sent)).duplicates == 2)
        for (index, spelling) in spellings.reversed().enumerated() {
            let next = event("next\(index)", user: spelling, item: spelling, at: 5, offset: Int64(10 + index))
            #expect(try store.commit(IngestBatch(interactions: [next])).stored == 1)
        }
        #expect(try database.sql("select count(*), count(distinct event_id), count(distinct user_id) from interactions") == "4|4|2")
        #expect(try database.sql("select sum(clicks) from user_features") == "4")
        #expect(try database.sql("select sum(clicks) from item_features") == "4")
    }
}
