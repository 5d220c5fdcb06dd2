import RecommendationAPI
import Testing

@Suite("What is said of the parts, and what of them keeps a server out of service")
struct ReadinessTests {
    private let start = ContinuousClock.now

    /// Everything well, with a model in force.
    private var well: ReadinessFacts {
        var facts = ReadinessFacts()
        for part in [\ReadinessFacts.database, \.catalogue, \.broker, \.updates, \.trending] { facts[keyPath: part].end(at: start) }
        facts.model.isKnown = true
        facts.model.promoted = 3
        facts.ingest.lagRecords = 0
        return facts
    }

    private func parts(_ facts: ReadinessFacts, served: Int? = 3, after seconds: Double = 1) -> [String: PartStatus] {
        Dictionary(
            uniqueKeysWithValues: facts.parts(servedModel: served, availableItems: 7, at: start + .seconds(seconds)).map { ($0.name, $0) })
    }

    private func canAnswer(_ parts: [String: PartStatus]) -> Bool { Array(parts.values).canAnswer }

    @Test func everythingWell() {
        let parts = parts(well)
        #expect(parts.values.allSatisfy { $0.isReady } && canAnswer(parts))
        #expect(parts["model"]?.detail == "version 3 answers" && parts["ingest"]?.detail == "has stored all records")
        #expect(Set(parts.values.filter(\.isRequired).map(\.name)) == ["database", "catalogue"])
    }

    @Test("a broker that is away or silent keeps no server out", arguments: [true, false])
    func broker(isSilent: Bool) {
        var facts = well
        facts.broker.ask(at: start)
        if !isSilent { facts.broker.end(problem: "kafka-1.internal:9093: Connection refused", at: start) }
        facts.ingest.lagRecords = nil
        let parts = parts(facts, after: 6)
        #expect(canAnswer(parts))
        #expect(parts["broker"]?.isReady == false && parts["broker"]?.state == (isSilent ? .silent : .away))
        #expect(parts["broker"]?.detail.contains("internal") == false)
        #expect(parts["ingest"]?.state == .unknown)
    }

    @Test("a question under way is no answer: neither yes nor no until it takes too long")
    func silence() {
        var facts = well
        facts.database.ask(at: start + .seconds(10))
        #expect(canAnswer(parts(facts, after: 14)))
        let silent = parts(facts, after: 16)
        #expect(!canAnswer(silent) && silent["database"]?.state == .silent)
        #expect(silent["database"]?.detail.contains("6 s") == true)
        // Asked again meanwhile: it has still been silent since the first time.
        facts.database.ask(at: start + .seconds(15))
        #expect(!canAnswer(parts(facts, after: 16)))
        facts.database.end(at: start + .seconds(17))
        #expect(canAnswer(parts(facts, after: 18)))
        // Nobody asked for an hour: its last word is not held against it.
        #expect(canAnswer(parts(facts, after: 3_600)))
    }

    @Test("a database or a catalogue that cannot be read does, and the other is told as it is")
    func away() {
        var facts = well
        facts.database.end(problem: "127.0.0.1:5432: connection refused", at: start)
        let one = parts(facts)
        #expect(!canAnswer(one) && one["database"]?.state == .away && one["catalogue"]?.isReady == true)
        #expect(one["database"]?.reason == "127.0.0.1:5432: connection refused" && one["database"]?.detail.contains("5432") == false)
        facts = well
        facts.catalogue.end(problem: "select …: permission denied", at: start)
        let other = parts(facts)
        #expect(!canAnswer(other) && other["database"]?.isReady == true && other["catalogue"]?.state == .away)
        #expect(!canAnswer(parts(ReadinessFacts())), "nothing was read yet")
    }

    @Test("a swap takes as long as it takes")
    func swap() {
        var facts = well
        facts.model.promoted = 4
        facts.model.loading = (4, start)
        let parts = parts(facts, after: 900)
        #expect(canAnswer(parts))
        #expect(parts["model"]?.detail == "version 4 has been loading for 900 s; until then version 3 answers")
        #expect(parts["updates"]?.isReady == true, "the loop is busy, not dead")
        facts.model.loading = (3, start)
        #expect(self.parts(facts)["model"]?.detail.contains("index has been built anew") == true)
    }

