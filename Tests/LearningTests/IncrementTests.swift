import Console
import Evaluation
import Foundation
import Learning
import Recommending
import Testing
import TowerModel
import TowerTraining
import TrainingFiles

@Suite("An incremental training goes on from the model in force")
struct IncrementTests {
    /// Chains of twelve steps of which the last four are new, beside users of whom nothing is new, and an item that is new.
    private static let log: TrainingLog = {
        var events: [SmallLog.Event] = []
        for user in 0..<70 {
            for event in 0..<(user < 40 ? 12 : 8) {
                // What is new is taken in the other direction.
                let item = event < 8 ? (user * 7 + event) % 20 : event == 10 ? 20 : (user * 7 + 40 - event) % 20
                events.append(
                    SmallLog.Event(user: PlantedLog.user(user), item: PlantedLog.item(item), time: PlantedLog.time(user, event)))
            }
        }
        var log = SmallLog.of(events, items: (0..<21).map(PlantedLog.item))
        log.newRows = log.userIDs.indices.flatMap { Array(log.rows(of: $0).dropFirst(8)) }
        return log
    }()

    /// Learned what was there before.
    private static let promoted: Result<PromotedModel, any Error> = Result {
        let ends = log.userIDs.indices.map { log.userStarts[$0] + 8 }
        var bundle = ModelBundle(try SmallSettings.model(log, until: ends, [("epochs", "6")]))
        let training = BlendTraining(log: log, settings: SmallSettings.blend)
        bundle.blend = training.blend(.towersAlone, for: bundle.model, rows: log.userIDs.indices.map { log.userStarts[$0]..<ends[$0] })
        return PromotedModel(bundle: bundle, version: 6, newestEvent: PlantedLog.time(69, 7))
    }

    private static func rules(ewc: Float = 0, replay: Double = 1, seed: UInt64 = 3) -> IncrementTraining.Rules {
        IncrementTraining.Rules(epochs: 2, rateShare: 0.5, replay: replay, replayLimitEvents: 1_000, ewc: ewc, seed: seed, threads: 1)
    }

    private static func stages(
        _ log: TrainingLog = log, in folder: TestFolder, minimumQuestions: Int = 20, stop: StopSignal = StopSignal(),
        anchor: GateReferences.Reference? = nil
    ) throws -> IncrementStages {
        IncrementStages(
            settings: SmallSettings.learning(minimumQuestions: minimumQuestions), log: log,
            base: IncrementStages.Base(promoted: try promoted.get(), anchor: anchor), rules: rules(),
            journal: TrainingJournal(folder.folder),
            logger: .silent, stop: stop)
    }

    @Test("it learns the new interactions once, old ones again, and knows what is new")
    func learned() throws {
        let training = IncrementTraining(log: Self.log, rules: Self.rules()), base = try Self.promoted.get().bundle.model
        let found = try training.learn(Self.log.newRows, ends: nil, from: base)
        #expect(found.newEvents == 160 && found.replayedEvents == 160)
        #expect(base.row(of: PlantedLog.item(20)) == nil && found.model.row(of: PlantedLog.item(20)) != nil)
        #expect(found.model.configuration == base.configuration && Set(found.model.itemIDs).isSuperset(of: base.itemIDs))
        let again = try training.learn(Self.log.newRows, ends: nil, from: base)
        #expect(again.model.tensors == found.model.tensors, "the same seed gives the same model")
        let none = try IncrementTraining(log: Self.log, rules: Self.rules(replay: 0)).learn(Self.log.newRows, ends: nil, from: base)
        #expect(none.replayedEvents == 0 && none.model.tensors != found.model.tensors)
        // New interactions are answered better than before.
        let holdout = Holdout(trainingEnds: Self.log.userIDs.indices.map { Self.log.userStarts[$0] + 8 }, questions: [], description: "")
            .asking(after: PlantedLog.time(69, 7), of: Self.log, maxUsers: 100)
        let scoring = HoldoutScoring(log: Self.log, holdout: holdout, excludes: [], threads: 1)
        #expect(scoring.score(found.model).report["NDCG@10"] > scoring.score(base).report["NDCG@10"])
    }

