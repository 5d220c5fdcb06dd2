import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ExactlyOnceTests {
    /// Batches with everything in them: repeats within and across batches, a conflict, items, users, an erasure, rejections.
    static func batches() -> [IngestBatch] {
        let events = madeUpEvents(240, seed: 11, partition: 0)
        let trades = madeUpTrades(160, seed: 12, partition: 0)
        var batches: [IngestBatch] = []
        for index in 0..<4 {
            var interactions = Array(events[(index * 60)..<(index * 60 + 60)])
            interactions += trades[(index * 40)..<(index * 40 + 40)]
            interactions.append(interactions[3])
            if index == 2 {
                interactions.append(events[5])
                var changed = events[6]
                changed.payloadHash ^= 1
                changed.position.offset = 1_000
                interactions.append(changed)
            }
            var delta = FeatureDelta(rules: FeatureRules())
            delta.fold(interactions)
            var batch = IngestBatch(interactions: interactions, prefolded: delta)
            batch.items = [
                upsert("i\(index)", title: "v\(index)", updatedAt: Int64(index)),
                upsert("i0", title: "again \(index)", updatedAt: Int64(index)),
            ]
            batch.users = [
                (
                    .upsert(
                        UserRecord(userID: "u\(index)", attributes: #"{"age":"25"}"#, aliases: ["session:s\(index)"], updatedAt: time(5))),
                    origin(Int64(index))
                )
            ]
            if index == 1 { batch.users.append((.delete(id: "u7", at: time(2_592_000_000)), origin(9))) }
            batch.rejections = [
                RejectedRecord(
                    origin: RecordOrigin(source: "freshet.events", cluster: "c1", position: Position(partition: 0, offset: Int64(index))),
                    key: [0x75, 0x31], payload: [0x7B], payloadBytes: 1, rejection: Rejection(.malformedJSON, "ends early"))
            ]
            batches.append(batch)
        }
        return batches
    }

    /// Sends the batches as a consumer does: each start claims, reads the stored offset and goes on from there.
    static func ingest(_ batches: [IngestBatch], _ database: TestDatabase, failures: @escaping (CommitStep, Int) -> (() throws -> Void)?)
        throws -> Int
    {
        var starts = 0
        var attempts = [Int](repeating: 0, count: batches.count)
        while true {
            starts += 1
            try #require(starts < 100)
            let store = try IngestStore(url: database.url, rules: FeatureRules())
            let claim = try #require(
                try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false).first)
            var index = Int(claim.nextOffset ?? 0)
            if index == batches.count { return starts }
            do throws(StoreError) {
                while index < batches.count {
                    attempts[index] += 1
                    let attempt = attempts[index]
                    store.onStep = { (step) throws(StoreError) in
                        guard let fail = failures(step, attempt) else { return }
                        do { try fail() } catch { throw StoreError(.closed, isRetriable: true, "the test failed here") }
                    }
                    var batch = batches[index]
                    batch.offsets = [ClaimedOffset(topic: "freshet.events", partition: 0, epoch: claim.epoch, nextOffset: Int64(index + 1))]
                    _ = try store.commit(batch)
                    index += 1
                }
            } catch {
                #expect(error.isRetriable, "\(error)")
            }
        }
    }

    struct Stop: Error {}

    @Test func aCrashBetweenAnyTwoStepsChangesNothing() throws {
        let batches = Self.batches()
        let undisturbed = try TestDatabase()
        #expect(try Self.ingest(batches, undisturbed) { _, _ in nil } == 2)
        let expected = try undisturbed.content()
        #expect(expected["interactions"]?.isEmpty == false && expected["purchase_returns"]?.isEmpty == false)
        #expect(expected["erasures"]?.hasPrefix("u7|") == true)
        #expect(expected["dead_letters"]?.contains("conflicting_duplicate") == true)

        for step in CommitStep.allCases {
            let database = try TestDatabase()
            // First the commit is given up, then the server process dies under it.
            let starts = try Self.ingest(batches, database) { reached, attempt in
                guard reached == step else { return nil }
                switch attempt {
                case 1: return { throw Stop() }
                case 2: return { try database.kill(application: "freshet ingest") }
                default: return nil
                }
            }
            #expect(starts > batches.count, "\(step) never failed")
            let content = try database.content()
            for (table, rows) in expected { #expect(content[table] == rows, "\(table) after failures at \(step)") }
        }
    }

    @Test func aCommitWithAnUnknownOutcomeCanBeRepeated() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "t", partitions: [3], acceptNewCluster: false)[0]
        #expect(claim == PartitionClaim(partition: 3, epoch: 1, nextOffset: nil))
        var fails = true
        store.onStep = { (step) throws(StoreError) in
            if step == .committed && fails {
                fails = false
                throw StoreError(.connectionLost, isRetriable: true, "the answer was lost")
            }
        }
        let sent = batch([event("e1"), event("e2", at: 1)], topic: "t", claim: claim, next: 2)
        #expect(throws: StoreError.self) { try store.commit(sent) }
        let again = try store.commit(sent)
        #expect(again.alreadyCommitted && again.stored == 0)
        #expect(try database.sql("select count(*), sum(clicks) from interactions, user_features") == "2|4")
        let older = batch([], topic: "t", claim: claim, next: 1)
        #expect(throws: StoreError.self) { try store.commit(older) }
    }

    @Test func theOrderOfBatchesDoesNotMatter() throws {
        let parts = [
            madeUpEvents(300, seed: 1, partition: 0), madeUpEvents(300, seed: 2, partition: 1), madeUpEvents(300, seed: 3, partition: 2),
        ]
        var contents: [[String: String]] = []
        for order in [[[0], [1], [2]], [[2], [0], [1]], [[2, 1, 0]]] {
            let database = try TestDatabase()
            let store = try IngestStore(url: database.url, rules: FeatureRules())
            for group in order {
                let events = group.flatMap { parts[$0] }
                let summary = try store.commit(IngestBatch(interactions: order.count == 1 ? events.reversed() : events))
                #expect(summary.stored == events.count)
            }
            contents.append(try database.content())
        }
        #expect(contents[0]["item_revenue"]?.contains("EUR") == true)
        for table in ["interactions", "user_features", "item_features", "item_revenue"] {
            #expect(contents[0][table] == contents[1][table], "\(table)")
            #expect(contents[0][table] == contents[2][table], "\(table)")
        }
    }

    @Test func repeatsCountOnceAndConflictsBecomeDeadLetters() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        let first = [event("e1"), event("e1"), event("e2", at: 1, offset: 1), event("e2", at: 1, offset: 2, hash: 9)]
        var summary = try store.commit(batch(first, claim: claim, next: 3))
        #expect((summary.stored, summary.duplicates, summary.conflicts, summary.rejected) == (2, 1, 1, 1))
        // Fresh, repeated and conflicting events together, by the staging way; then a fresh batch, and COPY again.
        let second = [event("e1", offset: 3), event("e3", at: 2, offset: 4), event("e2", item: "other", at: 1, offset: 5, hash: 10)]
        summary = try store.commit(batch(second, claim: claim, next: 6))
        #expect((summary.stored, summary.duplicates, summary.conflicts) == (1, 1, 1))
        for offset in 6..<12 {
            summary = try store.commit(
                batch(
                    [event("e\(offset)", at: Int64(offset), offset: Int64(offset)), event("e1", offset: 20)], claim: claim,
                    next: Int64(offset + 1)))
            #expect((summary.stored, summary.duplicates) == (1, 1))
        }
        #expect(try database.sql("select clicks, impressions from user_features") == "9|0")
        #expect(try database.sql("select clicks, click_newest > 0 from item_features") == "9|t")
        #expect(
            try database.sql("select source, cluster, partition, \"offset\", code, convert_from(key, 'UTF8') from dead_letters order by 4")
                == "freshet.events|c1|0|2|conflicting_duplicate|u1\nfreshet.events|c1|0|5|conflicting_duplicate|u1")
    }

    @Test func sumsAtTheirEndDoNotStopTheStream() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        for id in ["a", "b", "c"] {
            var purchase = event(id, .purchase)
            purchase.amountMinor = .max - 1
            purchase.currency = "EUR"
            #expect(try store.commit(IngestBatch(interactions: [purchase])).stored == 1)
        }
        #expect(try database.sql("select revenue_minor from item_revenue") == "9223372036854775807")
    }
}
