import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

/// What a store holds for tests: one consumer, one batch after the other.
struct PersonStore {
    let database: TestDatabase
    let store: IngestStore
    let queries: StoreQueries

    init() throws {
        database = try TestDatabase()
        store = try IngestStore(url: database.url, rules: FeatureRules())
        queries = StoreQueries(url: database.url)
    }

    @discardableResult
    func say(_ user: String, _ personalised: Bool?, aliases: [String] = [], at: Int64) throws -> IngestSummary {
        try store.commit(IngestBatch(users: [Self.record(user, personalised, aliases: aliases, at: at)]))
    }

    static func record(
        _ user: String, _ personalised: Bool?, aliases: [String] = [], at: Int64
    ) -> (change: RecordChange<UserRecord>, origin: RecordOrigin) {
        (.upsert(UserRecord(userID: user, aliases: aliases, updatedAt: time(at), personalised: personalised)), origin(at))
    }

    static func folded(_ events: [Interaction]) -> IngestBatch {
        var delta = FeatureDelta(rules: FeatureRules())
        delta.fold(events)
        return IngestBatch(interactions: events, prefolded: delta)
    }

    @discardableResult
    func take(_ events: [Interaction]) throws -> IngestSummary { try store.commit(Self.folded(events)) }

    /// A batch of identities, each `user`, `alias`, time.
    @discardableResult
    func identify(_ identities: [(String, String, Int64)]) throws -> IngestSummary {
        var batch = IngestBatch()
        batch.identities = identities.map { (Identity(userID: $0.0, alias: $0.1, time: time($0.2)), origin($0.2)) }
        return try store.commit(batch)
    }

    /// Every row of the database that holds a text, by table.
    func tablesHolding(_ text: String) throws -> [String] {
        let tables = try database.sql(
            "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1")
        return try tables.split(separator: "\n").map(String.init).filter { table in
            try database.sql("select count(*) from \(table) t where t::text like '%\(text)%'") != "0"
        }
    }
}

