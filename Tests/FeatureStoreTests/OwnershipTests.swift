import FeatureStore
import Features
import Foundation
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct OwnershipTests {
    @Test func aNewOwnerEndsTheOldOne() throws {
        let database = try TestDatabase()
        let old = try IngestStore(url: database.url, rules: FeatureRules(), owner: "old")
        let new = try IngestStore(url: database.url, rules: FeatureRules(), owner: "new")
        let oldClaim = try old.claim(cluster: "c1", source: "t", partitions: [1, 0], acceptNewCluster: false)
        #expect(oldClaim.map(\.partition) == [0, 1])
        _ = try old.commit(batch([event("e1")], topic: "t", claim: oldClaim[0], next: 1))
        let newClaim = try new.claim(cluster: "c1", source: "t", partitions: [0], acceptNewCluster: false)
        #expect(newClaim == [PartitionClaim(partition: 0, epoch: 2, nextOffset: 1)])
        do {
            _ = try old.commit(batch([event("e2", at: 5)], topic: "t", claim: oldClaim[0], next: 2))
            Issue.record("the old owner could commit")
        } catch {
            #expect(error.code == .lostOwnership && !error.isRetriable)
            #expect(error.message.contains("t/0") && error.message.contains("new"))
        }
        #expect(try new.commit(batch([event("e2", at: 5)], topic: "t", claim: newClaim[0], next: 2)).stored == 1)
        #expect(try old.commit(batch([event("e3", at: 6)], topic: "t", claim: oldClaim[1], next: 1)).stored == 1)
        #expect(try database.sql("select count(*), max(clicks) from interactions, user_features") == "3|3")
        let unclaimed = batch([event("e9", at: 7)], topic: "t", claim: PartitionClaim(partition: 7, epoch: 1, nextOffset: nil), next: 1)
        #expect(throws: StoreError.self) { try old.commit(unclaimed) }
    }

    @Test func aDatabaseThatWentBackIsReadFromItsOwnOffset() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "t", partitions: [0], acceptNewCluster: false)[0]
        for step in 1...3 { _ = try store.commit(batch([event("e\(step)", at: Int64(step))], topic: "t", claim: claim, next: Int64(step))) }
        // An older standby took over: two commits are gone with their offsets.
        try database.sql("delete from interactions where event_id <> 'e1'; update stream_offsets set next_offset = 1")
        let next = batch([event("e4", at: 4)], topic: "t", claim: claim, next: 4)
        let error = #expect(throws: StoreError.self) { try store.commit(next) }
        #expect(error?.code == .lostOwnership && error?.message.contains("went back") == true, "\(String(describing: error))")
        let again = try store.claim(cluster: "c1", source: "t", partitions: [0], acceptNewCluster: false)[0]
        #expect(again.nextOffset == 1)
        let missing = (2...4).map { event("e\($0)", at: Int64($0)) }
        #expect(try store.commit(batch(missing, topic: "t", claim: again, next: 4)).stored == 3)
        // Nothing at all is stored after a restore of an empty backup.
        try database.sql("update stream_offsets set next_offset = null")
        let last = batch([event("e5", at: 5)], topic: "t", claim: again, next: 5)
        #expect(throws: StoreError.self) { try store.commit(last) }
    }

    @Test func anotherClusterNeedsConsent() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "first", source: "t", partitions: [0], acceptNewCluster: false)[0]
        _ = try store.commit(batch([event("e1")], topic: "t", claim: claim, next: 70))
        do {
            _ = try store.claim(cluster: "second", source: "t", partitions: [0, 1], acceptNewCluster: false)
            Issue.record("another cluster was accepted")
        } catch {
            #expect(error.code == .otherCluster)
            for part in ["first", "second", "--accept-new-cluster"] { #expect(error.message.contains(part)) }
        }
        #expect(try database.sql("select epoch, next_offset, cluster from stream_offsets") == "1|70|first")
        let accepted = try store.claim(cluster: "second", source: "t", partitions: [0, 1], acceptNewCluster: true)
        #expect(
            accepted == [PartitionClaim(partition: 0, epoch: 2, nextOffset: nil), PartitionClaim(partition: 1, epoch: 1, nextOffset: nil)])
        let again = try store.claim(cluster: "second", source: "t", partitions: [0], acceptNewCluster: true)
        #expect(again[0].nextOffset == nil && again[0].epoch == 3)
    }

    @Test func concurrentConsumersOfTheSameUsersAndItemsLoseNothing() async throws {
        let database = try TestDatabase()
        let parts = (0..<2).map { madeUpEvents(2_000, seed: UInt64(40 + $0), partition: Int32($0)) }
        // The second consumer also gets what the first one has: keys collide while both are under way.
        let sent = [parts[0], parts[1] + parts[0]]
        let url = database.url
        let summaries = try await withThrowingTaskGroup(of: [IngestSummary].self) { group in
            for number in 0..<2 {
                let events = sent[number]
                group.addTask {
                    let store = try IngestStore(url: url, rules: FeatureRules())
                    return try stride(from: 0, to: events.count, by: 100).map {
                        try store.commit(IngestBatch(interactions: Array(events[$0..<min(events.count, $0 + 100)])))
                    }
                }
            }
            var all: [IngestSummary] = []
            for try await part in group { all += part }
            return all
        }
        #expect(summaries.map(\.stored).reduce(0, +) == 4_000)
        #expect(summaries.map(\.duplicates).reduce(0, +) == 2_000)
        let alone = try TestDatabase()
        _ = try IngestStore(url: alone.url, rules: FeatureRules()).commit(IngestBatch(interactions: parts[0] + parts[1]))
        let (content, expected) = (try database.content(), try alone.content())
        for table in ["interactions", "user_features", "item_features", "item_revenue"] {
            #expect(content[table] == expected[table], "\(table)")
        }
    }
}
