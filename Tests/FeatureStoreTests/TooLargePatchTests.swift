import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

@Suite("A patch that makes attributes too large is one dead letter", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct TooLargePatchTests {
    private static func change(_ isUser: Bool, _ fields: String, at: Int64) throws -> IngestBatch {
        var text = #"{"\#(isUser ? "user" : "item")_id":"x","patch":true,\#(fields)}"#
        let origin = origin(at, source: isUser ? "freshet.users" : "freshet.items", at: time(at)), now = time(1 << 40)
        if isUser {
            let change = try text.withUTF8 { try RecordDecoder().userChange(UnsafeRawBufferPointer($0), origin: origin, now: now).get() }
            return IngestBatch(users: [(change: change, origin: origin)])
        }
        let change = try text.withUTF8 { try RecordDecoder().itemChange(UnsafeRawBufferPointer($0), origin: origin, now: now).get() }
        return IngestBatch(items: [(change: change, origin: origin)])
    }

    /// Commits changes in batches of a size.
    private static func commit(_ changes: [IngestBatch], by size: Int, _ store: IngestStore) throws {
        for first in stride(from: 0, to: changes.count, by: size) {
            let part = changes[first..<min(first + size, changes.count)]
            _ = try store.commit(IngestBatch(items: part.flatMap(\.items), users: part.flatMap(\.users)))
        }
    }

    private static func store(_ database: TestDatabase) throws -> IngestStore {
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let user = UserRecord(userID: "x", attributes: #"{"k":"kept"}"#, updatedAt: time(1))
        let item = ItemRecord(itemID: "x", attributes: #"{"k":"kept"}"#, updatedAt: time(1))
        _ = try store.commit(IngestBatch(items: [(.upsert(item), origin(1))], users: [(.upsert(user), origin(1))]))
        return store
    }

    private static let letters = """
        select string_agg(code || ' ' || field || ' ' || coalesce(convert_from(key, 'UTF8'), '-') || ' ' || source || ' ' || "offset", ';'
            order by id) from dead_letters
        """

    @Test("and the others of its batch count, wherever batches begin and end, of items and of users", arguments: [false, true])
    func oneOfThree(isUser: Bool) throws {
        let big = String(repeating: "x", count: 16_370), own = isUser ? #""aliases":["session:s"]"# : #""stock":4"#
        let changes = try [#""attributes":{"a":1}"#, #""attributes":{"big":"\#(big)"},\#(own)"#, #""attributes":{"b":2}"#].enumerated()
            .map { try Self.change(isUser, $1, at: Int64($0) + 20) }
        for size in 1...3 {
            let database = try TestDatabase(), store = try Self.store(database), table = isUser ? "users" : "items"
            for round in 0..<2 {
                // Redelivered, and sent again: nothing is lost, and nothing is told twice.
                try Self.commit(changes, by: size, store)
                #expect(
                    try database.sql("select attributes from \(table)") == #"{"a": 1, "b": 2, "k": "kept"}"#, "by \(size), \(round)")
                let topic = isUser ? "freshet.users" : "freshet.items"
                #expect(try database.sql(Self.letters) == "too_large attributes x \(topic) 21")
                #expect(try database.sql("select \(isUser ? "aliases::text" : "stock") from \(table)") == (isUser ? "{session:s}" : "4"))
            }
            // Once the record is smaller, what the letter holds can be sent again, as of its own time.
            let payload = try database.sql("select convert_from(payload, 'UTF8') from dead_letters")
            #expect(payload.contains(#""updated_at":"#) && payload.contains(big))
        }
    }

    @Test("by members as by bytes: letters and rows agree", arguments: [false, true])
    func elevenOfAHundred(isUser: Bool) throws {
        let changes = try (0..<11).map { number in
            let members = (0..<100).map { #""m\#(number * 100 + $0)":\#($0)"# }.joined(separator: ",")
            return try Self.change(isUser, #""attributes":{\#(members)}"#, at: Int64(number) + 20)
        }
        for size in [1, 4, 11] {
            let database = try TestDatabase(), store = try Self.store(database), table = isUser ? "users" : "items"
            try Self.commit(changes, by: size, store)
            // One came with the whole record.
            #expect(try database.sql("select count(*) from \(table), jsonb_object_keys(attributes)") == "1001")
            #expect(try database.sql("select count(*), min(\"offset\") from dead_letters") == "1|30", "batches of \(size)")
        }
    }

    @Test("what waits for a record is held to the bounds with it, in the order in which it came")
    func waiting() throws {
        let half = String(repeating: "x", count: 9_000)
        let changes = try [
            #""attributes":{"a":"\#(half)"}"#, #""attributes":{"b":"\#(half)"}"#, #""attributes":{"c":"\#(half)"},"stock":4"#,
        ].enumerated().map { try Self.change(false, $1, at: Int64($0) + 20) }
        for size in 1...3 {
            let database = try TestDatabase(), store = try IngestStore(url: database.url, rules: FeatureRules())
            try Self.commit(changes, by: size, store)
            #expect(try database.sql("select string_agg(named, ';' order by named) from waiting_patches")
                == #""attributes/a";"attributes/b";"stock","attributes/c""#)
            #expect(try database.sql("select count(*) from dead_letters") == "0")
            _ = try store.commit(IngestBatch(items: [(.upsert(ItemRecord(itemID: "x", updatedAt: time(1))), origin(1))]))
            #expect(try database.sql("select string_agg(key, ',') from items, jsonb_object_keys(attributes) key") == "a")
            #expect(try database.sql("select stock from items") == "4")
            #expect(try database.sql(#"select string_agg("offset"::text, ',' order by "offset") from dead_letters"#) == "21,22")
        }
    }

    @Test("a whole record loses nothing that patches stated after it, and sets the count back")
    func whole() throws {
        let database = try TestDatabase(), store = try Self.store(database)
        try Self.commit([try Self.change(false, #""attributes":{"a":1}"#, at: 50)], by: 1, store)
        let text = String(repeating: "x", count: 20_000)
        let late = ItemRecord(itemID: "x", attributes: #"{"long":"\#(text)"}"#, updatedAt: time(40))
        _ = try store.commit(IngestBatch(items: [(.upsert(late), origin(2))]))
        #expect(try database.sql("select string_agg(key, ',' order by key) from items, jsonb_object_keys(attributes) key") == "a,long")
        #expect(try database.sql("select count(*) from dead_letters") == "0")
    }
}
