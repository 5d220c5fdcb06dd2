import ContentModel
import Evaluation
import Features
import Interactions
import Learning
import Recommending
import Testing
import TowerModel
import TrainingFiles

@Suite("A model is asked as it would serve")
struct ServedScoringTests {
    private static let log = PlantedLog.tastes(users: 40)
    private static let scoring: Result<HoldoutScoring, any Error> = Result { try SmallSettings.scoring(log) }
    private static let model: Result<TwoTowerModel, any Error> = Result {
        try SmallSettings.model(log, until: scoring.get().holdout.trainingEnds, [("epochs", "4")])
    }

    @Test("without parts the list is that of the towers")
    func plain() throws {
        let scoring = try Self.scoring.get(), model = try Self.model.get()
        let served = ServedScoring([ModelBundle(model)], scoring: scoring, settings: SmallSettings.learning())
        let towers = scoring.towers(model)
        for question in scoring.holdout.questions.prefix(8) {
            let scores = towers(question)
            let wanted = scores.indices.sorted { (scores[$0], -$0) > (scores[$1], -$1) }.prefix(5).map { Int32($0) }
            #expect(served.list(5, question) == wanted)
        }
        let both = scoring.score([ModelBundle(model)], settings: SmallSettings.learning())
        #expect(both.report["NDCG@10"] == scoring.score(model).report["NDCG@10"])
    }

    @Test("hidden items and what was excluded are never in a list")
    func rules() throws {
        var log = Self.log
        log.isHidden[3] = true
        let excludes: ExclusionRule = [InteractionType.click.rawValue]
        let holdout = try Self.scoring.get().holdout
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludes, threads: 1)
        let settings = SmallSettings.learning(excludes: excludes)
        let served = ServedScoring([ModelBundle(try Self.model.get())], scoring: scoring, settings: settings)
        for question in holdout.questions.prefix(8) {
            let list = served.list(24, question), had = Set(question.known.map { log.items[$0] })
            #expect(!list.contains(3) && had.isDisjoint(with: list) && Set(list).count == list.count)
            #expect(list.count == 24 - had.union([3]).count)
        }
    }

    @Test("each half of the users is asked of the model that did not see it")
    func halves() throws {
        let scoring = try Self.scoring.get(), model = try Self.model.get()
        let rows = scoring.trainingRows, training = BlendTraining(log: Self.log, settings: SmallSettings.blend)
        // One half ranks by popularity alone, the other by its opposite.
        func bundle(_ weight: Float) -> ModelBundle {
            var bundle = ModelBundle(model)
            let weights = BlendWeights(RankingFeature.allCases.map { $0 == .popularity ? weight : 0 })
            bundle.blend = training.blend(weights, for: model, rows: rows)
            return bundle
        }
        let served = ServedScoring([bundle(1), bundle(-1)], scoring: scoring, settings: SmallSettings.learning())
        let counts = scoring.trainingCounts()
        for question in scoring.holdout.questions.prefix(10) {
            let list = served.list(24, question).filter { counts[Int($0)] > 0 }
            let first = counts[Int(list[0])], last = counts[Int(list[list.count - 1])]
            #expect(question.user % 2 == 0 ? first > last : first < last, "user \(question.user): \(first), …, \(last)")
        }
    }

    @Test("what is trending is what was popular at the end of what may be learned from")
    func trending() throws {
        // Of somebody without a history what is popular is all that is known.
        let scoring = try Self.scoring.get()
        let served = ServedScoring([ModelBundle(try Self.model.get())], scoring: scoring, settings: SmallSettings.learning())
        let popular = BlendTraining(log: Self.log, settings: SmallSettings.blend).trending(scoring.trainingRows)
        let new = Holdout.Question(user: 0, known: 0..<0, truth: [1], time: PlantedLog.time(0, 9))
        let list = served.list(10, new)
        #expect(Set(list).intersection(popular.map(\.row)).count >= 5, "\(list) of \(popular.map(\.row))")
    }

    @Test("the catalogue, histories and attributes are those that serving reads")
    func served() throws {
        var log = Self.log
        log.isHidden[2] = true
        log.attributes[0] = ["country=at", "tag=a\"b", "tag=c", "bare"]
        log.attributes[1] = []
        let catalogue = log.servedCatalogue(of: ModelBundle(try Self.model.get()), threads: 1)
        #expect(catalogue.entries.map(\.itemID) == log.itemIDs && catalogue.entries.map(\.available) == log.isHidden.map { !$0 })
        #expect(catalogue.entries[5].priceMicros == log.contents[5].priceMicros && catalogue.contents == log.contents)
        #expect(log.attributesObject(of: 0) == #"{"country":["at"],"tag":["a\"b","c"]}"# && log.attributesObject(of: 1) == nil)

        let events = [
            SmallLog.Event(user: "a", item: "x", time: 5, type: .purchase, amount: Int64(UInt32.max) + 9),
            SmallLog.Event(user: "a", item: "y", time: 6, amount: 7),
            SmallLog.Event(user: "a", item: "z", time: 7, type: .purchase, amount: -1),
        ]
        let entries = (0..<3).map { SmallLog.of(events).historyEntry(at: $0) }
        #expect(entries.map(\.itemID) == ["x", "y", "z"] && entries.map(\.type) == [.purchase, .click, .purchase])
        #expect(entries.map(\.amountMinor) == [.max, 0, 0] && entries.map { $0.time.milliseconds } == [5, 6, 7])
    }
}

