import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ErasureTests {
    /// What is stored of a user once what was asked for is removed.
    private static func rows(_ database: TestDatabase, _ user: String) throws -> String {
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        return try database.sql(
            """
            select (select count(*) from interactions where user_id = '\(user)'),
                (select count(*) from user_features where user_id = '\(user)'), (select count(*) from users where user_id = '\(user)'),
                (select count(*) from dead_letters where key = convert_to('\(user)', 'UTF8'))
            """)
    }

    /// Events at 10 to 50 times `scale` milliseconds.
    private static func prepare(scale: Int64 = 1) throws -> (TestDatabase, IngestStore, [Interaction]) {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let events = [
            event("a", .click, user: "u1", item: "i1", at: 10 * scale), event("b", .impression, user: "u1", item: "i2", at: 20 * scale),
            event("c", .purchase, user: "u1", item: "i3", at: 30 * scale, offset: 3),
            event("d", .click, user: "session:s1", at: 40 * scale),
            event("e", .click, user: "u2", at: 50 * scale),
        ]
        var batch = IngestBatch(interactions: events)
        batch.users = [
            (.upsert(UserRecord(userID: "u1", attributes: #"{"age":"25"}"#, aliases: ["session:s1"], updatedAt: time(1))), origin(0))
        ]
        batch.rejections = [
            RejectedRecord(
                origin: RecordOrigin(source: "t", cluster: "c", position: Position(partition: 0, offset: 9), recordTime: time(5)),
                key: Array("u1".utf8),
                payload: [1], payloadBytes: 1, rejection: Rejection(.malformedJSON, "x"))
        ]
        _ = try store.commit(batch)
        #expect(try rows(database, "u1") == "3|1|1|1")
        return (database, store, events)
    }

    @Test func aDeletedUserIsGoneAndAReplayDoesNotBringThemBack() throws {
        let (database, store, events) = try Self.prepare()
        var summary = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: nil), origin(1, at: time(100)))]))
        #expect(summary.usersChanged == 1)
        #expect(try Self.rows(database, "u1") == "0|0|0|0")
        #expect(try Self.rows(database, "session:s1") == "0|0|0|0")
        #expect(try Self.rows(database, "u2") == "1|1|0|0")

        // The same consumer, another consumer, and the user's own records: all dropped and counted.
        summary = try store.commit(IngestBatch(interactions: events))
        #expect((summary.erased, summary.stored, summary.duplicates) == (4, 0, 1))
        let other = try IngestStore(url: database.url, rules: FeatureRules())
        summary = try other.commit(
            IngestBatch(
                interactions: [events[0], event("new", user: "u1", at: 101)],
                users: [(.upsert(UserRecord(userID: "u1", updatedAt: time(99))), origin(2))],
                rejections: [
                    RejectedRecord(
                        origin: RecordOrigin(source: "t", cluster: "c", position: Position(partition: 0, offset: 9)), key: Array("u1".utf8),
                        payload: [1], payloadBytes: 1, rejection: Rejection(.malformedJSON, "x"))
                ]))
        #expect((summary.erased, summary.stored, summary.usersChanged, summary.rejected) == (3, 1, 0, 0))
        #expect(try Self.rows(database, "u1") == "1|1|0|0")
        // Who comes back after the erasure is stored again.
        summary = try other.commit(IngestBatch(users: [(.upsert(UserRecord(userID: "u1", updatedAt: time(200))), origin(3))]))
        #expect(summary.usersChanged == 1)
    }

    @Test func whatCameAfterTheErasureStaysAndIsFoldedAgain() throws {
        // Far apart: what a sender's clock stamped up to five minutes after the deletion goes with it.
        let scale: Int64 = 100_000
        let (database, store, events) = try Self.prepare(scale: scale)
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: time(25 * scale)), origin(1))]))
        #expect(try Self.rows(database, "u1") == "1|1|0|0")
        let expected = try TestDatabase()
        _ = try IngestStore(url: expected.url, rules: FeatureRules()).commit(IngestBatch(interactions: [events[2]]))
        let features = "select * from user_features where user_id = 'u1'"
        #expect(try database.sql(features) == expected.sql(features))
        // An older erasure that arrives late changes nothing; a later one takes the rest.
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: time(5 * scale)), origin(2))]))
        #expect(try Self.rows(database, "u1") == "1|1|0|0")
        #expect(
            try database.sql("select extract(epoch from erased_at) * 1000 from erasures where user_id = 'u1'").hasPrefix(
                "\(time(25 * scale).milliseconds)"))
        try StoreQueries(url: database.url).eraseUser("u1")
        #expect(try Self.rows(database, "u1") == "0|0|0|0")
        #expect(try store.commit(IngestBatch(interactions: [events[2]])).erased == 1)
    }

    @Test(arguments: [false, true]) func everyIdOfAPersonGoesWhateverNamesIt(_ inOneBatch: Bool) throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let ids = ["u1", "session:a", "old account", "session:b"]
        let events = ids.enumerated().map { event("e\($0)", user: $1, at: 10, offset: Int64($0)) }
        // u1 names an alias and an old account, which names a session of its own and u1 again.
        let records: [(change: RecordChange<UserRecord>, origin: RecordOrigin)] = [
            (.upsert(UserRecord(userID: "u1", aliases: ["session:a", "old account"], updatedAt: time(1))), origin(0)),
            (.upsert(UserRecord(userID: "old account", aliases: ["session:b", "u1"], updatedAt: time(1))), origin(1)),
        ]
        let deletion: (change: RecordChange<UserRecord>, origin: RecordOrigin) = (.delete(id: "u1", at: time(100)), origin(2))
        if inOneBatch {
            _ = try store.commit(IngestBatch(interactions: events))
            let summary = try store.commit(IngestBatch(users: records + [deletion]))
            #expect(summary.usersChanged == 1 && summary.erased == 2)
        } else {
            _ = try store.commit(IngestBatch(interactions: events, users: records))
            _ = try store.commit(IngestBatch(users: [deletion]))
        }
        for id in ids { #expect(try Self.rows(database, id) == "0|0|0|0", "\(id)") }
        #expect(try store.commit(IngestBatch(interactions: events)).erased == 4)
    }

    @Test("a refused record of an erased user is dropped by its own time too, however late it is sent")
    func lateLetters() throws {
        let (database, store, _) = try Self.prepare()
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: nil), origin(1, at: time(100)))]))
        func letter(_ text: String, offset: Int64, sent: Int64) -> RejectedRecord {
            RejectedRecord(
                origin: RecordOrigin(source: "t", cluster: "c", position: Position(partition: 0, offset: offset), recordTime: time(sent)),
                key: nil, payload: Array(text.utf8), payloadBytes: text.utf8.count, rejection: Rejection(.unknownType, "x"))
        }
        let summary = try store.commit(
            IngestBatch(rejections: [
                letter(#"{"user_id":"u1","type":"boo","timestamp":\#(time(90).milliseconds)}"#, offset: 20, sent: 1_000),
                letter(#"{"user_id":"u1","type":"boo","timestamp":\#(time(900).milliseconds)}"#, offset: 21, sent: 1_000),
                letter(#"{"user_id":"u1","type":"boo","timestamp":\#(time(900).milliseconds)}"#, offset: 22, sent: 50),
            ]))
        #expect(summary.erased == 2 && summary.rejected == 1)
        #expect(try database.sql(#"select string_agg("offset"::text, ',') from dead_letters"#) == "21")
    }

    @Test("an erased id that several have goes out of the records that name it, and older records do not bring it back")
    func namedByOthers() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        func record(_ user: String, _ aliases: [String], at: Int64) -> (change: RecordChange<UserRecord>, origin: RecordOrigin) {
            (.upsert(UserRecord(userID: user, aliases: aliases, updatedAt: time(at))), origin(at))
        }
        func aliases(_ user: String) throws -> String { try database.sql("select aliases::text from users where user_id = '\(user)'") }
        _ = try store.commit(IngestBatch(users: [record("u1", ["x", "gone", "y"], at: 1), record("u2", ["y", "gone"], at: 1)]))
        _ = try store.commit(IngestBatch(users: [(.delete(id: "gone", at: time(100)), origin(2))]))
        #expect(try aliases("u1") == "{x,y}" && aliases("u2") == "{y}")
        // What was written before the deletion and comes after it, beside it, or in its batch.
        _ = try store.commit(IngestBatch(users: [record("u1", ["gone", "z"], at: 50)]))
        #expect(try aliases("u1") == "{z}")
        _ = try store.commit(IngestBatch(users: [
            record("u3", ["other"], at: 50), record("u4", ["other"], at: 50), (.delete(id: "other", at: time(200)), origin(3)),
        ]))
        #expect(try aliases("u3") == "{}")
        // Who comes back may be named again.
        _ = try store.commit(IngestBatch(users: [record("u1", ["gone"], at: 150)]))
        #expect(try aliases("u1") == "{gone}")
    }

    @Test func aRecordThatComesLateTellsOfMoreIdsAndRevivesNothing() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()),
            other = try IngestStore(url: database.url, rules: FeatureRules())
        let events = [event("a", user: "u1", at: 10), event("b", user: "session:a", at: 10, offset: 1)]
        _ = try store.commit(IngestBatch(interactions: events))
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: time(100)), origin(0))]))
        #expect(try Self.rows(database, "session:a") == "1|1|0|0")
        let late = try other.commit(
            IngestBatch(users: [(.upsert(UserRecord(userID: "u1", aliases: ["session:a"], updatedAt: time(50))), origin(1))]))
        #expect(late.erased == 1 && late.usersChanged == 0)
        for id in ["session:a", "u1"] { #expect(try Self.rows(database, id) == "0|0|0|0") }
        #expect(try store.commit(IngestBatch(interactions: events)).erased == 2)
    }

    @Test func aClockAheadCancelsNoErasureAndErasesNothingThatComesLater() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let now = try #require(Int64(database.sql("select (extract(epoch from clock_timestamp()) * 1000)::bigint")))
        func at(_ seconds: Int64) -> EventTime { EventTime(milliseconds: now + seconds * 1_000) }
        func click(_ id: String, _ user: String, _ seconds: Int64) -> Interaction {
            var click = event(id, user: user)
            click.time = at(seconds)
            return click
        }
        let years: Int64 = 5 * 365 * 86_400
        // Dated ahead by an older version, or by a clock: the erasure takes it all.
        for (user, ahead) in [("u1", years), ("u2", 120)] {
            _ = try store.commit(
                IngestBatch(
                    interactions: [click("a", user, -60), click("b", user, ahead)],
                    users: [(.upsert(UserRecord(userID: user, attributes: #"{"a":1}"#, updatedAt: at(ahead))), origin(0))]))
            _ = try store.commit(IngestBatch(users: [(.delete(id: user, at: at(0)), origin(1))]))
            #expect(try Self.rows(database, user) == "0|0|0|0", "\(user)")
            // A record older than the erasure does not bring the user back.
            let old = try store.commit(IngestBatch(users: [(.upsert(UserRecord(userID: user, updatedAt: at(-1))), origin(2))]))
            #expect((old.erased, old.usersChanged) == (1, 0), "\(user)")
        }
        // The same in one batch; and who registers again after it, in that very batch, is kept.
        let again = try store.commit(
            IngestBatch(users: [
                (.upsert(UserRecord(userID: "u3", attributes: #"{"a":1}"#, updatedAt: at(120))), origin(3)),
                (.delete(id: "u3", at: at(0)), origin(4)),
                (.upsert(UserRecord(userID: "u4", updatedAt: at(-60))), origin(5)), (.delete(id: "u4", at: at(-30)), origin(6)),
                (.upsert(UserRecord(userID: "u4", attributes: #"{"back":true}"#, updatedAt: at(-1))), origin(7)),
            ]))
        #expect(again.usersChanged == 3)
        #expect(try Self.rows(database, "u3") == "0|0|0|0")
        #expect(try Self.rows(database, "u4") == "0|0|1|0")
        // A deletion that is itself dated ahead erases up to now, not what comes later.
        _ = try store.commit(IngestBatch(interactions: [click("a", "u5", -60)]))
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u5", at: at(years)), origin(8))]))
        #expect(try Self.rows(database, "u5") == "0|0|0|0")
        #expect(try store.commit(IngestBatch(interactions: [click("b", "u5", 60)])).stored == 1)
        // Entries of the ledger that an older version dated ahead count from their recording.
        _ = try database.sql(
            "update erasures set erased_at = now() + interval '5 years', recorded_at = now() - interval '1 hour' where user_id = 'u5'")
        let fresh = try IngestStore(url: database.url, rules: FeatureRules())
        #expect(try fresh.commit(IngestBatch(interactions: [click("c", "u5", 61), click("d", "u5", -7_200)])).stored == 1)
        // A user record dated years ahead is replaced by one of today.
        _ = try store.commit(IngestBatch(users: [(.upsert(UserRecord(userID: "u6", updatedAt: at(years))), origin(9))]))
        #expect(
            try store.commit(IngestBatch(users: [(.upsert(UserRecord(userID: "u6", updatedAt: at(30))), origin(10))])).usersChanged == 1)
    }
}