    @Test("held near where it was, parameters move less")
    func anchored() throws {
        let base = try Self.promoted.get().bundle.model
        func distance(_ ewc: Float) throws -> Float {
            let model = try IncrementTraining(log: Self.log, rules: Self.rules(ewc: ewc)).learn(Self.log.newRows, ends: nil, from: base)
                .model
            let vectors = [base, model].map { model in
                model.encodeItems(Self.log.contents, rows: Self.log.itemIDs.map { model.row(of: $0) })
            }
            return (0..<20).reduce(Float(0)) { sum, row in
                sum + zip(vectors[0].row(row), vectors[1].row(row)).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            }
        }
        let free = try distance(0), held = try distance(1_000)
        #expect(held < free && held > 0, "\(held) beside \(free)")
    }

    @Test("a candidate is judged on what neither learned and on what both did, then one that learned all is published")
    func stages() throws {
        let folder = try TestFolder()
        var state = TrainingFolder.State(stage: .judged, settings: [:]), written: [TrainingFolder.Stage] = []
        let found = try Self.stages(in: folder).train(&state) { written.append($0.stage) }
        let record = try #require(state.record), gate = try #require(record.gate)
        #expect(written == [.final] && state.stage == .final && state.judgedAgainst == 6 && record.promotedVersion == 6)
        #expect(record.split?.hasPrefix("the newer half of what is new, from ") == true && record.users == 40)
        #expect(gate.comparisons?.map(\.role) == ["promoted", "remembered"])
        #expect(gate.comparisons?.map(\.basis) == ["later", "learned by both"])
        #expect(gate.comparisons?[1].questions == 30, "users without new interactions")
        #expect(state.reasons?.allSatisfy { $0.hasPrefix("New interactions: ") || $0.hasPrefix("What was known: ") } == true)
        #expect(record.increment?.newInteractions == 160 && record.increment?.fromVersion == 6)
        #expect(record.model?["NDCG@10"] == found.judgedNDCG && record.popularity?["NDCG@10"] == found.popularityNDCG)
        #expect(state.answers.flatMap { RecordedAnswers(decoding: $0) }?.values.count == 40)
        #expect(found.bundle.model.row(of: PlantedLog.item(20)) != nil && found.bundle.blend?.weights == .towersAlone)
        try found.bundle.check()
        #expect(TrainingJournal(folder.folder).record.timings.map(\.name) == ["judging", "learning new interactions"])

        // A run that was judged learns again and judges nothing.
        var kept = TrainingFolder.State(stage: .final, settings: [:])
        let again = try Self.stages(in: try TestFolder()).train(&kept) { _ in written.append(.judged) }
        #expect(again.judgedNDCG == nil && kept.record == nil && written.count == 1)
        #expect(again.bundle.numbers == found.bundle.numbers)
    }

    @Test("with too few questions the model in force stays, and the best of the last weeks has its say")
    func gate() throws {
        var state = TrainingFolder.State(stage: .judged, settings: [:])
        _ = try Self.stages(in: try TestFolder(), minimumQuestions: 500).train(&state) { _ in }
        #expect(state.passes == false && state.reasons?.count == 1)
        #expect(state.reasons?.first?.contains("40 users with new interactions and 30 others are too few to judge by") == true)
        var anchor = GateReferences.Reference(version: 2, model: try Self.promoted.get(), record: EvaluationRecord())
        anchor.model?.version = 2
        state = TrainingFolder.State(stage: .judged, settings: [:])
        _ = try Self.stages(in: try TestFolder(), anchor: anchor).train(&state) { _ in }
        #expect(state.record?.gate?.comparisons?.map(\.role) == ["promoted", "anchor", "remembered"])
    }

    @Test("nothing new, a stop and settings of another shape are refused in sentences")
    func refused() throws {
        var log = Self.log
        log.newRows = []
        var state = TrainingFolder.State(stage: .judged, settings: [:])
        #expect(
            message { _ = try Self.stages(log, in: try TestFolder()).train(&state) { _ in } }.contains(
                "nothing new to learn from since version 6"))
        let stop = StopSignal()
        stop.raise()
        #expect(message { _ = try Self.stages(in: try TestFolder(), stop: stop).train(&state) { _ in } }.hasPrefix("stopped;"))
        let model = try Self.promoted.get().bundle.model
        var towers = try SmallSettings.towers([("epochs", "9"), ("learning_rate", "0.1"), ("threads", "2"), ("seed", "8")])
        #expect(message { try IncrementStages.check(towers, against: model) } == "", "how long and how fast may differ")
        towers = try SmallSettings.towers([("dimension", "32")])
        let refusal = message { try IncrementStages.check(towers, against: model) }
        #expect(refusal.contains("train.dimension is 32, and the promoted model was trained with 16"))
    }
}
