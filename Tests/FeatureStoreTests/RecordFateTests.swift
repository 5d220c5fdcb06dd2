import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct RecordFateTests {
    private static let topic = "freshet.events"

    private func sent(_ event: Interaction, hasID: Bool = true) -> SentEvent {
        SentEvent(position: event.position, userID: event.userID, time: event.time, eventID: hasID ? event.eventID : nil)
    }

    @Test func eachEventIsToldWhatBecameOfIt() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        let claim = try store.claim(cluster: "c1", source: Self.topic, partitions: [0], acceptNewCluster: false)[0]
        _ = try store.commit(IngestBatch(users: [(.delete(id: "gone", at: time(50)), origin(0, source: "freshet.users"))]))
        let first = event("a", at: 10, offset: 1)
        let again = event("a", at: 10, offset: 2)
        let other = event("a", at: 10, offset: 3, hash: 2)
        let erased = event("b", user: "gone", at: 50, offset: 4)
        let later = event("c", user: "gone", at: 51, offset: 5)
        let unnamed = event("c1/freshet.events/0/6", at: 10, offset: 6)
        _ = try store.commit(batch([first, again, other, erased, later, unnamed], claim: claim, next: 7))
        let asked = [sent(other), sent(first), sent(again), sent(erased), sent(later), sent(unnamed, hasID: false)]
        for cluster in ["c1", nil] {
            let fates = try queries.fates(of: asked, topic: Self.topic, cluster: cluster)
            guard case .rejected("conflicting_duplicate", "event_id", _) = fates[0] else { return #expect(Bool(false), "\(fates[0])") }
            #expect(Array(fates[1...]) == [.stored, .duplicate, .erased(at: time(50)), .stored, .stored])
        }
        // Places of another cluster, or of another topic, mean nothing here.
        #expect(try queries.fates(of: [sent(other)], topic: Self.topic, cluster: "c2") == [.duplicate])
        #expect(try queries.fates(of: [sent(other)], topic: "another", cluster: "c1") == [.duplicate])
        #expect(try queries.fates(of: [], topic: Self.topic, cluster: nil) == [])
    }

    @Test func recordsThatChangedNothingSaySo() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        var batch = IngestBatch(items: [upsert("i1", updatedAt: 100), upsert("i2", updatedAt: 100)])
        batch.items.append((.delete(id: "i2", at: time(200)), origin(2, at: time(200))))
        batch.users = [(.upsert(UserRecord(userID: "u1", updatedAt: time(100))), origin(0, source: "freshet.users"))]
        batch.rejections = [
            RejectedRecord(
                origin: origin(9), key: Array("i9".utf8), payload: [1], payloadBytes: 1,
                rejection: Rejection(.outOfRange, field: "price", "is negative")),
            RejectedRecord(
                origin: origin(10), key: Array("i1".utf8), payload: [1], payloadBytes: 1,
                rejection: Rejection(.tooLarge, field: "attributes", "too many")),
        ]
        _ = try store.commit(batch)
        _ = try store.commit(IngestBatch(users: [(.delete(id: "gone", at: time(300)), origin(1, source: "freshet.users"))]))

        func record(_ id: String, _ offset: Int64, _ from: Int64, _ to: Int64? = nil, deletes: Bool = false) -> SentRecord {
            SentRecord(
                id: id, position: Position(partition: 0, offset: offset), isDeletion: deletes, time: time(from)...time(to ?? from))
        }
        func item(_ record: SentRecord) throws -> RecordFate { try queries.fate(ofItem: record, topic: "freshet.items", cluster: "c1") }
        func user(_ record: SentRecord) throws -> RecordFate { try queries.fate(ofUser: record, topic: "freshet.users", cluster: "c1") }
        #expect(try item(record("i1", 0, 100)) == .stored)
        #expect(try item(record("i1", 0, 99)) == .superseded(by: time(100)))
        // Without a time of its own: sent before and acknowledged after what is stored.
        #expect(try item(record("i1", 0, 90, 110)) == .stored)
        #expect(try item(record("i1", 0, 90, 99)) == .superseded(by: time(100)))
        #expect(try item(record("i1", 0, 90, 99, deletes: true)) == .superseded(by: time(100)))
        #expect(try item(record("i2", 2, 199, 201, deletes: true)) == .stored)
        #expect(try item(record("i2", 3, 150)) == .superseded(by: time(200)))
        #expect(try item(record("i9", 9, 100)) == .rejected(code: "out_of_range", field: "price", detail: "is negative"))
        // The other fields of a patch count.
        var patch = record("i1", 10, 100)
        #expect(try item(patch) == .rejected(code: "too_large", field: "attributes", detail: "too many"))
        patch.statesOthers = true
        #expect(try item(patch) == .storedWithout(code: "too_large", field: "attributes", detail: "too many"))
        #expect(try user(record("u1", 5, 100)) == .stored)
        #expect(try user(record("u1", 5, 99)) == .superseded(by: time(100)))
        #expect(try user(record("u1", 5, 99, deletes: true)) == .stored)
        #expect(try user(record("gone", 5, 300)) == .erased(at: time(300)))
        #expect(try user(record("gone", 5, 400, deletes: true)) == .stored)
    }

    @Test func theNewestItemsAreByTime() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        func item(_ id: String, published: Int64?, hidden: Bool = false) -> (change: RecordChange<ItemRecord>, origin: RecordOrigin) {
            let record = ItemRecord(
                itemID: id, priceMicros: 1_000_000, currency: "VND",
                publishedAt: published.map { EventTime(milliseconds: $0) }, hidden: hidden)
            return (.upsert(record), origin(0, at: start))
        }
        _ = try store.commit(IngestBatch(items: [item("a", published: 1_000), item("z", published: 3_000), item("m", published: 2_000)]))
        // Nothing says when it came to be, so it is as new as its record; the next one is to come, and counts as now.
        _ = try store.commit(IngestBatch(items: [item("undated", published: nil), item("hidden", published: 5_000, hidden: true)]))
        _ = try store.commit(IngestBatch(items: [item("to come", published: 9_000_000_000_000)]))
        let newest = try StoreQueries(url: database.url).newestItems(limit: 4)
        #expect(newest.map(\.record.itemID) == ["to come", "undated", "z", "m"])
        #expect(
            newest.allSatisfy {
                $0.record.currency == "VND" && $0.record.priceMicros == 1_000_000 && $0.addedAt.milliseconds > 1_600_000_000_000
            })
    }
}