@Suite("What people wish of personalisation", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct WishTests {
    @Test("whose no is stored counts for items only, once, and nothing that names the person comes to be")
    func countsForItems() throws {
        let shop = try PersonStore()
        try shop.say("nina", false, aliases: ["session:n1"], at: 10)
        let events = [
            event("nina-1", user: "nina", item: "i1", at: 20),
            event("nina-2", .purchase, user: "session:n1", item: "i1", at: 21, offset: 1),
            event("other", user: "ole", item: "i1", at: 22, offset: 2),
            event("nina-3", .return, user: "nina", item: "i1", at: 23, offset: 3),
        ]
        let summary = try shop.take(events)
        #expect(summary.stored == 1 && summary.unnamed == 3 && summary.returns.unmatched == 1)
        #expect(try shop.database.sql("select clicks, purchases from item_features") == "2|1")
        #expect(try shop.database.sql("select user_id from interactions union all select user_id from user_features") == "ole\nole")
        // Repeats count once, in any batch and beside what is new.
        let again = try shop.take(events + [event("nina-4", user: "nina", item: "i2", at: 30, offset: 4)])
        #expect(again.stored == 0 && again.unnamed == 1 && again.duplicates == 4)
        #expect(try shop.database.sql("select item_id, clicks, purchases from item_features order by 1") == "i1|2|1\ni2|1|0")
        #expect(try shop.tablesHolding("nina") == ["users", "wishes"] && shop.tablesHolding("session:n1") == ["users", "wishes"])
    }

    @Test("what was stored before is not read, not learned from and not lost; a yes begins without what was done in between")
    func beforeAndAfter() async throws {
        let shop = try PersonStore()
        try shop.take([event("a", user: "u", item: "before", at: 1), event("b", user: "v", item: "x", at: 2, offset: 1)])
        try shop.say("u", false, at: 10)
        let between = [event("c", user: "u", item: "between", at: 20, offset: 2)]
        try shop.take(between)
        let states = try UserStateReader(url: shop.database.url)
        defer { states.close() }
        let state = try await states.read(userID: "u", exclude: [.click])
        #expect(!state.isPersonalised && state.history.entries.isEmpty && state.excludedItemIDs.isEmpty && state.attributes == nil)
        func learned() throws -> [String] {
            var users: [String] = []
            try TrainingSnapshot(url: shop.database.url).forEachInteraction { row throws(StoreError) in users.append(row.userID) }
            return users
        }
        #expect(try learned() == ["v"])
        // An event of before that comes late is not kept either; one that was stored is a repeat.
        let late = try shop.take([event("late", user: "u", item: "late", at: 3, offset: 3), event("a", user: "u", item: "before", at: 1)])
        #expect(late.unnamed == 1 && late.duplicates == 1)
        try shop.say("u", true, at: 100)
        let back = try shop.take(between + [event("d", user: "u", item: "after", at: 120, offset: 4)])
        #expect(back.stored == 1 && back.duplicates == 1)
        let kept = try await states.read(userID: "u", exclude: [.click])
        #expect(kept.isPersonalised && kept.history.entries.map(\.itemID) == ["before", "after"])
        #expect(try learned() == ["u", "u", "v"])
        #expect(try shop.database.sql("select count(*) from item_features where clicks = 1") == "5", "each counted once")
    }

    @Test("the newest word of a person holds for all their ids, whichever record says it and in whichever order they are joined")
    func allIDs() async throws {
        let shop = try PersonStore()
        let states = try UserStateReader(url: shop.database.url)
        defer { states.close() }
        func against() throws -> String {
            try shop.database.sql("select coalesce(string_agg(user_id, ' ' order by user_id), '') from wishes where not personalised")
        }
        // Said by an alias, then joined.
        try shop.say("session:s", false, at: 10)
        try shop.say("u", nil, aliases: ["session:s"], at: 20)
        #expect(try against() == "session:s u")
        // Another id is joined later, by a record and by an event, and an alias of it.
        try shop.say("u", nil, aliases: ["session:s", "app:1"], at: 30)
        try shop.identify([("u", "device:1", 40)])
        #expect(try against() == "app:1 device:1 session:s u")
        // Somebody who shares an id with them is not spoken for.
        try shop.say("w", nil, aliases: ["app:1"], at: 50)
        try shop.take([event("w1", user: "w", at: 55)])
        #expect(try against() == "app:1 device:1 session:s u")
        #expect(try await states.read(userID: "w", exclude: []).history.entries.count == 1)
        // A yes of any record lifts it for all; an older no that comes late does not count.
        try shop.say("u", true, aliases: ["session:s", "app:1"], at: 60)
        try shop.say("app:1", false, at: 59)
        #expect(try against() == "")
        #expect(try await states.read(userID: "u", exclude: []).isPersonalised)
    }

    @Test("a record that says nothing takes no wish back, nor does an erasure; a yes leaves no trace after one")
    func kept() throws {
        let shop = try PersonStore()
        try shop.say("u", false, at: 10)
        try shop.say("u", nil, at: 20)
        try shop.say("y", true, at: 20)
        _ = try shop.store.commit(
            IngestBatch(users: [(.delete(id: "u", at: time(30)), origin(1)), (.delete(id: "y", at: time(30)), origin(2))]))
        _ = try ErasureWork(url: shop.database.url, rules: FeatureRules()).finish()
        #expect(try shop.take([event("back", user: "u", at: 40)]).unnamed == 1)
        #expect(try shop.tablesHolding("u") .contains("wishes") && shop.tablesHolding("y,") == ["erasures"])
    }

    @Test("records and events in one batch: the wish holds for all of the batch; two words in one batch are the newer one")
    func oneBatch() throws {
        let shop = try PersonStore()
        var batch = PersonStore.folded([event("a", user: "u", at: 5), event("b", user: "v", at: 6, offset: 1)])
        batch.users = [
            PersonStore.record("u", false, at: 10), PersonStore.record("v", false, at: 10), PersonStore.record("v", true, at: 11),
        ]
        let summary = try shop.store.commit(batch)
        #expect(summary.unnamed == 1 && summary.stored == 1)
        #expect(try shop.database.sql("select user_id from user_features") == "v")
    }

    @Test("two consumers, any split into batches and a replay of everything leave the same tables", arguments: 0..<4)
    func anyOrder(_ seed: UInt64) throws {
        let events = madeUpEvents(120, seed: 40 + seed, partition: 0, users: 5, items: 4)
        func run(_ step: Int) throws -> [String: String] {
            let shop = try PersonStore(), second = try IngestStore(url: shop.database.url, rules: FeatureRules())
            try shop.say("u0", false, aliases: ["u1"], at: -20)
            try shop.say("u2", nil, aliases: ["u3"], at: -20)
            try shop.say("u3", false, at: -10)
            for _ in 0..<2 {
                for (number, start) in stride(from: 0, to: events.count, by: step).enumerated() {
                    let part = PersonStore.folded(Array(events[start..<min(start + step, events.count)]))
                    _ = try (number.isMultiple(of: 2) ? shop.store : second).commit(part)
                }
            }
            var content = try shop.database.content()
            content["counted_events"] = try shop.database.sql("select * from counted_events order by 1, 2")
            content["wishes"] = try shop.database.sql("select user_id, personalised, wished_at, own, lifted_at from wishes order by 1")
            return content
        }
        let whole = try run(120), pieces = try run(7)
        for (table, rows) in whole { #expect(pieces[table] == rows, "\(table)") }
        #expect(whole["user_features"]?.split(separator: "\n").count == 1, "of five people one is kept")
    }

    @Test("impressions that were shown to nobody in particular count for their items and are kept of nobody")
    func nobody() throws {
        let record = #"{"request_id":"r1","user_id":"who","personalised":false,"timestamp":1790000000000,"#
            + #""items":[{"item_id":"i1"},{"item_id":"i2"}]}"#
        let decoder = RecordDecoder(rules: DecodingRules())
        let now = EventTime(milliseconds: 1_790_000_000_000)
        let shown = try Array(record.utf8).withUnsafeBytes { bytes in
            try decoder.slate(bytes, origin: origin(1), now: now).get()
        }
        #expect(shown.allSatisfy { $0.userID == Interaction.nobody && $0.sessionID == nil })
        let shop = try PersonStore()
        #expect(try shop.take(shown).unnamed == 2 && shop.take(shown).duplicates == 2)
        #expect(try shop.database.sql("select sum(impressions) from item_features") == "2")
        #expect(try shop.database.sql("select (select count(*) from interactions) + (select count(*) from user_features)") == "0")
        #expect(try shop.tablesHolding("who").isEmpty)
    }
}
