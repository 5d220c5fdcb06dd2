import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct DeadLetterTests {
    private func letter(_ payload: String, offset: Int64, source: String = "freshet.events", key: String? = "u1", code: RejectionCode = .unknownType, why: String = "why")
        -> RejectedRecord
    {
        RejectedRecord(
            origin: RecordOrigin(source: source, cluster: "c", position: Position(partition: 0, offset: offset)), key: key.map { Array($0.utf8) },
            payload: Array(payload.utf8), payloadBytes: payload.utf8.count, rejection: Rejection(code, field: "type", why))
    }

    @Test func anyNumberWaitsInTheOrderOfItsComing() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url, connections: 1)
        _ = try store.commit(IngestBatch(rejections: (0..<1_500).map { letter("{\($0)}", offset: $0) }))
        let waiting = try queries.waitingDeadLetters()
        #expect(waiting.count == 1_500)
        // What comes while a run is under way is the next run's.
        _ = try store.commit(IngestBatch(rejections: [letter("later", offset: 9_000)]))
        var seen: [Int64] = [], last: Int64 = 0
        while true {
            let page = try queries.waitingDeadLetters(after: last, newest: waiting.newest, limit: 200)
            guard let end = page.last?.id else { break }
            last = end
            seen += page.map(\.record.origin.position.offset)
            try queries.markReplayed(page.map(\.id))
        }
        #expect(seen == (0..<1_500).map { Int64($0) })
        #expect(try queries.waitingDeadLetters().count == 1)
        #expect(try queries.deadLetterCount() == 1_501)
        #expect(try queries.deadLetterCount(code: .tooLarge) == 0)
        try queries.markUnsent([last])
        #expect(try queries.waitingDeadLetters().count == 2)
    }

    @Test func whatComesBackKeepsItsRow() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url, connections: 1)
        _ = try store.commit(
            IngestBatch(rejections: [
                letter("twice", offset: 0), letter("twice", offset: 1), letter("other reason", offset: 2), letter("keyless", offset: 3, key: nil),
                letter("not sent", offset: 4),
            ]))
        let sent = try queries.deadLetters().filter { $0.record.payload != Array("not sent".utf8) }
        try queries.markReplayed(sent.map(\.id))
        // All come back at other places, one for another reason; the one that was not sent comes again from its producer.
        let back = IngestBatch(rejections: [
            letter("twice", offset: 10), letter("twice", offset: 11), letter("other reason", offset: 12, code: .missingField), letter("keyless", offset: 13, key: nil),
            letter("not sent", offset: 14),
        ])
        #expect(try store.commit(back).rejected == 5)
        let rows = #"select "offset", code, replayed_at is null, coalesce(received_at > replayed_at, false) from dead_letters order by "offset""#
        #expect(
            try database.sql(rows)
                == "4|unknown_type|t|f\n10|unknown_type|f|t\n11|unknown_type|f|t\n12|missing_field|t|f\n13|unknown_type|f|t\n14|unknown_type|t|f")
        // A repeated delivery finds its row.
        #expect(try store.commit(back).rejected == 5)
        #expect(try queries.deadLetterCount() == 6)
        // By itself only what has a new reason, or was never sent, goes again.
        #expect(try queries.waitingDeadLetters().count == 3)
        #expect(try queries.waitingDeadLetters(again: true).count == 6)
        #expect(try queries.deadLetters(limit: 10).filter(\.isRefusedAgain).count == 3)
    }

    @Test("texts that PostgreSQL cannot hold are nobody's id, and stop no replay")
    func erasuresOfAnyText() throws {
        let database = try TestDatabase()
        #expect(try StoreQueries(url: database.url).erasures(of: ["a\u{0}b", "\u{0}", "u1"]) == [:])
    }

    @Test func anErasureFindsLettersThatCameWithoutAKey() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try store.commit(
            IngestBatch(rejections: [
                letter(#"{"user_id":"u1","type":"view"}"#, offset: 0, source: "file:events:a.jsonl:1", key: nil),
                letter(#"{"user_id":"u2","type":"view"}"#, offset: 1, source: "file:events:a.jsonl:1", key: nil), letter("[1,2", offset: 2, key: nil),
            ]))
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: nil), origin(0))]))
        #expect(try database.sql(#"select "offset" from dead_letters order by 1"#) == "1\n2")
        #expect(try StoreQueries(url: database.url, connections: 1).erasures(of: ["u1", "u2"]).keys.sorted() == ["u1"])
    }
}
