import Console
import ContentModel
import Evaluation
import Learning
import Recommending
import Reports
import Testing
import TowerModel
import TrainingFiles

@Suite("Protocols of evaluation, on a log in memory")
struct ProtocolTests {
    private static func snapshot(_ log: TrainingLog) -> SnapshotLog { SnapshotLog(log: log, columnsPath: SmallSettings.path("columns")) }


    @Test("a split asks a version and every rival the same questions")
    func split() throws {
        let log = PlantedLog.chain(users: 30), settings = SmallSettings.learning()
        var bundle = ModelBundle(try SmallSettings.model(log, [("epochs", "1")]))
        let weights = BlendWeights(RankingFeature.allCases.map { $0 == .transition ? 5 : 0 })
        bundle.blend = BlendTraining(log: log, settings: SmallSettings.blend)
            .blend(weights, for: bundle.model, rows: log.userIDs.indices.map { log.rows(of: $0) })
        let model = PromotedModel(bundle: bundle, version: 8)
        let found = try SplitRun(settings: settings, share: nil).run(model, watermark: "{}", on: Self.snapshot(log))
        #expect(found.version == 8 && found.description == "each user's last interaction")
        let asked = found.contestants.map(\.contestant)
        #expect(asked.first == .model && Set(asked).count == asked.count)
        #expect(Set(asked).isSuperset(of: [.popularity, .recentPopularity, .windowedMarkov, .ease, .buyAgain]))
        #expect(found.contestants.allSatisfy { $0.record.report.users == 30 })
        // What follows is known by the model's tables and by Markov, not by counting.
        let ndcg = Dictionary(uniqueKeysWithValues: found.contestants.map { ($0.contestant, $0.record["NDCG@10"] ?? 0) })
        #expect(ndcg[.model] ?? 0 > 0.8 && ndcg[.windowedMarkov] ?? 0 > 0.8 && ndcg[.popularity] ?? 1 < 0.5, "\(ndcg)")
        let time = try SplitRun(settings: settings, share: 0.3).run(model, watermark: "{}", on: Self.snapshot(log))
        #expect(time.description == "the newest 30 % by time")
        let nobody = SmallLog.of(SmallLog.clicks("a", at: [1, 2]))
        #expect(
            message { _ = try SplitRun(settings: settings, share: nil).run(model, watermark: "{}", on: Self.snapshot(nobody)) }
                .hasPrefix("there is nobody to ask: no user has interactions both before and in each user's last interaction"))
    }

    @Test("item-cold: contents that tell a taste find new items, a round a seed")
    func itemCold() throws {
        let log = PlantedLog.tastes(users: 40, events: 16, items: 40)
        let base = RunSettings(learning: SmallSettings.learning(.leaveOneOut), towers: try SmallSettings.towers([("epochs", "1")]))
        let found = try ColdRun(base, options: ColdRun.Options(percent: 25, seeds: 2)).run(Self.snapshot(log))
        #expect(found.rounds.count == 2 && found.newItems == 10 && found.questions > 0)
        for round in found.rounds {
            #expect(Set(round.reports.keys) == Set(ColdContestants.Key.allCases.map(\.rawValue)))
            let content = round.reports["freshet"]?["NDCG@10"] ?? 0, popularity = round.reports["popularity"]?["NDCG@10"] ?? 1
            #expect(content > popularity, "\(content) beside \(popularity)")
            #expect(round.shareRelevant > 0.1 && round.shareRelevant < 0.5 && round.shareShown >= 0 && round.shareShown <= 1)
            #expect(round.weights.count == ContentChannel.Part.count)
        }
        let none = PlantedLog.log(users: 3, events: 4, items: 3) { user, _, _ in user }
        #expect(
            message { _ = try ColdRun(base, options: ColdRun.Options(percent: 34)).run(Self.snapshot(none)) }
                .hasPrefix("there is nobody to ask"))
    }

    @Test("user-cold: new users are asked with every length of history, of models that know their attributes and of one that does not")
    func userCold() throws {
        let log = PlantedLog.tastes(users: 60, events: 8)
        var learning = SmallSettings.learning(.leaveOneOut)
        learning.segments = SegmentSettings(minimumUsers: 5, priorEvents: 5)
        let base = RunSettings(learning: learning, towers: try SmallSettings.towers([("epochs", "1")]))
        let options = UserColdRun.Options(folds: 3, rounds: 1, longestHistory: 2)
        let found = try UserColdRun(base, options: options).run(Self.snapshot(log))
        #expect(found.rounds == 1 && found.lengths == [0, 1, 2] && found.users > 5)
        let json = found.json
        for name in UserColdRivals.Key.allCases.map(\.rawValue) + ["freshet", "freshet_by_accuracy", "without_attributes"] {
            #expect(json.contains("\"\(name)\":{\"NDCG@10\""), "\(name) is missing in \(json)")
        }
        #expect(found.lines.contains { $0.hasPrefix("with 2: freshet − ") })
        let long = UserColdRun(base, options: UserColdRun.Options(folds: 3, rounds: 1, longestHistory: 10))
        #expect(message { _ = try long.run(Self.snapshot(log)) }.contains("no new user has more than 10 interactions"))
    }

    @Test("few-shot: every category is asked by what was learned from others")
    func fewShot() throws {
        var settings = SmallSettings.learning()
        settings.adaptation.isWanted = true
        settings.adaptation.metaSteps = 3
        let run = FewShotRun(settings: settings, logger: .silent, options: FewShotRun.Options(seeds: 1))
        let found = try run.run(Self.snapshot(CategoryShop.log))
        #expect(found.json.hasPrefix(#"{"tasks":40,"categories":8,"seeds":1,"meta":{"NDCG@10":"#), "\(found.json)")
        #expect(found.lines.count == 2 + FewShotReport.Contestant.allCases.count)
        #expect(
            message { _ = try run.run(Self.snapshot(PlantedLog.tastes(users: 20))) }
                .contains("values of categories with enough items and users, and few-shot evaluation needs 3"))
    }

    @Test("tail-curve: dials move one model, other settings train their own; wrong values end it first")
    func tailCurve() throws {
        let log = PlantedLog.log(users: 40, events: 10, items: 30) { _, _, random in min(random.next(below: 30), random.next(below: 30)) }
        var trained: [String] = []
        func run(_ values: [TailSetting: [Double]]?, blend: Bool = true) -> TailCurveRun {
            var learning = SmallSettings.learning()
            learning.blend.isWanted = blend
            let settings = learning
            return TailCurveRun(
                settings: settings,
                configured: { values, source in
                    trained += values.map { "\($0.key)=\($0.value)" }
                    var towers = try SmallSettings.towers([("epochs", "1")])
                    for (key, value) in values where key.hasPrefix("train.") { try towers.set(String(key.dropFirst(6)), value) }
                    return RunSettings(learning: settings, towers: towers)
                }, options: TailCurveRun.Options(values: values, epochs: 1, seeds: 1))
        }
        let found = try run([.tailDial: [0.5, 0.1], .tailBeta: [0.9]]).run(Self.snapshot(log))
        let entries = found.entries
        #expect(
            entries.map { $0.point.setting } == [nil, .tailDial, .tailDial, .tailBeta]
                && entries.map { $0.point.value } == [0, 0.1, 0.5, 0.9])
        #expect(found.users == 40 && found.seeds == 1 && found.isBlended && trained == ["train.tail_beta=0.9"])
        // What is rare comes up as the dial turns.
        #expect(
            entries[2].point.mean(\.coverage) >= entries[1].point.mean(\.coverage)
                && entries[2].point.mean(\.gini) <= entries[0].point.mean(\.gini))
        #expect(message { _ = try run([.tailLift: [1]], blend: false).run(Self.snapshot(log)) }.contains("acts on the ranking blend"))
        #expect(message { _ = try run([.popularityDial: [1]]).run(Self.snapshot(log)) }.contains("name ranking.tail_dial instead"))
        trained = []
        #expect(message { _ = try run([.tailBeta: [7]]).run(Self.snapshot(log)) }.contains("tail_beta") && trained.count == 1)
        #expect(
            TailSetting.tailLift.dial(0.5) == TailDial(lift: 0.5) && TailSetting.tailDial.dial(0.5) == TailDial(lambda: 0.5)
                && TailSetting.popularityDial.dial(0.5) == nil && TailSetting.tailBeta.dial(0.9) == nil)
        #expect(
            message { _ = try run([.tailDial: [0.1]]).run(Self.snapshot(SmallLog.of(SmallLog.clicks("a", at: [1])))) }
                .hasPrefix("nobody can be asked: train.holdout is time, and there are 1 interactions"))
    }
}
