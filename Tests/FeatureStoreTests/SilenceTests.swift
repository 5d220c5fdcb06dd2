import FeatureStore
import Features
import Foundation
import Interactions
import Testing
import TestSupport

/// Connections that fall silent without an end are noticed, and long work is not taken for silence.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason), .timeLimit(.minutes(15)))
struct SilenceTests {
    /// A database behind a gate; nil where the server is not reached by a port on loopback.
    private func gated() throws -> (database: TestDatabase, gate: Gate, url: String)? {
        let database = try TestDatabase()
        guard var parts = URLComponents(string: database.url), let port = parts.port, parts.host == "127.0.0.1" else { return nil }
        let gate = try Gate(to: UInt16(port))
        parts.port = Int(gate.port)
        return (database, gate, try #require(parts.string))
    }

    @Test(arguments: [true, false])
    func aSilentConnectionIsGivenUpWithinHalfAMinute(_ newOnesToo: Bool) throws {
        guard let (database, gate, url) = try gated() else { return }
        let store = try IngestStore(url: url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        let sent = batch([event("e1", at: 1, offset: 0)], claim: claim, next: 1)
        gate.silence(newConnections: newOnesToo)
        let started = ContinuousClock.now
        let error = #expect(throws: StoreError.self) { try store.commit(sent) }
        #expect(error?.code == .connectionLost && error?.isRetriable == true, "\(String(describing: error))")
        #expect(error?.message.contains("silent") == true, "\(String(describing: error))")
        // The promise is 30 s; where it is broken, the server's own limit of 60 s or nothing at all ends the waiting.
        #expect(started.duration(to: .now) < .seconds(45))
        gate.speak()
        #expect(try store.commit(sent).stored == 1)
        #expect(try database.sql("select count(*) from interactions") == "1")
    }

    /// The answer comes while the server is asked, over a connection that stays silent, whether it still works.
    @Test func anAnswerThatComesDuringTheQuestionIsTakenAndTheConnectionNeverStuck() throws {
        guard let (database, gate, url) = try gated() else { return }
        defer { gate.cutOff() }
        let store = try IngestStore(url: url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        let sent = batch([event("e1", at: 1, offset: 0)], claim: claim, next: 1)
        gate.hold()
        // The question begins after ten seconds and lasts eight.
        DispatchQueue.global().asyncAfter(deadline: .now() + 13) { gate.release() }
        let outcome = Result { try store.commit(sent).stored }
        gate.speak()
        switch outcome {
        case .success(let stored): #expect(stored == 1)
        case .failure:
            // On a machine that stood still meanwhile the connection was given up: the next call connects again.
            #expect(try store.commit(sent).stored == 1)
        }
        #expect(try database.sql("select count(*) from interactions") == "1")
    }

    @Test func workThatTakesLongIsWaitedFor() throws {
        guard let (database, gate, url) = try gated() else { return }
        defer { gate.cutOff() }
        let store = try IngestStore(url: url, rules: FeatureRules())
        let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: false)[0]
        let holder = Thread {
            _ = try? database.sql("begin; lock table interactions in access exclusive mode; select pg_sleep(14); commit")
        }
        holder.start()
        let locks = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'interactions'::regclass"
        #expect(try eventually { try database.sql(locks) == "1" })
        #expect(try store.commit(batch([event("e1", at: 1, offset: 0)], claim: claim, next: 1)).stored == 1)
    }
}
