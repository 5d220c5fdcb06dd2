import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct TrainingTests {
    private static func rows(_ snapshot: TrainingSnapshot, after: String? = nil) throws -> [TrainingRow] {
        var rows: [TrainingRow] = []
        try snapshot.forEachInteraction(after: after) { (row) throws(StoreError) in rows.append(row) }
        return rows
    }

    @Test func theExportIsOrderedAndLeavesImpressionsOut() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let events = madeUpEvents(500, seed: 8, partition: 2)
        _ = try store.commit(IngestBatch(interactions: events, items: [upsert("i1", title: "one", updatedAt: 3)], users: [
            (.upsert(UserRecord(userID: "u1", attributes: #"{"a":1}"#, aliases: ["x"], updatedAt: time(4))), origin(0))]))
        let snapshot = try TrainingSnapshot(url: database.url)
        let rows = try Self.rows(snapshot)
        let expected = events.filter { $0.type != .impression }.sorted {
            ($0.userID, $0.time, $0.position) < ($1.userID, $1.time, $1.position)
        }
        #expect(rows.map(\.userID) == expected.map(\.userID) && rows.map(\.itemID) == expected.map(\.itemID))
        #expect(rows.map(\.position) == expected.map(\.position) && rows.map(\.type) == expected.map(\.type))
        #expect(rows.map(\.amountMinor) == expected.map(\.amountMinor) && rows.map(\.time) == expected.map(\.time))
        #expect(snapshot.watermark.newestEventTime == expected.map(\.time).max())
        var items: [CatalogueItem] = [], users: [UserRecord] = [], impressions = 0
        try snapshot.forEachItem { (item) throws(StoreError) in items.append(item) }
        try snapshot.forEachUser { (user) throws(StoreError) in users.append(user) }
        try snapshot.forEachInteraction(types: [.impression], until: time(2_592_000_000), withContext: true) { (row) throws(StoreError) in
            impressions += 1
            if row.context != #"{"device":"phone"}"# { throw StoreError(.conflict, "context is \(row.context ?? "nil")") }
        }
        #expect(
            items.map(\.record.title) == ["one"]
                && users == [UserRecord(userID: "u1", attributes: #"{"a": 1}"#, aliases: ["x"], updatedAt: time(4))])
        #expect(impressions == events.count { $0.type == .impression && $0.time.milliseconds <= time(2_592_000_000).milliseconds })
    }

    private struct Row: Equatable {
        var user, item: String
        var type: UInt8
        var time: EventTime
        var position: Position
        var context: String?
    }

    @Test func eventsComeAsTheyLieAndAreTheSameOnes() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try store.commit(IngestBatch(interactions: madeUpEvents(500, seed: 9, partition: 3)))
        let snapshot = try TrainingSnapshot(url: database.url)
        let until = time(2_592_000_000)
        for border in [nil, until] {
            var ordered: [Row] = [], met: [Row] = [], contexts = 0
            try snapshot.forEachInteraction(until: border, withContext: true) { (row) throws(StoreError) in
                ordered.append(
                    Row(
                        user: row.userID, item: row.itemID, type: row.type.rawValue, time: row.time, position: row.position,
                        context: row.context))
            }
            try snapshot.forEachEvent(until: border, withContext: true) { (event) throws(StoreError) in
                met.append(
                    Row(
                        user: String(decoding: event.userID, as: UTF8.self), item: String(decoding: event.itemID, as: UTF8.self),
                        type: event.type, time: event.time, position: event.position,
                        context: event.context.map { String(decoding: $0, as: UTF8.self) }))
            }
            met.sort { ($0.user, $0.time, $0.position.offset) < ($1.user, $1.time, $1.position.offset) }
            #expect(!met.isEmpty && met == ordered)
            try snapshot.forEachEvent(until: border) { (event) throws(StoreError) in contexts += event.context == nil ? 0 : 1 }
            #expect(contexts == 0, "contexts are read only when asked for")
        }
    }

    @Test func aTransactionThatCommitsLateIsNotSkippedByTheNextIncrement() throws {
        let database = try TestDatabase()
        let slow = try IngestStore(url: database.url, rules: FeatureRules())
        let fast = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try slow.commit(IngestBatch(interactions: [event("before", user: "a")]))
        var first = ""
        var seen: [String] = []
        slow.onStep = { (step) throws(StoreError) in
            // The slow transaction has written and not committed; the fast one starts later and commits first.
            guard step == .interactionsStored else { return }
            _ = try fast.commit(IngestBatch(interactions: [event("fast", user: "b", at: 2)]))
            let snapshot = try TrainingSnapshot(url: database.url)
            first = snapshot.watermark.snapshot
            try snapshot.forEachInteraction { (row) throws(StoreError) in seen.append(row.userID) }
        }
        _ = try slow.commit(IngestBatch(interactions: [event("slow", user: "c", at: 1)]))
        #expect(seen == ["a", "b"])
        #expect(try Self.rows(TrainingSnapshot(url: database.url), after: first).map(\.userID) == ["c"])
        #expect(throws: StoreError.self) { try Self.rows(TrainingSnapshot(url: database.url), after: "1:2:3'; drop table models") }
    }

    @Test func oneTrainerAtATime() throws {
        let database = try TestDatabase()
        let lock = try TrainingLock(url: database.url)
        let error = #expect(throws: StoreError.self) { try TrainingLock(url: database.url) }
        #expect(error?.code == .trainingInProgress && error?.message.contains("another training") == true)
        #expect(lock.isHeld())
        lock.release()
        #expect(!lock.isHeld())
        let next = try TrainingLock(url: database.url)
        try database.kill(application: "freshet train")
        #expect(!next.isHeld())
    }
}