@Suite("All parts of a model are learned in one place, and judged as they would serve")
struct PartsJudgingTests {
    private static func parts(
        _ log: TrainingLog, _ change: (inout LearningSettings) -> Void = { _ in }, drawsTailCurve: Bool = false
    ) throws -> (parts: PartsJudging, scoring: HoldoutScoring, settings: LearningSettings) {
        var settings = SmallSettings.learning(.newest(share: 0.3))
        change(&settings)
        let scoring = try SmallSettings.scoring(log, settings)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let parts = PartsJudging(model, scoring: scoring, settings: settings, drawsTailCurve: drawsTailCurve)
        return (parts, scoring, settings)
    }

    @Test("what is published is what was learned, and each half of the users has parts of its own")
    func weights() throws {
        let (parts, scoring, settings) = try Self.parts(HeadTrainingTests.log())
        let weights = parts.weights, bundles = parts.bundles
        #expect(weights.heads == parts.heads?.weights && weights.content == parts.content?.all && weights.domains == nil)
        #expect(weights.blend != nil && bundles.count == 2)
        for (half, bundle) in bundles.enumerated() {
            try bundle.check()
            #expect(bundle.heads?.weights == parts.heads?.halves[half].weights && bundle.channel?.weights == parts.content?.all)
            if let fit = parts.ranking.fit { #expect(bundle.blend?.weights == fit.halves[half]) }
        }
        #expect(bundles[0].heads?.weights != bundles[1].heads?.weights)
        // The model that is published is counted from its own rows.
        let rows = scoring.trainingRows
        let published = BundleTraining(log: scoring.log, settings: settings)
            .bundle(parts.ranking.vectors.model, weights, rows: rows)
        try published.check()
        #expect(published.blend?.weights == weights.blend && published.heads?.weights == weights.heads)
        #expect(published.channel?.weights == weights.content && published.kit == nil)
        #expect(parts.tailCurve == nil && parts.dial == TailDial())
    }

    @Test("heads need the blend's tables, also where the towers rank alone")
    func headsWithoutBlend() throws {
        let (parts, _, _) = try Self.parts(HeadTrainingTests.log()) { $0.content.isWanted = false }
        #expect(parts.content == nil && parts.bundles.allSatisfy { $0.channel == nil })
        if parts.ranking.fit == nil { #expect(parts.weights.blend?.values == BlendWeights.towersAlone.values) }
        let (bare, _, _) = try Self.parts(HeadTrainingTests.log()) { $0.blend.isWanted = false }
        #expect(bare.heads == nil && bare.weights.blend == nil && bare.bundles.allSatisfy { $0.blend == nil && $0.heads == nil })
    }

    @Test("a budget builds in the dial that is best beyond the head within it")
    func budget() throws {
        let (parts, _, _) = try Self.parts(PlantedLog.tastes(users: 40)) { $0.tailBudget = 0.5 }
        let curve = try #require(parts.tailCurve), plain = curve.points[0].report["NDCG@10"]
        let chosen = try #require(curve.points.first { $0.dial == parts.dial })
        #expect(chosen.report["NDCG@10"] >= plain * 0.5)
        for point in curve.points where point.report["NDCG@10"] >= plain * 0.5 { #expect(point.beyondHead <= chosen.beyondHead) }
        #expect(curve.dial(losing: 0).lambda >= 0 && curve.points.count == TailCurve.dials.count)
        let fitted = parts.ranking.fit?.weights ?? .towersAlone
        #expect(parts.dial != TailDial() && parts.weights.blend == fitted.dialled(parts.dial))
        let record = curve.record(used: parts.dial)
        #expect(record.points?.count == curve.points.count && record.used == Double(parts.dial.lambda))
        #expect(record.points?[0].ndcg == parts.ranking.outcome.report["NDCG@10"])
    }
}
