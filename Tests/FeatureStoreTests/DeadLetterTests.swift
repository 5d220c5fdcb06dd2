import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct DeadLetterTests {
    private func letter(
        _ payload: String, offset: Int64, source: String = "freshet.events", key: String? = "u1", code: RejectionCode = .unknownType,
        why: String = "why"
    )
        -> RejectedRecord
    {
        RejectedRecord(
            origin: RecordOrigin(source: source, cluster: "c", position: Position(partition: 0, offset: offset)),
            key: key.map { Array($0.utf8) },
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
                letter("twice", offset: 0), letter("twice", offset: 1), letter("other reason", offset: 2),
                letter("keyless", offset: 3, key: nil),
                letter("not sent", offset: 4),
            ]))
        let sent = try queries.deadLetters().filter { $0.record.payload != Array("not sent".utf8) }
        try queries.markReplayed(sent.map(\.id))
        // All come back at other places, one for another reason; the one that was not sent comes again from its producer.
        let back = IngestBatch(rejections: [
            letter("twice", offset: 10), letter("twice", offset: 11), letter("other reason", offset: 12, code: .missingField),
            letter("keyless", offset: 13, key: nil),
            letter("not sent", offset: 14),
        ])
        #expect(try store.commit(back).rejected == 5)
        let rows =
            #"select "offset", code, replayed_at is null, coalesce(received_at > replayed_at, false) from dead_letters order by "offset""#
        #expect(
            try database.sql(rows)
                == "4|unknown_type|t|f\n10|unknown_type|f|t\n11|unknown_type|f|t\n12|missing_field|t|f\n13|unknown_type|f|t\n"
                    + "14|unknown_type|t|f"
        )
        // A repeated delivery finds its row.
        #expect(try store.commit(back).rejected == 5)
        #expect(try queries.deadLetterCount() == 6)
        // By itself only what has a new reason, or was never sent, goes again.
        #expect(try queries.waitingDeadLetters().count == 3)
        #expect(try queries.waitingDeadLetters(again: true).count == 6)
        #expect(try queries.deadLetters(limit: 10).filter(\.isRefusedAgain).count == 3)
    }

    @Test("letters of an older version get the key that they tell when the schema is brought up to date")
    func lettersOfAnOlderVersion() throws {
        let database = try TestDatabase(migrated: false)
        try Migrator(url: database.url, migrations: Migration.shipped.filter { $0.number <= 6 }).migrate()
        try database.sql(
            #"""
            insert into dead_letters (cluster, source, partition, "offset", key, payload, payload_bytes, code, detail)
            select '', 'file:events:a:1', -1, n, k, p, 1, 'unknown_type', 'x' from (values
                (0, null, convert_to('{"user_id": "é1", "type"', 'UTF8')), (1, 's'::bytea, convert_to('{"user_id":"u2"}', 'UTF8')),
                (2, null, 'ÿ00'::bytea), (3, null, convert_to('{"item_id":"i1"}', 'UTF8'))) v(n, k, p)
            """#)
        try Migrator(url: database.url).migrate()
        #expect(
            try database.sql(#"select "offset", encode(key, 'escape'), encode(user_id, 'hex') from dead_letters order by 1"#)
                == "0|\\303\\2511|c3a931\n1|s|7532\n2||\n3||")
        try StoreQueries(url: database.url).eraseUser("é1")
        try StoreQueries(url: database.url).eraseUser("u2")
        #expect(try database.sql(#"select "offset" from dead_letters order by 1"#) == "2\n3")
    }

    @Test("a conflict keeps one row, however often it comes and whether it was sent again or not")
    func conflictsDoNotMultiply() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url, connections: 1)
        let stored = (0..<5).map { event("e\($0)", user: "u\($0)", at: Int64($0), offset: Int64($0)) }
        _ = try store.commit(IngestBatch(interactions: stored, eventSource: "freshet.events"))
        // Each event with other content, and the first with two others.
        func others(from offset: Int64) -> [Interaction] {
            (0..<6).map {
                event(
                    "e\($0 % 5)", user: "u\($0 % 5)", item: "other \($0)", at: Int64($0 % 5), offset: offset + Int64($0),
                    hash: UInt64($0 + 2))
            }
        }
        var summary = try store.commit(IngestBatch(interactions: others(from: 10), eventSource: "freshet.events"))
        #expect((summary.conflicts, summary.rejected) == (6, 6))
        for round in 1...4 {
            let letters = try queries.deadLetters()
            #expect(letters.count == 6)
            // Sent again in the first rounds, each in a batch of its own in the second; from then on the sender repeats by itself.
            if round <= 2 { try queries.markReplayed(letters.map(\.id)) }
            let back = others(from: Int64(round) * 100)
            for batch in round == 2 ? back.map({ [$0] }) : [back] {
                summary = try store.commit(IngestBatch(interactions: batch, eventSource: "freshet.events"))
                #expect(summary.conflicts == batch.count && summary.rejected == batch.count)
            }
            #expect(try queries.deadLetterCount() == 6)
            #expect(try queries.waitingDeadLetters().count == 0)
        }
    }

    @Test("each conflict names the topic that it came from, also in a batch of several")
    func sourcesOfConflicts() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        func sent(_ hash: UInt64, from offset: Int64) -> IngestBatch {
            var batch = IngestBatch()
            for (number, topic) in ["freshet.impressions", "freshet.events", "freshet.impressions"].enumerated() {
                batch.interactions.append(
                    event("e\(number)", user: "u\(number)", at: Int64(number), offset: offset + Int64(number), hash: hash))
                batch.noteSource(
                    of: RecordOrigin(source: topic, cluster: "c9", position: Position(partition: 0, offset: offset + Int64(number))))
            }
            return batch
        }
        _ = try store.commit(sent(1, from: 0))
        _ = try store.commit(sent(2, from: 10))
        #expect(
            try database.sql(#"select source, "offset", cluster from dead_letters order by "offset""#)
                == "freshet.impressions|10|c9\nfreshet.events|11|c9\nfreshet.impressions|12|c9")
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
                letter(#"{"user_id":"u2","type":"view"}"#, offset: 1, source: "file:events:a.jsonl:1", key: nil),
                letter("[1,2", offset: 2, key: nil),
            ]))
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: nil), origin(0))]))
        #expect(try database.sql(#"select "offset" from dead_letters order by 1"#) == "1\n2")
        #expect(try StoreQueries(url: database.url, connections: 1).erasures(of: ["u1", "u2"]).keys.sorted() == ["u1"])
    }
}
