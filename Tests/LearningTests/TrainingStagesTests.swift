import Console
import Evaluation
import Foundation
import Learning
import Recommending
import Testing
import TowerModel
import TowerTraining
import TrainingFiles

@Suite("A full training: judged, then published")
struct TrainingStagesTests {
    private static let log = PlantedLog.tastes(users: 50)

    /// A log with an item that only what is held out has.
    private static let withLate: TrainingLog = {
        PlantedLog.log(users: 50, events: 10, items: 25) { _, had, random in had.count == 9 ? 24 : random.next(below: 24) }
    }()

    /// Everything of one run.
    private struct Run {
        var bundle: ModelBundle
        var state: TrainingFolder.State
        var stages: TrainingStages
        var references = 0
        var phases: [String] = []
    }

    private static func run(
        _ log: TrainingLog = log, in folder: TestFolder, from state: TrainingFolder.State = .init(stage: .judged, settings: [:]),
        towers changes: [(String, String)] = [], stop: StopSignal = StopSignal(), teacher: TeacherTraining? = nil,
        references: GateReferences = .none, settings change: (inout LearningSettings) -> Void = { _ in },
        tell: @escaping (TrainingStatus) -> Void = { _ in }
    ) throws -> Run {
        var settings = SmallSettings.learning()
        change(&settings)
        final class Told { var phases: [String] = [] }
        let told = Told()
        let stages = TrainingStages(
            settings: settings, folder: folder.folder, log: log, towers: try SmallSettings.towers(changes), logger: .silent, stop: stop,
            ranks: .alone, teacher: teacher
        ) { status in
            if told.phases.last != status.phase { told.phases.append(status.phase) }
            tell(status)
        }
        var state = state, asked = 0
        let bundle = try stages.train(&state) {
            asked += 1
            return references
        }
        return Run(bundle: bundle, state: state, stages: stages, references: asked, phases: told.phases)
    }

