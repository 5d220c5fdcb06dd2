import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

/// What PostgreSQL would not take in one message is refused or sent in parts, and never a trap or a lost connection.
@Suite struct ParameterBoundTests {
    @Test func valuesBeyondTheBoundAreRefusedAndKeptOutOfMemory() {
        var parameters = Parameters(limitBytes: 1_000)
        for _ in 0..<10 { parameters.add(bytes: [UInt8](repeating: 1, count: 90)) }
        #expect(parameters.refusal == nil)
        parameters.add(bytes: [UInt8](repeating: 1, count: 200))
        #expect(parameters.refusal?.contains("1 GiB") == true)
        // Whatever follows: lists, values larger than the bound alone, small ones.
        parameters.add([String](repeating: String(repeating: "x", count: 300), count: 50))
        parameters.add(bytes: [UInt8](repeating: 1, count: 100_000))
        parameters.add(Int64.max)
        #expect(parameters.refusal != nil)
        #expect(parameters.buffer.capacity <= 1_000 && parameters.buffer.count <= 1_000)
    }

    @Test func moreValuesThanAStatementTakesAreRefused() {
        var parameters = Parameters()
        for _ in 0..<Parameters.valuesLimit { parameters.add(1) }
        #expect(parameters.refusal == nil)
        parameters.add(1)
        #expect(parameters.refusal?.contains("65535") == true)
    }

    @Test func rowsGoInPartsByTheirBytes() {
        let sizes = [10, 10, 10, 95, 200, 1, 1, Int.max, 5]
        let parts = Parameters.parts(of: 7, targetBytes: 100) { sizes[$0] }
        #expect(parts == [0..<3, 3..<4, 4..<5, 5..<7])
        #expect(Parameters.parts(of: 0) { _ in 1 }.isEmpty)
        #expect(Parameters.parts(of: 3, targetBytes: 100) { _ in -5 } == [0..<3])
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct LargeBatchTests {
    /// 48 MiB of dead letters, users and histories: several statements each, and everything is there, once.
    @Test func everyPartOfALargeBatchIsStored() throws {
        let database = try TestDatabase()
        let rules = FeatureRules(historyLimitEvents: 2_000)
        let store = try IngestStore(url: database.url, rules: rules)
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        let payload = [UInt8](repeating: 0x78, count: 65_536), attributes = #"{"a":"\#(String(repeating: "y", count: 15_000))"}"#
        let long = String(repeating: "i", count: 240)
        func events(_ round: Int) -> [Interaction] {
            (0..<40_000).map {
                event(
                    "e\(round)-\($0)", user: "u\($0 % 20)", item: "\(long)\($0)", at: Int64(round * 40_000 + $0),
                    offset: Int64(round * 40_000 + $0))
            }
        }
        var sent = batch(events(0), claim: claim, next: 40_000)
        sent.prefolded = nil
        sent.rejections = (0..<300).map {
            RejectedRecord(
                origin: RecordOrigin(
                    source: "freshet.events", cluster: "c1", position: Position(partition: 0, offset: Int64(100_000 + $0))), key: nil,
                payload: payload, payloadBytes: 66_000, rejection: Rejection(.malformedJSON, "it is broken"))
        }
        sent.users = (0..<1_500).map {
            (.upsert(UserRecord(userID: "p\($0)", attributes: attributes)), origin(Int64($0), source: "freshet.users"))
        }
        let summary = try store.commit(sent)
        #expect(summary.stored == 40_000 && summary.rejected == 300 && summary.usersChanged == 1_500)
        #expect(try database.sql("select count(*), count(distinct \"offset\") from dead_letters") == "300|300")
        #expect(try database.sql("select count(*) from users") == "1500")
        #expect(try database.sql("select count(*), min(clicks), max(clicks) from user_features") == "20|2000|2000")
        // Rows that are there are updated in parts, too.
        var again = batch(events(1), claim: claim, next: 80_000)
        again.prefolded = nil
        #expect(try store.commit(again).stored == 40_000)
        #expect(try database.sql("select count(*), min(clicks), max(clicks) from user_features") == "20|4000|4000")
    }
}
