import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

@Suite("People who are silent for long are erased, and may come back", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct IdleUsersTests {
    private static let day: Int64 = 86_400_000

    /// Whom a round erases after `days` of silence before the newest event.
    private static func erased(_ shop: PersonStore, days: Int) throws -> [String] {
        func known() throws -> [String] {
            try shop.database.sql("select user_id from erasures where idle order by user_id").split(separator: "\n").map(String.init)
        }
        let before = try known()
        let count = try IdleUsers(url: shop.database.url, idleDays: days, followsData: true).finish()
        _ = try ErasureWork(url: shop.database.url, rules: FeatureRules()).finish()
        let new = try known().filter { !before.contains($0) }
        #expect(count == new.count)
        return new
    }

    @Test("by the newest of events, records, wishes and joined ids of all their ids; whom others share stays")
    func silence() throws {
        let shop = try PersonStore()
        try shop.take([
            event("a", user: "gone", at: 0), event("b", user: "here", at: 95 * Self.day, offset: 1),
            event("c", user: "session:old", at: 1, offset: 2), event("d", user: "session:new", at: 95 * Self.day, offset: 3),
            event("e", user: "session:alone", at: 2, offset: 4), event("f", user: "common", at: 3, offset: 5),
            event("now", user: "clock", at: 100 * Self.day, offset: 6),
        ])
        try shop.say("gone", nil, aliases: ["session:old"], at: 5)
        try shop.say("active", nil, aliases: ["session:new"], at: 6)
        try shop.say("quiet record", nil, at: 7)
        try shop.say("new record", nil, at: 99 * Self.day)
        try shop.say("said no", false, at: 99 * Self.day)
        try shop.say("said no", nil, at: 0)
        try shop.say("one of two", nil, aliases: ["common"], at: 8)
        try shop.say("other of two", nil, aliases: ["common"], at: 99 * Self.day)
        try shop.identify([("identified", "device:1", 99 * Self.day)])
        _ = try shop.store.commit(IngestBatch(users: [(.upsert(UserRecord(userID: "undated")), origin(1))]))
        #expect(try Self.erased(shop, days: 200) == [])
        #expect(try Self.erased(shop, days: 30) == ["gone", "quiet record", "session:alone"])
        #expect(try shop.tablesHolding("gone") == ["erasures"] && shop.tablesHolding("session:old") == ["erasures"])
        #expect(try Self.erased(shop, days: 30) == [], "once")
        #expect(try shop.queries.watchedFigures().idleErasures == 3)
        // What was before the silence stays away; who comes back is there.
        let summary = try shop.take([event("a", user: "gone", at: 0), event("z", user: "gone", item: "i9", at: 101 * Self.day, offset: 9)])
        #expect(summary.erased == 1 && summary.stored == 1)
        #expect(try shop.database.sql("select clicks from user_features where user_id = 'gone'") == "1")
    }

    private static func patch(_ user: String, at: Int64) throws -> (change: RecordChange<UserRecord>, origin: RecordOrigin) {
        var text = #"{"user_id":"\#(user)","patch":true,"attributes":{"a":1}}"#
        let origin = origin(at, source: "freshet.users", at: time(at))
        let change = text.withUTF8 { RecordDecoder().userChange(UnsafeRawBufferPointer($0), origin: origin, now: time(1 << 40)) }
        return (try change.get(), origin)
    }

    @Test("a patch is a sign of life, also of whom nothing else is known, and who was erased is not erased again")
    func patches() throws {
        let shop = try PersonStore()
        try shop.take([event("a", user: "old", at: 0), event("now", user: "clock", at: 10 * Self.day, offset: 6)])
        for user in ["old", "record"] { try shop.say(user, nil, at: 5) }
        let new = 9 * Self.day
        _ = try shop.store.commit(
            IngestBatch(
                users: [try Self.patch("old", at: new), try Self.patch("record", at: new + 1), try Self.patch("bare", at: new + 2)]))
        _ = try shop.store.commit(IngestBatch(users: [try Self.patch("silent", at: 9), try Self.patch("both", at: 10)]))
        try shop.say("both", nil, at: 8)
        // A round looks at everybody; nothing new came before the second one.
        #expect(try Self.erased(shop, days: 3) == ["both", "silent"])
        for _ in 0..<2 {
            let again = try IdleUsers(url: shop.database.url, idleDays: 3, followsData: true).finish()
            #expect(again == 0)
        }
        #expect(try shop.database.sql("select string_agg(user_id, ',' order by user_id) from users") == "bare,old,record")
        // Whom somebody asks to erase in between, and who said something after it, is left with that.
        _ = try shop.store.commit(IngestBatch(users: [(.delete(id: "old", at: time(5 * Self.day)), origin(3))]))
        #expect(try Self.erased(shop, days: 3) == [])
        #expect(try shop.queries.user("old")?.attributes == #"{"a": 1}"#)
    }

    @Test("pages and transactions end somewhere: of thousands of people each silent one is erased once")
    func pages() throws {
        let shop = try PersonStore()
        try shop.take(
            (0..<2_500).map { event("e\($0)", user: "u\($0)", at: $0.isMultiple(of: 10) ? Int64($0) : 99 * Self.day, offset: Int64($0)) })
        #expect(try Self.erased(shop, days: 30).count == 250)
        #expect(try shop.database.sql("select (select count(*) from user_features), (select count(*) from interactions)") == "2250|2250")
    }

    @Test("an empty database and one without old events are left alone, by either clock")
    func nothing() throws {
        let shop = try PersonStore()
        for follows in [true, false] {
            let count = try IdleUsers(url: shop.database.url, idleDays: 1, followsData: follows).finish()
            #expect(count == 0)
        }
        try shop.take([event("a", at: 0)])
        #expect(try Self.erased(shop, days: 1) == [])
    }
}
