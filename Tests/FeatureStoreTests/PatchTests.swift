import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite("Patches change their fields only, the newest of each wins", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct PatchTests {
    private typealias ItemChange = (change: RecordChange<ItemRecord>, origin: RecordOrigin)

    private static func rules(_ unknown: PatchRules.UnknownItems = .wait, limit: Int = 1_000) -> PatchRules {
        var rules = PatchRules()
        (rules.unknownItems, rules.waitingLimitPatches) = (unknown, limit)
        return rules
    }

    private static func store(_ database: TestDatabase, _ rules: PatchRules = PatchRules()) throws -> IngestStore {
        try IngestStore(url: database.url, rules: FeatureRules(), patches: rules)
    }

    private static func item(_ id: String, _ fields: String, at: Int64, offset: Int64 = 0) throws -> ItemChange {
        var text = #"{"item_id":"\#(id)","patch":true,\#(fields)}"#
        let origin = origin(offset, at: time(at))
        let change = text.withUTF8 { RecordDecoder().itemChange(UnsafeRawBufferPointer($0), origin: origin, now: time(1 << 40)) }
        return (try change.get(), origin)
    }

    private static func user(_ id: String, _ fields: String, at: Int64, offset: Int64 = 0) throws
        -> (change: RecordChange<UserRecord>, origin: RecordOrigin)
    {
        var text = #"{"user_id":"\#(id)","patch":true,\#(fields)}"#
        let origin = origin(offset, source: "freshet.users", at: time(at))
        let change = text.withUTF8 { RecordDecoder().userChange(UnsafeRawBufferPointer($0), origin: origin, now: time(1 << 40)) }
        return (try change.get(), origin)
    }

    @Test func aPriceChangesAndAllElseStays() throws {
        let database = try TestDatabase(), store = try Self.store(database), queries = StoreQueries(url: database.url)
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Shoe", updatedAt: 10), upsert("i2", updatedAt: 10)]))
        #expect(try database.sql("select count(*) from items where field_times is not null") == "0")
        let summary = try store.commit(IngestBatch(items: [try Self.item("i1", #""price":79.5,"stock":3"#, at: 20)]))
        #expect(summary.itemsChanged == 1 && summary.catalogueVersion == 2)
        var item = try #require(try queries.item("i1"))
        #expect(item.record.priceMicros == 79_500_000 && item.record.stock == 3 && item.record.currency == "EUR")
        #expect(item.record.title == "Shoe" && item.record.embedding == [0.5, -1] && item.record.updatedAt == time(10))
        #expect(item.record.attributes == #"{"brand": "Acme"}"#)
        // An older patch, and a repeat, change nothing; one that is older in some fields changes the others.
        #expect(try store.commit(IngestBatch(items: [try Self.item("i1", #""price":1"#, at: 15)])).catalogueVersion == nil)
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""price":1,"title":"Boot""#, at: 18)]))
        item = try #require(try queries.item("i1"))
        #expect(item.record.priceMicros == 79_500_000 && item.record.title == "Boot")
        // A whole record that is older than the price keeps it, and a newer one takes all.
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Sandal", updatedAt: 19)]))
        item = try #require(try queries.item("i1"))
        #expect(item.record.priceMicros == 79_500_000 && item.record.title == "Sandal" && item.record.updatedAt == time(19))
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Sandal", updatedAt: 21)]))
        item = try #require(try queries.item("i1"))
        #expect(item.record.priceMicros == 89_900_000 && item.record.stock == nil)
        #expect(try database.sql("select count(*) from items where field_times is not null") == "0")
    }

    @Test func nullRemovesAndMembersOfAttributesChangeOneByOne() throws {
        let database = try TestDatabase(), store = try Self.store(database), queries = StoreQueries(url: database.url)
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Shoe", updatedAt: 10)]))
        _ = try store.commit(
            IngestBatch(items: [try Self.item("i1", #""title":null,"attributes":{"colour":"red","brand":null}"#, at: 20)]))
        var item = try #require(try queries.item("i1"))
        #expect(item.record.title == nil && item.record.attributes == #"{"colour": "red"}"#)
        // The time of what was removed is kept: an older value does not come back.
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""attributes":{"brand":"late","size":4}"#, at: 19)]))
        item = try #require(try queries.item("i1"))
        #expect(item.record.attributes == #"{"size": 4, "colour": "red"}"#)
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""attributes":null,"categories":[]"#, at: 30)]))
        item = try #require(try queries.item("i1"))
        #expect(item.record.attributes == nil && item.record.categories == [])
    }

    /// Changes of few items at times that differ, by two writers whose fields cross over.
    private static func madeUp(_ count: Int, _ numbers: inout SeededNumbers) throws -> [ItemChange] {
        let times = (0..<count).map { Int64($0) * 1_000 }.shuffled(using: &numbers)
        return try times.enumerated().map { number, time in
            let id = "i\(Int.random(in: 0..<4, using: &numbers))"
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0, 1: return upsert(id, title: "whole \(number)", updatedAt: time, offset: Int64(number))
            case 2: return (.delete(id: id, at: FeatureStoreTests.time(time)), origin(Int64(number)))
            case 3, 4: return try item(id, #""price":\#(number),"stock":\#(number)"#, at: time, offset: Int64(number))
            case 5: return try item(id, #""title":"patched \#(number)","price":null"#, at: time, offset: Int64(number))
            case 6: return try item(id, #""attributes":{"brand":null,"n":\#(number)},"hidden":true"#, at: time, offset: Int64(number))
            default: return try item(id, #""stock":null,"attributes":{"n":"\#(number)","m":1}"#, at: time, offset: Int64(number))
            }
        }
    }

    private static let catalogue = """
        select string_agg(concat_ws('|', item_id, title, price_micros, currency, stock, attributes, embedding, hidden, deleted, updated_at,
            field_times), e'\\n' order by item_id) from items
        """
    /// What waits, each by the fields that it states.
    private static let waiting = """
        select string_agg(concat_ws('|', item_id, named, record), e'\\n' order by item_id, named) from waiting_patches
        """

    @Test(arguments: [PatchRules.UnknownItems.wait, .create])
    func anyOrderAndAnyBatchesGiveTheSameRows(unknown: PatchRules.UnknownItems) throws {
        var numbers = SeededNumbers(state: 77)
        for round in 0..<6 {
            let changes = try Self.madeUp(24, &numbers)
            // A record at the end, so that nothing waits that an order could have cut into other pieces.
            let ends = round % 2 == 0 ? (0..<4).map { upsert("i\($0)", title: "end", updatedAt: 11_500, offset: 900) } : []
            var tables: Set<String> = []
            for order in 0..<3 {
                let database = try TestDatabase(), store = try Self.store(database, Self.rules(unknown))
                let sent = order == 0 ? changes + ends : (changes + ends + changes.prefix(4)).shuffled(using: &numbers)
                let size = [1, 5, 40][order]
                for first in stride(from: 0, to: sent.count, by: size) {
                    _ = try store.commit(IngestBatch(items: Array(sent[first..<min(first + size, sent.count)])))
                }
                tables.insert(try database.sql(Self.catalogue) + (ends.isEmpty ? "" : try database.sql(Self.waiting)))
            }
            #expect(tables.count == 1, "round \(round): \(tables.joined(separator: "\n\n"))")
        }
    }

    @Test func aPatchOfAnUnknownItemWaitsForItsRecord() throws {
        let database = try TestDatabase(), store = try Self.store(database), queries = StoreQueries(url: database.url)
        let ahead = try store.commit(
            IngestBatch(items: [
                try Self.item("i1", #""price":5"#, at: 20), try Self.item("i1", #""price":6"#, at: 21),
                try Self.item("i1", #""stock":2"#, at: 5),
            ]))
        #expect(ahead.catalogueVersion == nil && ahead.rejected == 0)
        #expect(try queries.item("i1") == nil)
        #expect(try database.sql("select count(*) from waiting_patches") == "2", "the newer price says all that the older said")
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Shoe", updatedAt: 10)]))
        var item = try #require(try queries.item("i1"))
        #expect(item.record.priceMicros == 6_000_000 && item.record.title == "Shoe" && item.record.stock == nil)
        #expect(try database.sql("select count(*) from waiting_patches") == "0")
        // A deleted item is unknown again, and what is older than its deletion is nothing.
        _ = try store.commit(IngestBatch(items: [(.delete(id: "i1", at: time(30)), origin(1))]))
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""price":7"#, at: 40), try Self.item("i1", #""stock":9"#, at: 29)]))
        #expect(try queries.item("i1")?.isDeleted == true)
        #expect(try database.sql("select string_agg(named, ';') from waiting_patches") == #""price""#)
        // A late deletion makes what came after it wait.
        _ = try store.commit(IngestBatch(items: [upsert("i2", title: "Hat", updatedAt: 10), try Self.item("i2", #""price":8"#, at: 40)]))
        _ = try store.commit(IngestBatch(items: [(.delete(id: "i2", at: time(35)), origin(2))]))
        #expect(try queries.item("i2")?.isDeleted == true)
        _ = try store.commit(IngestBatch(items: [upsert("i2", title: "New hat", updatedAt: 36), upsert("i1", updatedAt: 36)]))
        item = try #require(try queries.item("i2"))
        #expect(item.isAvailable && item.record.priceMicros == 8_000_000 && item.record.title == "New hat")
        #expect(try queries.item("i1")?.record.priceMicros == 7_000_000)
    }

    @Test func aPatchOfAnUnknownItemBecomesABareOne() throws {
        let database = try TestDatabase(), store = try Self.store(database, Self.rules(.create)), queries = StoreQueries(url: database.url)
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""title":"Shoe","price":5"#, at: 20)]))
        var item = try #require(try queries.item("i1"))
        #expect(item.isAvailable && item.record.title == "Shoe" && item.record.priceMicros == 5_000_000 && item.record.currency == "USD")
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Boot", updatedAt: 1)]))
        item = try #require(try queries.item("i1"))
        #expect(item.record.title == "Shoe" && item.record.currency == "EUR" && item.record.embedding == [0.5, -1])
    }

    @Test("the oldest go first, by their own times, also within a batch", arguments: [1, 5])
    func theOldestGo(size: Int) throws {
        let database = try TestDatabase(), store = try Self.store(database, Self.rules(limit: 3))
        let times: [Int64] = [50, 10, 40, 20, 30]
        let patches = try times.enumerated().map { try Self.item("i\($0)", #""price":\#($0)"#, at: $1, offset: Int64($0)) }
        for first in stride(from: 0, to: patches.count, by: size) {
            _ = try store.commit(IngestBatch(items: Array(patches[first..<min(first + size, patches.count)])))
        }
        #expect(try database.sql("select string_agg(item_id, ',' order by item_id) from waiting_patches") == "i0,i2,i4")
        #expect(try database.sql("select string_agg(convert_from(key, 'UTF8'), ',' order by key) from dead_letters") == "i1,i3")
    }

    @Test func whatWaitsIsBounded() throws {
        let database = try TestDatabase(), store = try Self.store(database, Self.rules(limit: 3))
        let patches = try (0..<5).map { try Self.item("i\($0)", #""price":\#($0)"#, at: 20, offset: Int64($0)) }
        let summary = try store.commit(IngestBatch(items: patches))
        #expect(summary.rejected == 2)
        #expect(try database.sql("select string_agg(item_id, ',' order by item_id) from waiting_patches") == "i2,i3,i4")
        let letter = try database.sql(
            "select code, field, convert_from(key, 'UTF8'), convert_from(payload, 'UTF8') from dead_letters order by id limit 1")
        #expect(letter.hasPrefix(#"unknown_item|item_id|i0|{"item_id":"i0","patch":true,"price":0"#))
        // By age, too: any commit of a consumer looks once in a while.
        _ = try database.sql("update waiting_patches set received_at = now() - interval '169 hours' where item_id <> 'i4'")
        let next = try Self.store(database, Self.rules(limit: 3))
        #expect(try next.commit(IngestBatch(interactions: [event("e1")])).rejected == 2)
        #expect(try database.sql("select item_id from waiting_patches") == "i4")
    }

    @Test func attributesThatGrowBeyondTheirBoundAreADeadLetterAndTheRestOfThePatchCounts() throws {
        let database = try TestDatabase(), store = try Self.store(database), queries = StoreQueries(url: database.url)
        let long = String(repeating: "x", count: 9_000)
        _ = try store.commit(IngestBatch(items: [upsert("i1", title: "Shoe", updatedAt: 10)]))
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""attributes":{"a":"\#(long)"}"#, at: 20)]))
        let summary = try store.commit(IngestBatch(items: [try Self.item("i1", #""attributes":{"b":"\#(long)"},"stock":4"#, at: 21)]))
        #expect(summary.rejected == 1)
        let item = try #require(try queries.item("i1"))
        #expect(item.record.stock == 4 && item.record.attributes?.contains("\"b\"") == false)
        #expect(try database.sql("select code || ' ' || field from dead_letters") == "too_large attributes")
    }

    @Test func aFeedOfPricesDoesNotFillTheHistoryOfChanges() throws {
        let database = try TestDatabase(), store = try Self.store(database)
        _ = try store.commit(IngestBatch(items: (0..<20).map { upsert("i\($0)", updatedAt: 1) }))
        for round in 0..<5 {
            let prices = try (0..<20).map { try Self.item("i\($0)", #""price":\#(round)"#, at: Int64(10 + round)) }
            _ = try store.commit(IngestBatch(items: prices))
        }
        #expect(try database.sql("select count(*) from item_changes") == "20", "the record of a moment ago stands for the hour")
        _ = try database.sql("update item_changes set committed_at = now() - interval '2 hours'")
        _ = try store.commit(IngestBatch(items: try (0..<20).map { try Self.item("i\($0)", #""price":9"#, at: 50) }))
        #expect(try database.sql("select count(*) from item_changes") == "40")
        _ = try store.commit(IngestBatch(items: [try Self.item("i1", #""title":"Boot""#, at: 60)]))
        #expect(try database.sql("select count(*) from item_changes") == "41", "what is learned from is kept at once")
        #expect(try database.sql("select count(*) from catalogue_versions") == "9")
    }

    // MARK: Users

    @Test func aPatchOfAUserMakesThemKnownAndCountsByField() throws {
        let database = try TestDatabase(), store = try Self.store(database), queries = StoreQueries(url: database.url)
        _ = try store.commit(IngestBatch(users: [try Self.user("u1", #""attributes":{"age":"25"}"#, at: 20)]))
        #expect(try queries.user("u1")?.attributes == #"{"age": "25"}"#)
        let whole = UserRecord(userID: "u1", attributes: #"{"age":"1","gender":"F"}"#, aliases: ["session:s"], updatedAt: time(10))
        _ = try store.commit(IngestBatch(users: [(.upsert(whole), origin(1))]))
        var user = try #require(try queries.user("u1"))
        #expect(user.attributes == #"{"age": "25", "gender": "F"}"# && user.aliases == ["session:s"] && user.updatedAt == time(10))
        _ = try store.commit(
            IngestBatch(users: [
                try Self.user("u1", #""aliases":null"#, at: 15), try Self.user("u1", #""attributes":{"gender":null}"#, at: 16),
            ]))
        user = try #require(try queries.user("u1"))
        #expect(user.attributes == #"{"age": "25"}"# && user.aliases == [])
        #expect(try store.commit(IngestBatch(users: [(.upsert(whole), origin(2))])).usersChanged == 0)
        var export = try #require(try queries.export(of: "u1"))
        #expect(try export.nextPage(queries)?.first?.contains("field_times") == true)
    }

    @Test func anErasureTakesWhatIsOlderOfAPatchedUserAndAReplayBringsNothingBack() throws {
        let database = try TestDatabase(), store = try Self.store(database), queries = StoreQueries(url: database.url)
        let old = try Self.user("u1", #""attributes":{"age":"25"},"aliases":["session:s9"]"#, at: 20)
        _ = try store.commit(IngestBatch(interactions: [event("e1", user: "session:s9", at: 5)], users: [old]))
        _ = try store.commit(IngestBatch(users: [try Self.user("u1", #""attributes":{"colour":"red"}"#, at: 40)]))
        // Late, from another partition: what came after it stays.
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: nil), origin(1, at: time(30)))]))
        #expect(try queries.user("u1")?.attributes == #"{"colour": "red"}"#)
        #expect(try queries.user("u1")?.aliases == [])
        let summary = try store.commit(IngestBatch(users: [old]))
        #expect(summary.erased == 1)
        #expect(try queries.user("u1")?.attributes == #"{"colour": "red"}"#)
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        #expect(try database.sql("select count(*) from interactions") == "0", "the ids that a patch named go, too")
        let last = try Self.user("u1", #""attributes":{"a":1}"#, at: 50)
        _ = try store.commit(IngestBatch(users: [last, (.delete(id: "u1", at: nil), origin(2))]))
        #expect(try queries.user("u1") == nil)
    }
}
