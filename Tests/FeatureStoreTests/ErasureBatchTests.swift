import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

/// Records of users, their deletions and the events of all their ids, cut into batches in every way.
@Suite("A deletion and what comes with it", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ErasureBatchTests {
    fileprivate typealias Change = (change: RecordChange<UserRecord>, origin: RecordOrigin)

    private static func record(_ user: String, _ aliases: [String], at: Int64, attributes: String? = nil) -> Change {
        let record = UserRecord(userID: user, attributes: attributes, aliases: aliases, updatedAt: time(at))
        return (.upsert(record), origin(at, source: "freshet.users"))
    }

    private static func deletion(_ user: String, at: Int64) -> Change {
        (.delete(id: user, at: time(at)), origin(at, source: "freshet.users"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        fileprivate var changes: @Sendable () -> [Change]
        /// Who may not have an event up to 1,000,000 afterwards.
        var erased: Set<String>
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "record, then deletion", changes: { [record("u", ["a"], at: 10), deletion("u", at: 1_000_000)] }, erased: ["u", "a"]),
        Case(
            name: "deletion, then an older record",
            changes: { [deletion("u", at: 1_000_000), record("u", ["a"], at: 10)] }, erased: ["u", "a"]),
        Case(
            name: "several older records after it",
            changes: { [deletion("u", at: 1_000_000), record("u", ["a"], at: 10), record("u", ["b"], at: 20)] }, erased: ["u", "a", "b"]),
        Case(
            name: "deleted, back, deleted again",
            changes: {
                [record("u", ["a"], at: 10), deletion("u", at: 500_000), record("u", ["b"], at: 600_000), deletion("u", at: 1_000_000)]
            }, erased: ["u", "a", "b"]),
        Case(
            name: "aliases of aliases, told in any order",
            changes: {
                [record("a", ["b"], at: 5), deletion("u", at: 1_000_000), record("u", ["a"], at: 10), record("b", ["c"], at: 7)]
            }, erased: ["u", "a", "b", "c"]),
        Case(
            name: "back with another id",
            changes: { [record("u", ["a"], at: 10), deletion("u", at: 1_000_000), record("u", ["b"], at: 2_000_000)] }, erased: ["u", "a"]),
        Case(
            name: "the record that names the id is one that the database refuses",
            changes: { [record("u", ["a"], at: 10, attributes: #"{"a":1e200000}"#), deletion("u", at: 1_000_000)] }, erased: ["u", "a"]),
    ]

    /// Whose events are left, after the events came before the changes, with them, or after them.
    @Test(arguments: cases, ["before", "with", "after", "one by one"])
    func nothingIsLeft(_ one: Case, _ way: String) throws {
        // Stored by itself, a record that is refused is a dead letter, which tells nobody of ids.
        if way == "one by one", one.name.contains("refuses") { return }
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let people = ["u", "a", "b", "c", "other"]
        let events = people.enumerated().map { event("e\($0)", user: $1, at: 100, offset: Int64($0)) }
        switch way {
        case "before":
            _ = try store.commit(IngestBatch(interactions: events))
            _ = try store.commit(IngestBatch(users: one.changes()))
        case "with": _ = try store.commit(IngestBatch(interactions: events, users: one.changes()))
        case "after":
            _ = try store.commit(IngestBatch(users: one.changes()))
            _ = try IngestStore(url: database.url, rules: FeatureRules()).commit(IngestBatch(interactions: events))
        default:
            _ = try store.commit(IngestBatch(interactions: events))
            for change in one.changes() { _ = try store.commit(IngestBatch(users: [change])) }
        }
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        let kept = Set(try database.sql("select user_id from interactions").split(separator: "\n").map(String.init))
        #expect(kept == Set(people).subtracting(one.erased))
        let known = Set(try database.sql("select user_id from user_features").split(separator: "\n").map(String.init))
        #expect(known == kept)
        // Everything once more, as a replay brings it: nobody comes back.
        _ = try store.commit(IngestBatch(interactions: events, users: one.changes()))
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        let after = Set(try database.sql("select user_id from interactions").split(separator: "\n").map(String.init))
        #expect(after.isSubset(of: kept) && after.contains("other"))
    }

    @Test("an event whose clock is ahead goes with the deletion that comes in the same batch")
    func clockAhead() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let now = try #require(Int64(database.sql("select (extract(epoch from clock_timestamp()) * 1000)::bigint")))
        var ahead = event("e", user: "u")
        ahead.time = EventTime(milliseconds: now + 120_000)
        let summary = try store.commit(
            IngestBatch(interactions: [ahead], users: [(.delete(id: "u", at: EventTime(milliseconds: now)), origin(0))]))
        #expect((summary.stored, summary.erased) == (0, 1))
    }
}