    @Test("a run tells its steps, judges once, and publishes a model of everything with its parts")
    func whole() throws {
        let folder = try TestFolder(), run = try Self.run(Self.withLate, in: folder)
        #expect(run.phases == ["training", "evaluating", "final fit"] && run.references == 1)
        let state = run.state, record = try #require(state.record)
        #expect(state.stage == .final && state.passes == true && state.isUnjudged == nil && state.epochs == 2)
        #expect(record.users == 50 && record.split == "the newest 20 % by time" && record.gate?.passes == true)
        #expect(record.model?["NDCG@10"] == run.stages.judgedNDCG && record.popularity?["NDCG@10"] == run.stages.popularityNDCG)
        #expect(record.windowedMarkov != nil && record.ease != nil && record.tailCurve?.points?.count == TailCurve.dials.count)
        #expect(record.contentChannel == nil, "nothing is known of these items")
        let answers = try #require(state.answers.flatMap { RecordedAnswers(decoding: $0) })
        #expect(answers.values.count == 50 && answers.metric == "NDCG@10" && state.judgedAgainst == 0)
        // What is published learned the held-out part too.
        #expect(run.bundle.model.row(of: PlantedLog.item(24)) != nil)
        try run.bundle.check()
        // What was decided is kept before the last stage begins, and the steps are noted.
        #expect(folder.folder.read()?.stage == .final && folder.folder.read()?.reasons == state.reasons)
        let notes = TrainingJournal(folder.folder).record
        #expect(
            notes.curves.map(\.stage) == ["without the held-out part", "on everything"] && notes.curves.allSatisfy { $0.epochs.count == 2 })
        #expect(notes.timings.map(\.name) == ["training, to be judged", "evaluating", "training on everything"])
    }

    @Test("what stays out of answers is decided, kept with the model, and told with what it costs")
    func exclusion() throws {
        // The same two things for ever, and a shop of films.
        let repeating = PlantedLog.log(users: 50, events: 10, items: 25) { user, had, _ in (user + had.count % 2) % 25 }
        let films = PlantedLog.log(users: 50, events: 10, items: 25) { user, had, _ in (user + had.count) % 25 }
        let shown = try Self.run(repeating, in: try TestFolder()) { $0.holdout.decidesExclusion = true }
        #expect(shown.bundle.exclusion == [] && shown.state.record?.exclusion?.removed == 0)
        #expect(shown.state.record?.exclusion?.setting == "auto" && shown.state.record?.buyAgain != nil)
        let kept = try Self.run(films, in: try TestFolder()) { $0.holdout.decidesExclusion = true }
        #expect(kept.bundle.exclusion == .seen && kept.state.record?.exclusion?.without != nil)
        // With a rule that was set: the model is judged by all that people took, and the rule is named.
        let fixed = try Self.run(repeating, in: try TestFolder()) { $0.holdout.excludes = .seen }
        let record = try #require(fixed.state.record?.exclusion)
        #expect(fixed.bundle.exclusion == .seen && record.removed == 1 && record.ndcg == 0 && record.ndcgWithout ?? 0 > 0)
        #expect(record.warning?.contains("removes 100 %") == true)
        #expect(fixed.state.record?.buyAgain?["NDCG@10"] == shown.state.record?.buyAgain?["NDCG@10"])
        // The lists that a request would get, of what was decided.
        for (run, log, isRepeated) in [(shown, repeating, true), (kept, films, false)] {
            let settings = SmallSettings.learning(excludes: nil), scoring = try SmallSettings.scoring(log, settings)
            let served = ServedScoring([run.bundle], scoring: scoring, settings: settings)
            let repeats = scoring.holdout.questions.count { question in
                !Set(question.known.map { log.items[$0] }).isDisjoint(with: served.list(5, question))
            }
            #expect(isRepeated ? repeats > scoring.holdout.questions.count / 2 : repeats == 0)
        }
    }

    @Test("a run that was judged goes on without judging again, and gives the same model to the digit")
    func resumed() throws {
        let folder = try TestFolder(), first = try Self.run(in: folder)
        let state = try #require(folder.folder.read())
        let again = try Self.run(in: folder, from: state)
        #expect(again.references == 0 && again.stages.judgedNDCG == nil && again.bundle.numbers == first.bundle.numbers)
        let other = try TestFolder(), anew = try Self.run(in: other)
        #expect(anew.bundle.numbers == first.bundle.numbers, "the same seed gives the same model")
        #expect(anew.state.record?.model == first.state.record?.model)
    }

    @Test("one that was stopped goes on from its checkpoint, and gives the model of one that was not", arguments: ["training", "final fit"])
    func stopped(phase: String) throws {
        let whole = try Self.run(in: try TestFolder(), towers: [("epochs", "3")])
        let folder = try TestFolder(), stop = StopSignal()
        #expect {
            _ = try Self.run(
                in: folder, towers: [("epochs", "3")], stop: stop,
                tell: { status in
                    if status.phase == phase, status.epoch == 2 { stop.raise() }
                })
        } throws: { "\($0)".contains("freshet train --resume goes on from there") }
        let state = folder.folder.read() ?? .init(stage: .judged, settings: [:])
        #expect((state.stage == .final) == (phase == "final fit"))
        #expect(try folder.folder.checkpoints(phase == "training" ? .judged : .final).newest() != nil)
        let resumed = try Self.run(in: folder, from: state, towers: [("epochs", "3")])
        #expect(resumed.bundle.numbers == whole.bundle.numbers)
    }

    @Test("where nothing is held out nothing is judged, and it is said")
    func unjudged() throws {
        let run = try Self.run(in: try TestFolder(), settings: { $0.holdout.cut = .none })
        #expect(run.references == 0 && run.state.isUnjudged == true && run.state.passes == true && run.state.answers == nil)
        #expect(run.state.record?.gate?.judged == false && run.state.record?.model == nil && run.phases == ["final fit"])
        #expect(run.state.reasons?.first?.hasPrefix("Promoted without being judged") == true && run.bundle.blend == nil)
    }

    @Test("where the held-out part is kept out, the judged model is the one that is published")
    func keptOut() throws {
        let folder = try TestFolder(), run = try Self.run(Self.withLate, in: folder, settings: { $0.learnsHeldOut = false })
        #expect(run.bundle.model.row(of: PlantedLog.item(24)) == nil && run.phases == ["training", "evaluating"])
        let blend = run.bundle.blend
        #expect(blend.map { $0.tables.itemCount == 24 } ?? true)
        let again = try Self.run(Self.withLate, in: folder, from: run.state, settings: { $0.learnsHeldOut = false })
        #expect(again.bundle.numbers == run.bundle.numbers)
    }

    @Test("a training that stops early publishes a model of as many epochs as were right")
    func patience() throws {
        let folder = try TestFolder()
        let run = try Self.run(in: folder, towers: [("epochs", "6"), ("validation_users", "20"), ("patience", "1")])
        let best = try #require(run.state.epochs), curves = TrainingJournal(folder.folder).record.curves
        #expect(best >= 1 && best <= curves[0].epochs.count && curves[1].epochs.count == best)
        let top = curves[0].epochs.max { ($0.validation ?? 0, -$0.epoch) < ($1.validation ?? 0, -$1.epoch) }
        #expect(top?.epoch == best)
    }

    @Test("a worse candidate is refused, with its figures kept; the model is made all the same")
    func refused() throws {
        let scoring = try SmallSettings.scoring(Self.log)
        let answers = RecordedAnswers(
            metric: HoldoutScoring.gateMetric, questions: scoring.questionHashes,
            values: [Double](repeating: 1, count: scoring.holdout.questions.count))
        let promoted = GateReferences.Reference(version: 9, problem: "gone", record: EvaluationRecord(), answers: answers)
        let run = try Self.run(in: try TestFolder(), references: GateReferences(promoted: promoted))
        #expect(run.state.passes == false && run.state.judgedAgainst == 9 && run.state.record?.promotedVersion == 9)
        #expect(run.state.record?.gate?.comparisons?.first?.basis == "recorded answers" && run.state.record?.promoted == nil)
    }

    @Test("domains, heads, content and adaptation are learned where they are wanted, and are in what is published")
    func parts() throws {
        let run = try Self.run(
            CategoryShop.log, in: try TestFolder(), towers: [("epochs", "1")],
            settings: { settings in
                settings.domains = DomainSettings(field: "taste", rank: 2, minimumInteractions: 10, limit: 2)
                settings.adaptation.isWanted = true
            })
        #expect(run.state.parts.domains != nil && run.state.record?.domains != nil)
        #expect(run.bundle.channel?.weights == run.state.parts.content && run.state.parts.content != nil)
        #expect(run.bundle.kit != nil && run.state.record?.adaptation?.categories == CategoryShop.categories)
        #expect(run.phases.last == "adaptation" && run.bundle.heads == nil)
        try run.bundle.check()
    }

    @Test("a smaller model learns from a teacher, and a figure that is too good is said to be")
    func teacher() throws {
        let big = try SmallSettings.model(Self.log, [("epochs", "4")])
        let teacher = TeacherTraining(version: 5, model: big, knowsHoldout: true)
        let folder = try TestFolder()
        let taught = try Self.run(in: folder, towers: [("distillation_weight", "0.9")], teacher: teacher)
        let alone = try Self.run(in: try TestFolder(), towers: [("distillation_weight", "0.9")])
        #expect(taught.bundle.numbers != alone.bundle.numbers)
        #expect(taught.state.reasons?.last?.hasPrefix("Version 5, which this one learned from, may know") == true)
        #expect(alone.state.reasons?.contains { $0.contains("learned from, may know") } == false)
        #expect(!FileManager.default.fileExists(atPath: folder.folder.teacherPath))
        // A teacher's vectors are those that it would give when asked before each event.
        let set = try Self.log.trainingSet(columnsAt: SmallSettings.path("columns"))
        let found = try teacher.teacher(of: set, at: SmallSettings.path("teacher"), threads: 2)
        var expected = [Float](repeating: 0, count: 10 * big.dimension)
        expected.withUnsafeMutableBufferPointer { own in
            if let start = own.baseAddress { big.encodeBefore(user: 3, of: set, items: found.items, into: start) }
        }
        #expect(
            found.users.count == set.eventCount * big.dimension && Array(found.users[30 * big.dimension..<40 * big.dimension]) == expected)
    }
}
