import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

/// What PostgreSQL cannot hold never stops a stream, whatever let it through.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct RefusedRecordsTests {
    private func noise(_ bytes: Int, seed: UInt64) -> String {
        var numbers = SeededNumbers(state: seed)
        return String(
            (0..<bytes).map { _ in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".randomElement(using: &numbers) ?? "a" })
    }

    @Test func eachBadRecordBecomesADeadLetterAndAllElseIsStored() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        var interactions = (0..<300).map { event("e\($0)", user: "u\($0 % 9)", item: "i\($0 % 5)", at: Int64($0), offset: Int64($0)) }
        // U+0000 in every text, keys beyond an index row, a context that is no JSON.
        interactions[7].eventID = "a\0b"
        interactions[40].userID = "u\0"
        interactions[41].itemID = "\0"
        interactions[90].sessionID = "s\0"
        interactions[91].requestID = noise(20_000, seed: 1)
        interactions[150].userID = noise(9_000, seed: 2)
        interactions[151].itemID = noise(9_000, seed: 3)
        interactions[200].eventID = noise(9_000, seed: 4)
        interactions[201].context = "{"
        interactions[299].currency = "E\0R"
        let bad = 10
        var sent = batch(interactions, claim: claim, next: 300)
        sent.items = [
            upsert("good", updatedAt: 1), upsert("bad\0", updatedAt: 1, offset: 1), upsert(noise(9_000, seed: 5), updatedAt: 1, offset: 2),
            (.delete(id: "i\0", at: time(1)), origin(3)), (.upsert(ItemRecord(itemID: "odd", attributes: #"{"a":1e200000}"#)), origin(4)),
            (.upsert(ItemRecord(itemID: "lone", attributes: #"{"a":"\ud800"}"#)), origin(5)),
            (.upsert(ItemRecord(itemID: "nul", attributes: #"{"a":"\u0000"}"#)), origin(6)),
            (.upsert(ItemRecord(itemID: "titled", title: "a\0", categories: ["b"])), origin(7)),
        ]
        sent.users = [
            (.upsert(UserRecord(userID: "fine", attributes: #"{"a":1}"#)), origin(10, source: "freshet.users")),
            (.upsert(UserRecord(userID: "u\0")), origin(11, source: "freshet.users")),
            (.delete(id: "gone\0", at: nil), origin(12, source: "freshet.users")),
            (.upsert(UserRecord(userID: "odd", attributes: #"{"a":"\udfff"}"#)), origin(13, source: "freshet.users")),
            (.upsert(UserRecord(userID: "named", aliases: ["a\0"])), origin(14, source: "freshet.users")),
        ]
        sent.rejections = [
            RejectedRecord(
                origin: RecordOrigin(source: "freshet.events", cluster: "c1", position: Position(partition: 0, offset: 1_000)), key: [0],
                payload: [0, 0xFF],
                payloadBytes: 2, rejection: Rejection(.controlCharacter, field: "a\0", "holds \0"))
        ]
        let summary = try store.commit(sent)
        #expect(summary.stored == 300 - bad && summary.itemsChanged == 1 && summary.usersChanged == 1)
        #expect(summary.rejected == bad + 7 + 4 + 1)
        #expect(
            try database.sql("select count(*), sum(clicks) from interactions, (select sum(clicks) as clicks from item_features) f")
                .hasPrefix("290|"))
        #expect(try database.sql("select sum(clicks) from item_features") == "290")
        let letters = try database.sql("select code, source, count(*) from dead_letters group by 1, 2 order by 1, 2")
        #expect(
            letters
                == "control_character|freshet.events|1\nrefused_by_database|freshet.events|10\n"
                    + "refused_by_database|freshet.items|7\nrefused_by_database|freshet.users|4"
        )
        #expect(try database.sql("select next_offset from stream_offsets") == "300")
        // Once: the same batch again changes nothing, and the stream goes on.
        #expect(try store.commit(sent).alreadyCommitted)
        #expect(try store.commit(batch([event("next", at: 900, offset: 300)], claim: claim, next: 301)).stored == 1)
    }

    @Test("every class of error that is about data makes a dead letter of the record, and of nothing else", arguments: [
        // 23505, 23514, P0001, 22003, 44000 or 09000, by an index, a condition and triggers of somebody's own.
        "create unique index mine on items (title) where title <> ''",
        "alter table items add constraint mine check (item_id <> 'i7')",
        "do $$ begin execute $f$create function mine() returns trigger language plpgsql as 'begin if new.item_id = ''i7'' then raise "
            + "exception ''mine''; end if; return new; end'$f$; end $$; create trigger mine before insert on items for each row "
            + "execute function mine()",
        "do $$ begin execute $f$create function mine() returns trigger language plpgsql as 'begin if new.item_id = ''i7'' then raise "
            + "numeric_value_out_of_range; end if; return new; end'$f$; end $$; create trigger mine before insert on items for each "
            + "row execute function mine()",
        "do $$ begin execute $f$create function mine() returns trigger language plpgsql as 'begin if new.item_id = ''i7'' then raise "
            + "with_check_option_violation; end if; return new; end'$f$; end $$; create trigger mine before insert on items for each "
            + "row execute function mine()",
        "do $$ begin execute $f$create function mine() returns trigger language plpgsql as 'begin if new.item_id = ''i7'' then raise "
            + "program_limit_exceeded; end if; return new; end'$f$; end $$; create trigger mine before insert on items for each row "
            + "execute function mine()",
    ])
    func classesOfErrors(_ sql: String) throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        try database.sql(sql)
        var sent = batch([], claim: claim, next: 20)
        sent.items = (0..<20).map { number in
            // i7 has the title of i3.
            let title = number == 7 ? "title 3" : "title \(number)"
            return (.upsert(ItemRecord(itemID: "i\(number)", title: title)), origin(Int64(number)))
        }
        let summary = try store.commit(sent)
        #expect(summary.rejected == 1 && summary.itemsChanged == 19)
        #expect(try database.sql("select count(*) from items") == "19")
        #expect(try database.sql("select code, convert_from(key, 'UTF8') from dead_letters") == "refused_by_database|i7")
        #expect(try store.commit(sent).alreadyCommitted)
    }

    @Test func aBatchThatIsTooMuchAtOnceIsStoredInParts() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        try database.sql(
            "create function mine() returns trigger language plpgsql as 'begin if (select count(*) from fresh) > 30 then "
                + "raise program_limit_exceeded; end if; return null; end'; "
                + "create trigger mine after insert on user_features referencing new table as fresh for each statement execute function "
                + "mine()"
        )
        let sent = batch((0..<100).map { event("e\($0)", user: "u\($0)", at: Int64($0), offset: Int64($0)) }, claim: claim, next: 100)
        #expect(try store.commit(sent).stored == 100)
        #expect(try database.sql("select (select count(*) from interactions), sum(clicks) from item_features") == "100|100")
        #expect(try database.sql("select count(*) from dead_letters") == "0")
        #expect(try database.sql("select next_offset from stream_offsets") == "100")
        #expect(try store.commit(sent).alreadyCommitted)
    }

    @Test func aBatchOfOneAndABatchOfNothingButBadOnes() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        #expect(try store.commit(IngestBatch(items: [upsert("\0", updatedAt: 1)])).rejected == 1)
        let all = (0..<20).map { event("e\($0)\0", offset: Int64($0)) }
        #expect(try store.commit(IngestBatch(interactions: all, eventSource: "t")).rejected == 20)
        #expect(try database.sql("select count(*) from dead_letters where code = 'refused_by_database'") == "21")
    }

    @Test func timesAndNumbersAtTheirEndsAreStored() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var ends: [Interaction] = []
        for (number, time) in [Int64.min, -62_135_596_800_001, 253_402_300_800_000, .max].enumerated() {
            var one = event("e\(number)", .purchase, offset: Int64.max - Int64(number), request: "r")
            one.time = EventTime(milliseconds: time)
            (one.priceMicros, one.amountMinor, one.currency, one.quantity) = (.max, .max, "EUR", .max)
            (one.slot, one.modelVersion) = (.max, .max)
            ends.append(one)
        }
        ends.append(event("shown", .impression, request: "r", slot: 0, model: 1))
        let summary = try store.commit(
            IngestBatch(
                interactions: ends,
                items: [
                    (
                        .upsert(
                            ItemRecord(
                                itemID: "i1", priceMicros: .max, embedding: [.infinity, .nan, -.greatestFiniteMagnitude],
                                publishedAt: EventTime(milliseconds: .max), updatedAt: EventTime(milliseconds: .min))), origin(.max)
                    )
                ],
                users: [(.upsert(UserRecord(userID: "u9", updatedAt: EventTime(milliseconds: .max))), origin(.min))]))
        #expect(summary.stored == 5 && summary.rejected == 0)
        #expect(
            try database.sql("select revenue_minor, units from item_revenue join item_features using (item_id)")
                == "9223372036854775807|8589934588")
        // Sums of what was paid after an impression stop at the largest number, instead of ending a training.
        var amounts: [Int64] = []
        try TrainingSnapshot(url: database.url).forEachImpression(limit: 10) { amounts.append($0.amountMinor) }
        #expect(amounts == [.max])
    }

    @Test func aRepeatOfAnEventThatAnOlderVersionHashedOtherwiseIsADuplicate() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var first = event("e1", .purchase, request: "r1", slot: 3, model: 2)
        (first.context, first.sessionID, first.currency) = (#"{"a":1,"b":[2]}"#, "s1", "EUR")
        (first.priceMicros, first.amountMinor, first.quantity) = (19_990_000, 3_998, 2)
        first.payloadHash = first.contentHash()
        var second = event("e2", at: 1, offset: 1)
        second.payloadHash = second.contentHash()
        _ = try store.commit(IngestBatch(interactions: [first, second]))
        _ = try database.sql("update interactions set payload_hash = payload_hash + 1")
        // The same content once more: counted, not stored. Other content under the key is a conflict as ever.
        var other = first
        other.priceMicros = 20_000_000
        other.payloadHash = other.contentHash()
        other.position.offset = 7
        #expect(
            try store.commit(IngestBatch(interactions: [first, second, event("e3", at: 2, offset: 2)], eventSource: "t")).duplicates == 2)
        let summary = try store.commit(IngestBatch(interactions: [other, event("e4", at: 3, offset: 3)], eventSource: "t"))
        #expect((summary.duplicates, summary.conflicts, summary.stored) == (0, 1, 1))
    }
}
