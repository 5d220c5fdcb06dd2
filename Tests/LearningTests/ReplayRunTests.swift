import ContentModel
import Evaluation
import Features
import Interactions
import Learning
import Recommending
import Reports
import Testing
import TowerModel
import TrainingFiles

@Suite("A replay predicts, then learns")
struct ReplayRunTests {
    private static let items = 20
    /// The first day of the new habit.
    private static var start: EventTime { EventTime(milliseconds: PlantedLog.time(59, 7)) }

    /// Until the start everybody follows the chain one way, then the other.
    private static let log: ReplayLog = {
        let log = PlantedLog.log(users: 60, events: 12, items: items, seed: 3) { _, had, random in
            guard let last = had.last else { return random.next(below: items) }
            return (last + (had.count < 8 ? 1 : items - 1)) % items
        }
        let events = log.userIDs.indices.flatMap { user in
            log.rows(of: user).map { ReplayEvents.Event(user: Int32(user), item: log.items[$0], time: log.times[$0]) }
        }
        return ReplayLog(
            userIDs: log.userIDs, attributes: log.userIDs.map { _ in nil }, itemIDs: log.itemIDs,
            contents: log.contents, isHidden: log.isHidden, events: events)
    }()

    private static let bundle: Result<ModelBundle, any Error> = Result {
        let log = Self.log.trainingLog(), ends = log.userIDs.indices.map { log.firstRow(of: $0, after: start.milliseconds) }
        var bundle = ModelBundle(try SmallSettings.model(log, until: ends, [("epochs", "1")]))
        let weights = BlendWeights(RankingFeature.allCases.map { $0 == .transition ? 5 : $0 == .tower ? 0.1 : 0 })
        bundle.blend = BlendTraining(log: log, settings: SmallSettings.blend)
            .blend(weights, for: bundle.model, rows: log.userIDs.indices.map { log.userStarts[$0]..<ends[$0] })
        return bundle
    }

    private static func run(_ options: ReplayRun.Options, hidden: Set<Int> = []) throws -> ReplayReport {
        let bundle = try bundle.get(), log = log.trainingLog()
        let settings = SmallSettings.learning()
        let catalogue = log.servedCatalogue(of: bundle, threads: 1)
        return try ReplayRun(settings: settings, options: options).run(
            ReplayRun.Asked(version: 2, newest: start, snapshot: bundle.snapshot(over: catalogue, version: 2)), on: Self.log, after: start
        ) {
            RetrainingSource(
                log: log, bundle: bundle, served: ServedSettings(),
                rules: IncrementTraining.Rules(epochs: 1, rateShare: 0.5, replay: 0.5, replayLimitEvents: 200, ewc: 0, seed: 1, threads: 1),
                keepsOptimizer: options.keepsOptimizer, settings: settings, catalogue: catalogue, version: 2)
        }
    }

    @Test("the model is asked about everything later, beside rivals that learn in the same loop")
    func rivals() throws {
        let found = try Self.run(ReplayRun.Options(eventsLimit: 100, halfLifeDays: 2))
        #expect(found.outcome.results.map(\.name) == ["freshet", "popularity", "recent popularity", "windowed Markov"])
        #expect(found.outcome.events == 100 && found.outcome.questions == 100 && found.retraining == nil)
        #expect(found.outcome.results.allSatisfy { $0.reports[.all]?.users == 60 && $0.perUser[.new]?.isEmpty == true })
        #expect(found.comparisons[.all] != nil && found.version == 2 && found.json.contains(#""overlaps_training":false"#))
    }

    @Test("a model that learns on the way finds the new habit, in full and by increments")
    func retrained() throws {
        let options = ReplayRun.Options(
            eventsLimit: 1_000, halfLifeDays: 2, retrainEvery: PlantedLog.day, retrain: [.full, .incremental], keepsOptimizer: true)
        let found = try Self.run(options), retraining = try #require(found.retraining)
        #expect(found.outcome.results.prefix(3).map(\.name) == ["freshet", "freshet full", "freshet incremental"])
        let ndcg = found.outcome.results.prefix(3).map { $0.reports[.all]?["NDCG@10"] ?? 0 }
        #expect(ndcg[1] > ndcg[0] && ndcg[2] > ndcg[0], "\(ndcg): what follows is counted anew with each training")
        #expect(retraining.entries.map(\.kind) == [.full, .incremental] && retraining.entries.allSatisfy { $0.slices >= 2 })
        #expect(retraining.entries.map(\.newEvents)[0] == retraining.entries.map(\.newEvents)[1])
        // Four days of sixty people, each learned once at most.
        #expect(retraining.entries[0].newEvents > 60 && retraining.entries[0].newEvents <= 4 * 60)
        #expect(retraining.entries[0].replayedEvents == 0 && retraining.entries[1].replayedEvents > 0)
        #expect(retraining.costShares != nil && retraining.incrementalOverFull[.all] != nil)
    }

    @Test("what is popular is what was popular just before, and a snapshot that replaces another answers from then on")
    func served() throws {
        let bundle = try Self.bundle.get(), log = Self.log.trainingLog()
        let bare = ModelBundle(bundle.model), catalogue = log.servedCatalogue(of: bare, threads: 1)
        var ranker = ServedRanker(
            bare.snapshot(over: catalogue, version: 2), log: Self.log, rules: FeatureRules(historyLimitEvents: 20), trendingItems: 5)
        for event in 0..<9 {
            ranker.learn(ReplayEvents.Event(user: 1, item: 7, time: Int64(event)), past: ReplayUser())
        }
        // Of nobody's history only that is known.
        let new = ranker.rank(3, for: 0, past: ReplayUser(), at: 10_000) { _ in false }
        #expect(new.first == 7)
        let blended = bundle.snapshot(over: catalogue, version: 2)
        var past = ReplayUser()
        for item in [3, 4, 5] as [Int32] { past.append(ReplayEvents.Event(user: 0, item: item, time: Int64(item)), excludes: false) }
        ranker.replace(blended)
        #expect(ranker.rank(3, for: 0, past: past, at: 20_000) { _ in false }.first == 6)
        // Items that the past excludes are in no list.
        past.append(ReplayEvents.Event(user: 0, item: 6, time: 9), excludes: true)
        #expect(!ranker.rank(20, for: 0, past: past, at: 20_000) { _ in false }.contains(6))
    }
}
