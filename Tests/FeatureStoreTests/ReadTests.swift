import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct ReadTests {
    @Test func aReadSeesWhatWasCommittedBeforeIt() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let reader = try UserStateReader(url: database.url)
        let unknown = try await reader.read(userID: "nobody", exclude: [.purchase])
        #expect(unknown == UserState(userID: "nobody", history: UserHistory(limit: 200), catalogue: unknown.catalogue))
        for number in 0..<20 {
            _ = try store.commit(
                IngestBatch(interactions: [
                    event("e\(number)", number % 2 == 0 ? .click : .purchase, item: "i\(number)", at: Int64(number), offset: Int64(number))
                ]))
            let state = try await reader.read(userID: "u1", exclude: [.purchase])
            #expect(state.history.entries.map(\.itemID) == (0...number).map { "i\($0)" })
            #expect(Set(state.excludedItemIDs) == Set((0...number).filter { $0 % 2 == 1 }.map { "i\($0)" }))
            #expect(state.watermark == [Position(partition: 0, offset: Int64(number))])
        }
        #expect(try await reader.read(userID: "u1", exclude: []).excludedItemIDs.isEmpty)
        #expect(try await reader.read(userID: "u1", exclude: [.click, .purchase]).excludedItemIDs.count == 20)
        reader.close()
        await #expect(throws: StoreError.self) { try await reader.read(userID: "u1", exclude: []) }
    }

    @Test("what the server ended meanwhile is asked again: no caller sees it")
    func endedConnections() async throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url), reader = try UserStateReader(url: database.url, connections: 1)
        for round in 0..<3 {
            #expect(try queries.user("nobody") == nil)
            #expect(try await reader.read(userID: "nobody", exclude: []).history.entries.isEmpty)
            // What ended is counted, so that an operator hears of what no caller sees.
            #expect(queries.lostConnections == round && reader.lostConnections == round)
            _ = try database.sql(
                "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where datname = current_database() and pid <> "
                    + "pg_backend_pid()"
            )
            #expect(try queries.item("nothing") == nil)
            #expect(try queries.promotedModel() == nil)
        }
    }

    @Test func aliasesBringTheirHistory() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let reader = try UserStateReader(url: database.url)
        _ = try store.commit(
            IngestBatch(
                interactions: [
                    event("a", .click, user: "session:s1", item: "i1", at: 1),
                    event("b", .purchase, user: "session:s1", item: "i2", at: 3, offset: 2),
                    event("c", .click, user: "u1", item: "i3", at: 2, offset: 1),
                ],
                users: [
                    (
                        .upsert(
                            UserRecord(
                                userID: "u1", attributes: #"{"age":"25"}"#, aliases: ["session:s1", "u1", "session:none"],
                                updatedAt: time(1))), origin(0)
                    )
                ]))
        let state = try await reader.read(userID: "u1", exclude: [.purchase])
        #expect(state.history.entries.map(\.itemID) == ["i1", "i3", "i2"])
        #expect(state.excludedItemIDs == ["i2"] && state.attributes == #"{"age": "25"}"#)
        #expect(Set(state.watermark.map(\.offset)) == [1, 2])
        #expect(try await reader.read(userID: "session:s1", exclude: []).history.entries.map(\.itemID) == ["i1", "i2"])
    }

    @Test func everyAliasThatARecordMayNameExcludes() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let reader = try UserStateReader(url: database.url)
        let aliases = (0..<UserStateReader.aliasesLimit).map { "session:s\($0)" }
        _ = try store.commit(
            IngestBatch(
                interactions: aliases.enumerated().map {
                    event("e\($0)", .purchase, user: $1, item: "i\($0)", at: Int64($0), offset: Int64($0))
                },
                users: [(.upsert(UserRecord(userID: "u1", aliases: aliases, updatedAt: time(1))), origin(0))]))
        let state = try await reader.read(userID: "u1", exclude: [.purchase])
        #expect(Set(state.excludedItemIDs) == Set((0..<aliases.count).map { "i\($0)" }) && !state.isCutShort)
        #expect(state.history.entries.count == 200 && reader.cutShortReads == 0)
        // A record of an older version may name more: that is said.
        _ = try database.sql("update users set aliases = aliases || array['session:more'] where user_id = 'u1'")
        #expect(try await reader.read(userID: "u1", exclude: [.purchase]).isCutShort)
        #expect(reader.cutShortReads == 1)
    }

    @Test func aliasesOfAliasesAreThePersonToo() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let reader = try UserStateReader(url: database.url)
        // a names b, b names c and a, c names d; e names itself in a circle of two with f.
        let names = ["a": ["b"], "b": ["c", "a"], "c": ["d"], "e": ["f"], "f": ["e"]]
        _ = try store.commit(
            IngestBatch(
                interactions: ["a", "b", "c", "d", "e", "f"].enumerated().map {
                    event("e\($0)", .purchase, user: $1, item: "of \($1)", at: Int64($0), offset: Int64($0))
                },
                users: names.map {
                    (.upsert(UserRecord(userID: $0, attributes: #"{"of":"\#($0)"}"#, aliases: $1, updatedAt: time(1))), origin(0))
                }))
        for (user, others) in [("a", "abcd"), ("b", "abcd"), ("c", "cd"), ("d", "d"), ("e", "ef"), ("f", "ef")] {
            let state = try await reader.read(userID: user, exclude: [.purchase])
            #expect(Set(state.excludedItemIDs) == Set(others.map { "of \($0)" }) && !state.isCutShort, "\(user)")
            #expect(state.history.entries.count == others.count && state.watermark.count == others.count, "\(user)")
            #expect(state.attributes == (user == "d" ? nil : #"{"of": "\#(user)"}"#))
        }
    }

    @Test func whatWasBoughtLongAgoStillExcludes() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let reader = try UserStateReader(url: database.url)
        _ = try store.commit(IngestBatch(interactions: [event("p", .purchase, item: "bought", at: 0)]))
        for part in 0..<5 {
            _ = try store.commit(
                IngestBatch(
                    interactions: (0..<100).map {
                        event("c\(part)-\($0)", item: "clicked\($0)", at: Int64(1 + part * 100 + $0), offset: Int64(part * 100 + $0))
                    }))
        }
        let state = try await reader.read(userID: "u1", exclude: [.purchase])
        #expect(state.history.entries.allSatisfy { $0.type == .click } && state.excludedItemIDs == ["bought"])
    }

    @Test func manyReadsAtOnceEachGetTheirOwnAnswerAlsoAfterALostConnection() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try store.commit(IngestBatch(interactions: (0..<300).map { event("e\($0)", .purchase, user: "u\($0)", item: "i\($0)") }))
        let reader = try UserStateReader(url: database.url, connections: 2)
        for round in 0..<2 {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        let state = try await reader.read(userID: "u\(number)", exclude: number % 2 == 0 ? [.purchase] : [.click])
                        return state.history.entries.map(\.itemID) == ["i\(number)"]
                            && state.excludedItemIDs == (number % 2 == 0 ? ["i\(number)"] : [])
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            if round == 0 { try database.kill(application: "freshet read") }
        }
    }

    @Test func statisticsOutcomesAndDeadLetters() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        let claim = try store.claim(cluster: "c1", source: "t", partitions: [0], acceptNewCluster: false)[0]
        var sent = batch(
            [
                event("r1#0", .impression, item: "i1", at: 0, request: "r1", slot: 0, model: 3),
                event("r1#1", .impression, item: "i2", at: 0, request: "r1", slot: 1, model: 3),
                event("r2#0", .impression, item: "i1", at: 5, request: "r2", slot: 0, model: 4),
                event("k1", .click, item: "i2", at: 1_500, request: "r1"), event("k2", .click, item: "i2", at: 1_600, request: "r1"),
                event("p1", .purchase, item: "i2", at: 90_000, request: "r1"),
                event("k3", .click, user: "u2", item: "i1", at: 9, request: "r2"),
            ], topic: "t", claim: claim, next: 7)
        sent.rejections = (0..<3).map {
            RejectedRecord(
                origin: RecordOrigin(source: "t", cluster: "c1", position: Position(partition: 0, offset: $0)), key: $0 == 0 ? nil : [1],
                payload: [0xFF, 0],
                payloadBytes: 99, rejection: Rejection($0 == 2 ? .tooLarge : .malformedJSON, field: "f", "why"))
        }
        _ = try store.commit(sent)
        #expect(
            try await queries.run { (queries) throws(StoreError) in try queries.modelOutcomes(since: time(-1)) } == [
                ModelOutcome(modelVersion: 3, impressions: 2, clicks: 1, addToCarts: 0, purchases: 1),
                ModelOutcome(modelVersion: 4, impressions: 1, clicks: 0, addToCarts: 0, purchases: 0),
            ])
        #expect(
            try database.sql(
                "select request_id, item_id, slot, model_version, type, event_id, delay from attributed_outcomes order by event_id")
                == "r1|i2|1|3|1|k1|00:00:01.5\nr1|i2|1|3|1|k2|00:00:01.6\nr1|i2|1|3|3|p1|00:01:30")
        let statistics = try queries.statistics()
        #expect(statistics.interactions == [.impression: 3, .click: 3, .addToCart: 0, .purchase: 1])
        #expect(statistics.users == 2 && statistics.deadLetters == ["malformed_json": 2, "too_large": 1])
        #expect(statistics.newestEventTime == time(90_000))
        #expect(try queries.interactionsPerMinute(until: time(90_000)).map(\.interactions).reduce(0, +) == 4)
        #expect(try queries.isCommitted([("t", Position(partition: 0, offset: 6))]))
        #expect(try !queries.isCommitted([("t", Position(partition: 0, offset: 7))]))
        #expect(try !queries.isCommitted([("t", Position(partition: 1, offset: 0))]))

        let letters = try queries.deadLetters()
        #expect(letters.map(\.record.origin.position.offset) == [2, 1, 0] && letters[0].record.rejection.code == .tooLarge)
        #expect(letters[2].record.key == nil && letters[1].record.payload == [0xFF, 0] && letters[1].record.payloadBytes == 99)
        #expect(try queries.deadLetters(code: .malformedJSON, limit: 1).map(\.id) == [letters[1].id])
        #expect(try queries.deadLetters(before: letters[1].id).map(\.id) == [letters[2].id])
        #expect(try queries.markReplayed([letters[0].id, 999]) == 1)
        #expect(try queries.deadLetter(letters[0].id)?.replayedAt != nil)
        #expect(try queries.deadLetters(notReplayed: true).count == 2)
    }
}