    @Test("what the registry promotes and what answers are told apart")
    func model() {
        var facts = well
        facts.model.promoted = 4
        facts.model.refused = (4, "/models/4: checksum")
        let kept = parts(facts)
        #expect(kept["model"]?.detail == "version 4 is promoted and cannot be used; version 3 answers")
        #expect(kept["model"]?.state == .refused && kept["model"]?.isReady == false && kept["model"]?.reason == "/models/4: checksum")
        #expect(canAnswer(kept))
        facts.model.loading = (4, start)
        #expect(parts(facts)["model"]?.state == .refused, "tried again")
        facts.model.promoted = 5
        facts.model.loading = (5, start)
        #expect(parts(facts)["model"]?.state == .loading)
        facts.model.promoted = 4
        facts.model.loading = nil
        let none = parts(facts, served: nil)["model"]
        #expect(none?.detail == "version 4 is promoted and cannot be used; answers come from what is trending")
        facts.model.promoted = 3
        #expect(parts(facts)["model"]?.detail == "version 3 answers", "rolled back")
        facts.model.promoted = nil
        facts.model.refused = nil
        #expect(parts(facts)["model"]?.detail.contains("none is promoted any more") == true)
        #expect(parts(facts, served: nil)["model"]?.state == PartState.none)
        facts.model.isKnown = false
        #expect(parts(facts, served: nil)["model"]?.detail.contains("none is promoted") == false)
        #expect(parts(facts, served: nil)["model"]?.state == .unknown)
    }

    @Test("loops that have stopped are told")
    func loops() {
        let later = parts(well, after: 700)
        for name in ["broker", "updates", "trending"] {
            #expect(later[name]?.state == .unwatched && later[name]?.detail.contains("restart") == true, "\(name)")
        }
        #expect(canAnswer(later))
        var facts = well
        facts.trending.end(problem: "canceling statement due to statement timeout", at: start)
        #expect(parts(facts)["trending"]?.state == .away)
    }

    @Test("another cluster, a missing topic and a backlog are the ingest's")
    func ingest() {
        var facts = well
        facts.ingest = ReadinessFacts.Ingest(foreignPartitions: 8, lagRecords: 12)
        #expect(parts(facts)["ingest"]?.state == .other && parts(facts)["ingest"]?.detail.contains("--accept-new-cluster") == true)
        #expect(parts(facts)["broker"]?.isReady == true && canAnswer(parts(facts)))
        facts.ingest = ReadinessFacts.Ingest(missingTopics: ["shop.users"], lagRecords: 12)
        #expect(parts(facts)["ingest"]?.isReady == false && parts(facts)["ingest"]?.reason?.contains("shop.users") == true)
        #expect(parts(facts)["ingest"]?.detail.contains("shop") == false)
        facts.ingest = ReadinessFacts.Ingest(lagRecords: 12)
        #expect(parts(facts)["ingest"]?.detail == "12 records are not stored yet" && parts(facts)["ingest"]?.isReady == true)
    }

    @Test("records that wait while none is stored are told; a backlog that is worked on is none of them")
    func standstill() {
        var facts = well
        func look(_ seconds: Int, lag: Int64?, stored: Int64) -> PartStatus? {
            facts.see(ReadinessFacts.Ingest(lagRecords: lag, storedOffsets: stored), at: start + .seconds(seconds))
            return parts(facts, after: Double(seconds))["ingest"]
        }
        #expect(look(0, lag: 0, stored: 100)?.isReady == true)
        #expect(look(2, lag: 5, stored: 100)?.isReady == true)
        #expect(look(30, lag: 9, stored: 100)?.isReady == true)
        #expect(look(33, lag: 9, stored: 100)?.state == .silent)
        #expect(look(33, lag: 9, stored: 100)?.detail.contains("none was for 31 s") == true)
        // Who reads the database cannot tell a consumer that is away from one whose partition waits.
        #expect(look(33, lag: 9, stored: 100)?.detail.contains("waits for a schema") == true)
        #expect(look(35, lag: 8, stored: 101)?.isReady == true)
        #expect(look(60, lag: 7, stored: 102)?.isReady == true && look(80, lag: 0, stored: 109)?.isReady == true)
        #expect(look(200, lag: 1, stored: 109)?.isReady == true)
    }

    @Test("intake and impressions that fail are told, and keep nobody out")
    func writes() {
        var facts = well
        facts.intakeAwaySince = start
        facts.lostImpressions = 9
        facts.impressionsLostAt = start
        facts.impressionsProblem = "kafka:9092: queue full"
        let parts = parts(facts, after: 30)
        #expect(canAnswer(parts))
        #expect(parts["intake"]?.isReady == false && parts["intake"]?.detail.contains("30 s") == true)
        #expect(parts["impressions"]?.isReady == false && parts["impressions"]?.detail.contains("9 answers") == true)
        #expect(parts.values.allSatisfy { !$0.detail.contains("9092") })
        let later = self.parts(facts, after: 100)["impressions"]
        #expect(later?.isReady == true && later?.detail.contains("9 answers") == true && later?.reason == nil)
    }
}
