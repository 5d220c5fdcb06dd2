import Evaluation
import Learning
import Recommending
import Testing
import TrainingFiles

@Suite("The gate: what a candidate is held against, and on which questions")
struct GateJudgingTests {
    private static let settings = SmallSettings.learning(.newest(share: 0.2))
    private static let log = PlantedLog.tastes(users: 50)
    private static let scoring: Result<HoldoutScoring, any Error> = Result { try SmallSettings.scoring(log, settings) }
    /// Learned without what is held out.
    private static let bundle: Result<ModelBundle, any Error> = Result {
        ModelBundle(try SmallSettings.model(log, until: scoring.get().holdout.trainingEnds, [("epochs", "4")]))
    }

    /// A version of the registry; what it learned ends before the border, unless it is said otherwise.
    private static func reference(newest: Int64? = 0, record: EvaluationRecord = EvaluationRecord(), answers: RecordedAnswers? = nil) throws
        -> GateReferences.Reference
    {
        GateReferences.Reference(
            version: 4, model: PromotedModel(bundle: try bundle.get(), version: 4, newestEvent: newest), record: record, answers: answers)
    }

    private static func unreadable(record: EvaluationRecord = EvaluationRecord(), answers: RecordedAnswers? = nil)
        -> GateReferences.Reference
    {
        GateReferences.Reference(version: 4, problem: "its file is gone", record: record, answers: answers)
    }

    /// An outcome with one value a question.
    private static func outcome(_ value: Double, of questions: Int) -> HoldoutScoring.Outcome {
        let report = MetricsReport(
            users: questions, truthPairs: questions, catalogueSize: 24,
            metrics: ["NDCG@10": MetricValue(mean: value, standardError: 0.01)], coverageAt10: 1,
            giniAt10: 0, slices: [:])
        return HoldoutScoring.Outcome(report: report, perUser: [Double](repeating: value, count: questions))
    }

    /// Judges a candidate that answers with one value, or as the promoted model does.
    private static func verdict(
        _ references: GateReferences, value: Double? = nil, settings: LearningSettings = settings, popularity: Double = 0,
        rivals: [(EvaluationRecord.Contestant, Double)] = []
    ) throws -> GateJudging.Verdict {
        let scoring = try scoring.get(), bundle = try bundle.get()
        func answer(_ scoring: HoldoutScoring) -> HoldoutScoring.Outcome {
            value.map { outcome($0, of: scoring.holdout.questions.count) } ?? scoring.score([bundle], settings: settings)
        }
        return GateJudging(gate: settings.gate, settings: settings, scoring: scoring, candidate: answer(scoring), answer: answer)
            .verdict(
                references, popularity: [Double](repeating: popularity, count: scoring.holdout.questions.count),
                rivals: rivals.map {
                    HoldoutScoring.JudgedRival(
                        contestant: $0, settings: "as usual", outcome: outcome($1, of: scoring.holdout.questions.count))
                })
    }

    @Test("the same model passes, a worse one is refused, a better one passes: on questions that neither learned")
    func promoted() throws {
        let promoted = GateReferences(promoted: try Self.reference())
        let equal = try Self.verdict(promoted)
        #expect(equal.passes && equal.compared.map(\.basis) == ["later"] && equal.compared[0].role == "promoted")
        #expect(equal.compared[0].decision.comparison?.difference == 0 && equal.compared[0].record.version == 4)
        let worse = try Self.verdict(promoted, value: 0)
        #expect(!worse.passes && worse.reasons.contains { $0.contains("version 4") && $0.contains("worse") }, "\(worse.reasons)")
        #expect(try Self.verdict(promoted, value: 1).passes)
    }

    @Test("where no model is in force a candidate is taken, unless it is broken or below counting")
    func first() throws {
        let taken = try Self.verdict(.none, value: 0.3)
        #expect(taken.passes && taken.compared.isEmpty && taken.reasons.contains { $0.hasPrefix("No model is promoted yet") })
        #expect(try !Self.verdict(.none, value: .nan).passes)
        let below = try Self.verdict(.none, value: 0.3, popularity: 0.5)
        #expect(!below.passes && below.reasons.contains { $0.hasPrefix("Popularity reaches 0.5") })
    }

    @Test("figures that are no numbers are refused before anything is compared")
    func broken() throws {
        let verdict = try Self.verdict(GateReferences(promoted: try Self.reference()), value: .nan)
        #expect(!verdict.passes && verdict.compared[0].basis == "none" && verdict.reasons.contains { $0.contains("no finite number") })
        #expect(verdict.reasons.count == Set(verdict.reasons).count, "no sentence twice")
    }

    @Test("of a model that may have learned the questions these are said to favour it")
    func perhapsLearned() throws {
        let verdict = try Self.verdict(GateReferences(promoted: try Self.reference(newest: nil)))
        #expect(verdict.passes && verdict.compared[0].basis == "perhaps learned" && verdict.compared[0].outcome != nil)
        #expect(verdict.reasons[0].contains("which favours it"))
        // One that learned all of them has no later ones either.
        let all = try Self.verdict(GateReferences(promoted: try Self.reference(newest: .max)))
        #expect(all.compared[0].basis == "perhaps learned")
    }

