import EventStream
import FeatureStore
import Interactions
import RecommendationAPI
import Recommending
import Serving
import Testing

/// What the dashboard, the readiness check and the metrics show.
@Suite struct BoardTests {
    private let start = ContinuousClock.now

    @Test func aRateIsWhatTheTotalGrewByBetweenTwoLooks() {
        var rate = StoredRate()
        func look(_ total: Int64, after seconds: Int) {
            rate.look(total: total, at: start + .seconds(seconds), now: EventTime(milliseconds: 1_000_000 + Int64(seconds) * 1_000))
        }
        look(1_000, after: 0)
        #expect(rate.perSecond == 0 && rate.series.isEmpty, "one look says nothing")
        look(1_300, after: 2)
        #expect(rate.perSecond == 150)
        look(1_300, after: 2)
        #expect(rate.perSecond == 150 && rate.series.count == 1, "no time has passed")
        look(200, after: 4)
        #expect(rate.perSecond == 0, "a restored database has fewer")
        look(Int64.max, after: 5)
        #expect(rate.perSecond == 1e15, "a stored number may be anything")
        look(0, after: 700)
        #expect(rate.series.map(\.second) == [1_700], "ten minutes are kept")
    }

    @Test func theFeedKeepsTheNewest() {
        var feed = ActivityFeed()
        for number in 0...ActivityFeed.limitEntries { feed.note("event", "\(number)", at: EventTime(milliseconds: Int64(number))) }
        #expect(feed.entries.count == ActivityFeed.limitEntries)
        #expect(feed.entries.first?.text == "\(ActivityFeed.limitEntries)" && feed.entries.last?.text == "1")
    }

    @Test func sumsEndAtTheLargestNumber() {
        #expect(boundedSum([1, 2, 3]) == 6 && boundedSum([Int64.max, 1]) == .max && boundedSum([] as [Int64]) == 0)
    }

    private func offset(_ topic: String, _ partition: Int32, _ next: Int64?, cluster: String = "here") -> StoredOffset {
        StoredOffset(topic: topic, partition: partition, cluster: cluster, nextOffset: next)
    }

    @Test func onlyWhatTheClusterHasIsBehind() {
        let reading = LagReading(
            cluster: "here", missingTopics: ["users"],
            bounds: [TopicPartition("events", 0): 10...100, TopicPartition("events", 1): 0...50, TopicPartition("items", 0): 5...5])
        #expect(reading.ingest(stored: nil).lagRecords == nil, "without stored offsets nothing is known")
        #expect(reading.ingest(stored: []).lagRecords == 140, "nobody read anything")
        let found = reading.ingest(stored: [
            offset("events", 0, 90), offset("events", 1, 20, cluster: "former"), offset("events", 9, 1), offset("items", 0, 5),
        ])
        #expect(found.lagRecords == 10 + 50 && found.foreignPartitions == 1 && found.missingTopics == ["users"])
        #expect(found.storedOffsets == 95)
        // Nothing is owed below the first record that the broker has, nor beyond its end.
        #expect(reading.ingest(stored: [offset("events", 0, 2), offset("events", 1, 400)]).lagRecords == 90)
        let absurd = LagReading(
            cluster: "here", bounds: [TopicPartition("a", 0): 0...Int64.max, TopicPartition("b", 0): 0...Int64.max])
        #expect(absurd.ingest(stored: []).lagRecords == .max)
    }

    @Test func aPartSaysHowItsWorkWent() async {
        let board = PartsBoard()
        struct Odd: Error, CustomStringConvertible { var description: String { "no route" } }
        #expect(await board.watching(\.broker) { 7 } == 7)
        let failed: Int? = await board.watching(\.trending) { throw Odd() }
        #expect(failed == nil)
        var facts = ReadinessFacts()
        board.update { facts = $0 }
        let parts = facts.parts(servedModel: nil, availableItems: 3, at: .now)
        #expect(parts.first { $0.name == "broker" }?.isReady == true)
        #expect(parts.first { $0.name == "trending" }?.reason == "no route")
    }

    @Test func gaugesSayWhatIsKnownAndNothingElse() {
        let snapshot = ServingSnapshot(
            catalogue: [CatalogueEntry(itemID: "a"), CatalogueEntry(itemID: "b", available: false)], catalogueVersion: 9)
        var gauges = ServingGauges(
            snapshot: snapshot,
            parts: [PartStatus(name: "model", isReady: false, detail: "", state: .refused, isRequired: false)])
        func value(_ name: String) -> Double? { gauges.all.first { $0.name == name }?.value }
        #expect(value("freshet_catalogue_items") == 2 && value("freshet_catalogue_available_items") == 1)
        #expect(value("freshet_catalogue_version") == 9 && value("freshet_model_version") == 0)
        #expect(value("freshet_model_unusable") == 1 && value("freshet_part_ready") == 0)
        for unknown in ["freshet_ingest_lag_records", "freshet_erasures_open", "freshet_trainings_refused_total"] {
            #expect(value(unknown) == nil, "\(unknown): nobody knows yet")
        }
        gauges.lagRecords = 5
        gauges.returns = ReturnTally(returns: 9, pieces: 40, partly: 1, unmatched: 2, unmatchedPieces: 6)
        gauges.openErasures = 0
        gauges.refusals = ModelRefusals(total: 3, inARow: 2)
        #expect(value("freshet_ingest_lag_records") == 5 && value("freshet_erasures_open") == 0)
        #expect(value("freshet_trainings_refused_total") == 3 && value("freshet_trainings_refused_in_a_row") == 2)
        #expect(value("freshet_returns_total") == 9 && value("freshet_returns_unmatched") == 2)
        #expect(value("freshet_returned_pieces_unmatched") == 6)
        let names = gauges.all.map(\.name)
        #expect(Set(names).count == names.count, "each once")
        #expect(gauges.all.filter { $0.kind == .counter }.allSatisfy { $0.name.hasSuffix("_total") })
    }
}
