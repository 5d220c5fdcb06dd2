import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ErasureTests {
    private static func rows(_ database: TestDatabase, _ user: String) throws -> String {
        try database.sql(
            """
            select (select count(*) from interactions where user_id = '\(user)'), (select count(*) from user_features where user_id = '\(user)'),
                (select count(*) from users where user_id = '\(user)'), (select count(*) from dead_letters where key = convert_to('\(user)', 'UTF8'))
            """)
    }

    /// Events at 10 to 50 times `scale` milliseconds.
    private static func prepare(scale: Int64 = 1) throws -> (TestDatabase, IngestStore, [Interaction]) {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let events = [
            event("a", .click, user: "u1", item: "i1", at: 10 * scale), event("b", .impression, user: "u1", item: "i2", at: 20 * scale),
            event("c", .purchase, user: "u1", item: "i3", at: 30 * scale, offset: 3), event("d", .click, user: "session:s1", at: 40 * scale),
            event("e", .click, user: "u2", at: 50 * scale),
        ]
        var batch = IngestBatch(interactions: events)
        batch.users = [(.upsert(UserRecord(userID: "u1", attributes: #"{"age":"25"}"#, aliases: ["session:s1"], updatedAt: time(1))), origin(0))]
        batch.rejections = [
            RejectedRecord(
                origin: RecordOrigin(source: "t", cluster: "c", position: Position(partition: 0, offset: 9), recordTime: time(5)), key: Array("u1".utf8),
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
        #expect(try database.sql("select extract(epoch from erased_at) * 1000 from erasures where user_id = 'u1'").hasPrefix("\(time(25 * scale).milliseconds)"))
        try StoreQueries(url: database.url).eraseUser("u1")
        #expect(try Self.rows(database, "u1") == "0|0|0|0")
        #expect(try store.commit(IngestBatch(interactions: [events[2]])).erased == 1)
    }
}
