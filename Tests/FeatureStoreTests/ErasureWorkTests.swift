import FeatureStore
import Features
import Foundation
import Interactions
import TestSupport
import Testing

@Suite("Rows of erased users go in steps", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ErasureWorkTests {
    private static func deletion(_ user: String, at: EventTime? = nil, _ offset: Int64 = 0)
        -> (change: RecordChange<UserRecord>, origin: RecordOrigin)
    {
        (.delete(id: user, at: at), origin(offset, source: "freshet.users"))
    }

    private static func count(_ database: TestDatabase, _ user: String) throws -> String {
        try database.sql("select count(*) from interactions where user_id = '\(user)'")
    }

    /// Ids of users in everything that a training reads.
    private static func learned(_ database: TestDatabase) throws -> Set<String> {
        let snapshot = try TrainingSnapshot(url: database.url)
        var users: Set<String> = []
        try snapshot.forEachEvent { (event) throws(StoreError) in users.insert(String(decoding: event.userID, as: UTF8.self)) }
        try snapshot.forEachInteraction(types: Set(InteractionType.allCases)) { (row) throws(StoreError) in users.insert(row.userID) }
        try snapshot.forEachImpression(limit: 1_000) { users.insert(String(decoding: $0.userID, as: UTF8.self)) }
        try snapshot.forEachUser { (record) throws(StoreError) in users.insert(record.userID) }
        return users
    }

    @Test("from the commit on nobody sees the user, before a single row is removed")
    func hiddenAtOnce() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var batch = IngestBatch(interactions: [
            event("a", .purchase, user: "u1", at: 1), event("b", .impression, user: "u1", at: 2, offset: 1, request: "r", slot: 0),
            event("c", .click, user: "session:a", at: 3, offset: 2, request: "r"), event("d", .click, user: "u2", at: 4, offset: 3),
        ])
        batch.users = [(.upsert(UserRecord(userID: "u1", aliases: ["session:a"], updatedAt: time(1))), origin(0))]
        _ = try store.commit(batch)
        #expect(try Self.learned(database) == ["u1", "session:a", "u2"])
        _ = try store.commit(IngestBatch(users: [Self.deletion("u1", at: time(1_000))]))
        // The rows are still there, and nobody reads them.
        #expect(try Self.count(database, "u1") == "2")
        #expect(try Self.learned(database) == ["u2"])
        let queries = StoreQueries(url: database.url)
        #expect(try queries.user("u1") == nil && queries.userFeatures("u1") == nil && queries.userFeatures("session:a") == nil)
        #expect(try queries.openErasures() == 2)
        #expect(try !queries.isErasureFinished(of: "u1"))
        let step = try #require(try ErasureWork(url: database.url, rules: FeatureRules()).step())
        #expect((step.users, step.rows) == (2, 3))
        #expect(try database.sql("select string_agg(user_id, ',') from interactions") == "u2")
        #expect(try queries.isErasureFinished(of: "u1") && queries.openErasures() == 0)
        #expect(try ErasureWork(url: database.url, rules: FeatureRules()).step() == nil)
        #expect(try Self.learned(database) == ["u2"])
    }

    @Test("no commit waits while rows are removed, and a work that is killed anywhere is finished by the next")
    func besideCommits() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules(), statementTimeoutMilliseconds: 5_000)
        let users = (0..<40).map { "u\($0)" }
        let events = (0..<12_000).map { event("e\($0)", user: users[$0 % 40], at: Int64($0), offset: Int64($0)) }
        _ = try store.commit(IngestBatch(interactions: events))
        _ = try store.commit(IngestBatch(users: users.dropLast().map { Self.deletion($0, at: time(1_000_000)) }))
        let left = "select count(*), count(distinct user_id) from interactions where event_id like 'e%'"
        var transactions = 0, stored = 0
        while true {
            let work = ErasureWork(url: database.url, rules: FeatureRules())
            // Within the step: a commit of another connection goes through, then this one dies.
            work.onTransaction = { () throws(StoreError) in
                transactions += 1
                let next = event("n\(transactions)", user: "u0", at: 2_000_000, offset: 20_000)
                stored += try store.commit(IngestBatch(interactions: [next])).stored
                throw StoreError(.closed, "killed")
            }
            do {
                guard try work.step() != nil else { break }
            } catch {
                continue
            }
        }
        #expect(transactions == 3 && stored == 3)
        #expect(try database.sql(left) == "300|1")
        // Who came back meanwhile keeps what is new.
        #expect(try database.sql("select clicks from user_features where user_id = 'u0'") == "3")
        #expect(try database.sql("select count(*) from open_erasures") == "0")
    }

    @Test("what is folded again is added to what came meanwhile, and a second deletion takes over")
    func foldedBesideNewEvents() throws {
        let minutes: Int64 = 600_000
        let events = (0..<6).map {
            event("e\($0)", $0 == 2 ? .impression : .click, user: "u1", item: "i\($0)", at: Int64($0) * minutes, offset: Int64($0))
        }
        let later = (6..<9).map { event("e\($0)", user: "u1", item: "i\($0)", at: Int64($0) * minutes, offset: Int64($0)) }
        for second in [nil, time(3 * minutes)] {
            let database = try TestDatabase(), expected = try TestDatabase()
            let store = try IngestStore(url: database.url, rules: FeatureRules())
            _ = try store.commit(IngestBatch(interactions: events))
            _ = try store.commit(IngestBatch(users: [Self.deletion("u1", at: time(minutes))]))
            _ = try store.commit(IngestBatch(interactions: Array(later.prefix(1))))
            if let second { _ = try store.commit(IngestBatch(users: [Self.deletion("u1", at: second, 1)])) }
            _ = try store.commit(IngestBatch(interactions: Array(later.dropFirst().prefix(1))))
            _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
            _ = try store.commit(IngestBatch(interactions: Array(later.dropFirst(2))))
            let kept = (events + later).filter { $0.time > second ?? time(minutes) }
            _ = try IngestStore(url: expected.url, rules: FeatureRules()).commit(IngestBatch(interactions: kept))
            let features = "select * from user_features where user_id = 'u1'"
            #expect(try database.sql(features) == expected.sql(features))
            #expect(try Self.count(database, "u1") == "\(kept.count)")
        }
    }

    @Test("dead letters go with their user, however many, under whatever key")
    func manyLetters() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        func letter(_ number: Int64, key: String?, _ payload: String) -> RejectedRecord {
            RejectedRecord(
                origin: RecordOrigin(source: "t", cluster: "c", position: Position(partition: 0, offset: number)),
                key: key.map { Array($0.utf8) }, payload: Array(payload.utf8), payloadBytes: payload.utf8.count,
                rejection: Rejection(.malformedJSON, "x"))
        }
        _ = try store.commit(IngestBatch(rejections: (0..<2_500).map { letter($0, key: "u1", "{\($0)") }))
        _ = try store.commit(
            IngestBatch(rejections: [
                letter(3_000, key: "shop-7", #"{"user_id": "u1", "type": }"#), letter(3_001, key: nil, #"{'userId':'u1'"#),
                letter(3_002, key: nil, #"{"session_id":"a","item_id":"#), letter(3_003, key: "shop-7", #"{"user_id":"u2"}"#),
            ]))
        _ = try store.commit(IngestBatch(users: [Self.deletion("u1"), Self.deletion("session:a", at: nil, 1)]))
        let queries = StoreQueries(url: database.url)
        #expect(try queries.deadLetterCount() == 1)
        #expect(try queries.deadLetters().map(\.record.origin.position.offset) == [3_003])
        #expect(try queries.waitingDeadLetters().count == 1)
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        #expect(try database.sql(#"select "offset" from dead_letters"#) == "3003")
        // They do not come back by another delivery either.
        #expect(try store.commit(IngestBatch(rejections: [letter(4_000, key: "shop-7", #"{"user_id":"u1","#)])).erased == 1)
    }

    private static let isSoak = ProcessInfo.processInfo.environment["FRESHET_SOAK"] == "1"

    @Test("400 users among many: a stated time, without a scan", .enabled(if: isSoak))
    func tenMillionRows() throws {
        let rows = 10_000_000
        let database = try TestDatabase()
        try database.sql(
            """
            insert into interactions (event_time, event_id, type, user_id, item_id, session_id, request_id, slot, context, source_partition,
                source_offset, payload_hash)
            select timestamptz '2026-09-01' + n * interval '0.5 second', md5(n::text), case when n % 10 < 6 then 0 else 1 end,
                'user-' || (random() * random() * 200000)::int, 'item-' || (random() * 50000)::int, 'session-' || n % 100000,
                'request-' || n / 10, n % 10, '{"device":"phone","country":"DE"}', n % 8, n, n from generate_series(1, \(rows)) n;
            insert into user_features
            select user_id, '\\x', count(*), 0, 0, 0, min(event_time), max(event_time), 0, 0, null from interactions group by 1
            """)
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let work = ErasureWork(url: database.url, rules: FeatureRules())
        func removed(_ users: [String]) throws -> (accepted: Double, gone: Double, rows: Int) {
            let start = ContinuousClock.now
            _ = try store.commit(IngestBatch(users: users.enumerated().map { Self.deletion($1, at: nil, Int64($0)) }))
            let accepted = start.duration(to: .now)
            let step = try work.finish()
            return (accepted / .seconds(1), start.duration(to: .now) / .seconds(1), step.rows)
        }
        // The first pays for the part of the index that no vacuum has made yet.
        let many = (0..<400).map { "user-\(10_000 + $0 * 17)" }
        for (name, users) in [("first", ["user-1"]), ("one", ["user-5000"]), ("400", many)] {
            let time = try removed(users)
            print("erasure of \(name) among \(rows) rows: accepted in \(time.accepted) s, gone in \(time.gone) s, \(time.rows) rows")
            let ids = users.map { "'\($0)'" }.joined(separator: ",")
            #expect(try database.sql("select count(*) from interactions where user_id in (\(ids))") == "0")
        }
    }
}
