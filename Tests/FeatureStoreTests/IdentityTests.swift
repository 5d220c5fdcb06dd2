import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

@Suite("Ids that are joined by events, and persons named by an alias", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct IdentityTests {
    private static func decoded(_ json: String) throws -> Identity? {
        try Array(json.utf8).withUnsafeBytes { bytes in
            try RecordDecoder(rules: DecodingRules()).identity(bytes, origin: origin(1), now: time(0)).get()
        }
    }

    @Test("an event of type identify names a user and another id; anything else is refused with the field")
    func decoding() throws {
        let one = try Self.decoded(#"{"type":"identify","user_id":"u1","anonymous_id":"session:s","timestamp":1790000000000}"#)
        #expect(one == Identity(userID: "u1", alias: "session:s", time: time(0)))
        #expect(try Self.decoded(#"{"type":"identify","user_id":7,"anonymous_id":8}"#) == Identity(userID: "7", alias: "8"))
        #expect(try Self.decoded(#"{"type":"click","user_id":"u1","anonymous_id":"s"}"#) == nil)
        for (json, field) in [
            (#"{"type":"identify","user_id":"u1"}"#, "anonymous_id"), (#"{"type":"identify","anonymous_id":"u1"}"#, "user_id"),
            (#"{"type":"identify","user_id":"u1","anonymous_id":""}"#, "anonymous_id"),
            (#"{"type":"identify","user_id":"u1","anonymous_id":"a","timestamp":"yesterday"}"#, "timestamp"),
            (#"{"type":"identify","user_id":"u1","anonymous_id":"a","timestamp":1800000000000}"#, "timestamp"),
        ] {
            let refusal = #expect(throws: Rejection.self) { try Self.decoded(json) }
            #expect(refusal?.field == field, "\(json)")
        }
    }

    @Test("joined ids stand beside those of the record, whichever comes first; records keep their attributes; repeats change nothing")
    func joined() async throws {
        let shop = try PersonStore()
        try shop.take([event("a", user: "session:s", item: "i7", at: 1)])
        #expect(try shop.identify([("u", "session:s", 10), ("u", "session:s", 10)]).usersChanged == 1)
        let states = try UserStateReader(url: shop.database.url)
        defer { states.close() }
        #expect(try await states.read(userID: "u", exclude: []).history.entries.map(\.itemID) == ["i7"])
        // A record of any age replaces the bare one, and its own aliases only.
        _ = try shop.store.commit(
            IngestBatch(users: [
                (.upsert(UserRecord(userID: "u", attributes: #"{"age":"25"}"#, aliases: ["app:1"], updatedAt: time(2))), origin(1))
            ]))
        #expect(try shop.queries.user("u")?.aliases == ["app:1", "session:s"])
        #expect(try shop.identify([("u", "session:s", 30), ("u", "app:1", 31)]).usersChanged == 0)
        try shop.identify([("u", "session:t", 20)])
        let record = try #require(try shop.queries.user("u"))
        #expect(record.aliases == ["app:1", "session:s", "session:t"] && record.attributes == #"{"age": "25"}"#)
        try shop.say("u", nil, at: 50)
        #expect(Set(try shop.queries.user("u")?.aliases ?? []) == ["app:1", "session:s", "session:t"])
        #expect(try shop.database.sql("select count(*) from identities") == "3")
    }

    @Test("more ids than a person may have are kept in the table and read up to the bound")
    func bound() throws {
        let shop = try PersonStore()
        try shop.say("u", nil, aliases: ["own"], at: 1)
        try shop.identify((0..<1_100).map { ("u", "d\($0)", Int64($0)) })
        let aliases = try shop.queries.user("u")?.aliases ?? []
        #expect(aliases.count == 1_000 && aliases.first == "own" && aliases.contains("d1099"))
        #expect(try shop.database.sql("select count(*) from identities") == "1100")
    }

    @Test("an erasure takes joined ids, also those that an event joins too late")
    func erased() throws {
        let shop = try PersonStore()
        try shop.take([
            event("a", user: "u", at: 1), event("b", user: "d1", at: 2, offset: 1), event("c", user: "d2", at: 3, offset: 2),
        ])
        try shop.identify([("u", "d1", 5)])
        _ = try shop.store.commit(IngestBatch(users: [(.delete(id: "u", at: time(1_000)), origin(1))]))
        try shop.identify([("u", "d2", 6)])
        try shop.identify([("u", "d3", 2_000)])
        _ = try ErasureWork(url: shop.database.url, rules: FeatureRules()).finish()
        #expect(try shop.database.sql("select count(*) from interactions") == "0")
        #expect(try shop.database.sql("select user_id || alias from identities") == "ud3", "who comes back is somebody")
        #expect(try shop.database.sql("select aliases from users") == "{d3}")
    }

    @Test("a person is erased by an alias that is theirs alone; of one that several share only its own data go")
    func byAlias() throws {
        let shop = try PersonStore()
        try shop.say("u", nil, aliases: ["mail:u", "shared"], at: 1)
        try shop.say("v", nil, aliases: ["shared"], at: 1)
        try shop.take([
            event("a", user: "u", at: 1), event("b", user: "v", at: 2, offset: 1), event("c", user: "shared", at: 3, offset: 2),
        ])
        func users() throws -> String {
            _ = try ErasureWork(url: shop.database.url, rules: FeatureRules()).finish()
            return try shop.database.sql("select coalesce(string_agg(user_id, ' ' order by user_id), '') from interactions")
        }
        _ = try shop.store.commit(IngestBatch(users: [(.delete(id: "shared", at: time(1_000)), origin(1))]))
        #expect(try users() == "u v")
        _ = try shop.store.commit(IngestBatch(users: [(.delete(id: "mail:u", at: time(1_000)), origin(2))]))
        #expect(try users() == "v")
        #expect(try shop.database.sql("select string_agg(user_id, ' ' order by user_id) from erasures") == "mail:u shared u")
        #expect(try shop.tablesHolding("mail:u") == ["erasures"])
        // A replay brings nobody back.
        try shop.say("u", nil, aliases: ["mail:u", "shared"], at: 1)
        #expect(try shop.take([event("a", user: "u", at: 1)]).erased == 1)
        #expect(try shop.database.sql("select string_agg(user_id, ' ') from users") == "v")
    }

    @Test("the export has wishes and joined ids, and names nobody else's")
    func export() throws {
        let shop = try PersonStore()
        try shop.say("u", false, at: 1)
        try shop.identify([("u", "d", 5), ("w", "d", 6)])
        var export = try #require(try shop.queries.export(of: "u"))
        var lines: [String] = []
        while let page = try export.nextPage(shop.queries) { lines += page }
        #expect(export.ids == ["u", "d"])
        #expect(lines.count { $0.contains(#""kind":"wish""#) } == 2 && lines.count { $0.contains(#""kind":"identity""#) } == 1)
        #expect(!lines.contains { $0.contains(#""w""#) })
    }
}