    @Test("a predecessor that cannot be read is met by its answers, else by its figure, else it stays")
    func unreadable() throws {
        let scoring = try Self.scoring.get(), count = scoring.holdout.questions.count
        let answers = RecordedAnswers(
            metric: HoldoutScoring.gateMetric, questions: scoring.questionHashes, values: [Double](repeating: 0.4, count: count))
        let byAnswers = try Self.verdict(GateReferences(promoted: Self.unreadable(answers: answers)), value: 0.5)
        #expect(byAnswers.passes && byAnswers.compared[0].basis == "recorded answers" && byAnswers.compared[0].outcome == nil)
        #expect(try !Self.verdict(GateReferences(promoted: Self.unreadable(answers: answers)), value: 0.3).passes)
        // Answers of another metric, or to other questions, are none.
        let other = RecordedAnswers(metric: "Hit@10", questions: scoring.questionHashes, values: [Double](repeating: 0.4, count: count))
        let foreign = RecordedAnswers(
            metric: HoldoutScoring.gateMetric, questions: scoring.questionHashes.map { ~$0 }, values: [Double](repeating: 0.4, count: count)
        )
        for answers in [other, foreign] {
            #expect(try Self.verdict(GateReferences(promoted: Self.unreadable(answers: answers)), value: 0.5).compared[0].basis == "none")
        }

        var record = EvaluationRecord()
        record.split = scoring.holdout.description
        record.model = Self.outcome(0.4, of: count).record
        let byFigure = try Self.verdict(GateReferences(promoted: Self.unreadable(record: record)), value: 0.9)
        #expect(byFigure.passes && byFigure.compared[0].basis == "recorded figure")
        #expect(byFigure.reasons[0].hasPrefix("Version 4 cannot be read (its file is gone)."))
        record.split = "another split"
        let stays = try Self.verdict(GateReferences(promoted: Self.unreadable(record: record)), value: 1)
        #expect(!stays.passes && stays.compared[0].basis == "none" && stays.reasons[0].contains("promote --force"))
    }

    @Test("too few questions let nothing take the place of a model")
    func fewQuestions() throws {
        let settings = SmallSettings.learning(.newest(share: 0.2), minimumQuestions: 1_000)
        let verdict = try Self.verdict(GateReferences(promoted: try Self.reference()), value: 1, settings: settings)
        #expect(!verdict.passes && verdict.reasons[0].contains("1000 are needed") && verdict.compared[0].basis == "none")
        #expect(try Self.verdict(.none, value: 0.3, settings: settings).passes, "but nothing can get worse where none is in force")
    }

    @Test("of later and recorded questions the later decide, unless the candidate learned less than the model did and they are fewer")
    func laterOrRecorded() throws {
        let scoring = try Self.scoring.get(), holdout = scoring.holdout, count = holdout.questions.count
        let answers = RecordedAnswers(
            metric: HoldoutScoring.gateMetric, questions: scoring.questionHashes, values: [Double](repeating: 0.4, count: count))
        let fair = try Self.verdict(GateReferences(promoted: try Self.reference(answers: answers)))
        #expect(fair.compared[0].basis == "later")
        let border = try #require(holdout.border)
        let unfair = try Self.verdict(GateReferences(promoted: try Self.reference(newest: border, answers: answers)))
        #expect(unfair.compared[0].basis == "recorded answers")
        let noAnswers = try Self.verdict(GateReferences(promoted: try Self.reference(newest: border)))
        #expect(noAnswers.compared[0].basis == "later" && noAnswers.compared[0].decision.comparison?.questions ?? 0 <= count)
    }

    @Test("the best of the last weeks refuses small losses that add up, and says nothing where nothing can be compared")
    func anchor() throws {
        let promoted = try Self.reference()
        var anchor = try Self.reference()
        anchor.version = 2
        let equal = try Self.verdict(GateReferences(promoted: promoted, anchor: anchor))
        #expect(equal.passes && equal.compared.map(\.role) == ["promoted", "anchor"] && equal.compared[1].version == 2)
        let scoring = try Self.scoring.get(), count = scoring.holdout.questions.count
        var best = Self.unreadable(
            answers: RecordedAnswers(
                metric: HoldoutScoring.gateMetric, questions: scoring.questionHashes, values: [Double](repeating: 1, count: count)))
        best.version = 2
        let below = try Self.verdict(GateReferences(promoted: promoted, anchor: best))
        #expect(!below.passes && below.reasons.contains { $0.contains("version 2, the best of the last weeks") })
        let unknown = try Self.verdict(GateReferences(promoted: promoted, anchor: Self.unreadable()))
        #expect(unknown.passes && unknown.compared.map(\.role) == ["promoted"])
    }

    @Test("a counter that is better refuses the first model and any other, whatever else lets it pass, unless the rule says otherwise")
    func rivals() throws {
        let better: [(EvaluationRecord.Contestant, Double)] = [(.popularity, 0.1), (.buyAgain, 0.4)]
        let first = try Self.verdict(.none, value: 0.3, rivals: better)
        #expect(!first.passes && first.rivals.map(\.isBetter) == [false, true] && first.rivals[1].paired.difference < 0)
        #expect(first.reasons.last?.contains("buy it again (as usual) has NDCG@10 0.4000, the model 0.3000") == true, "\(first.reasons)")
        let promoted = GateReferences(promoted: try Self.reference())
        #expect(try !Self.verdict(promoted, value: 0.99, rivals: [(.ease, 1)]).passes)
        #expect(try Self.verdict(promoted, value: 1, rivals: better).passes)
        for (rule, sentences) in [(RivalRule.warn, 1), (.off, 0)] {
            var settings = Self.settings
            settings.gate.rivals = rule
            let verdict = try Self.verdict(.none, value: 0.3, settings: settings, rivals: better)
            #expect(verdict.passes && verdict.rivals.count == 2)
            #expect(verdict.reasons.count { $0.contains("buy it again") } == sentences, "\(verdict.reasons)")
        }
    }
}
