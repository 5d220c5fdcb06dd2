import Evaluation
import Recommending
import TrainingFiles

/// Decides whether the best counter becomes a version: it is judged as it would serve, on the questions of the model that it is beside.
struct CounterJudging {
    /// What decides.
    let settings: LearningSettings
    /// All questions of the evaluation.
    let scoring: HoldoutScoring
    /// What the model of the training is.
    let parts: PartsJudging
    /// What that model answered.
    let candidate: HoldoutScoring.Outcome

    /// What was found of a counter.
    struct Found {
        /// In words, for the model's own reasons.
        var sentence: String
        /// Nil where it becomes no version.
        fileprivate var version: Version?
    }

    /// A counter that becomes a version.
    fileprivate struct Version {
        var parts: PartsJudging
        var outcome: HoldoutScoring.Outcome
        var served: ServedScoring
        var counter: CounterRecord
        var verdict: GateJudging.Verdict
    }

    /// Judges the best rival; nil where none is asked for.
    ///
    /// - Parameters:
    ///   - verdict: what the gate decided of the model.
    ///   - rivals: all that were asked.
    func judged(
        _ verdict: GateJudging.Verdict, _ rivals: [HoldoutScoring.JudgedRival], _ references: GateReferences
    ) -> Found? {
        let gate = settings.gate
        let isRefused = gate.rivals == .refuse && verdict.rivals.contains(where: \.isBetter)
        // One that serves is renewed whatever the model was refused for: its counts of items grow old.
        let renews = references.promoted?.record.counter != nil && !verdict.passes
        guard settings.counter == .always || (settings.counter == .auto && (isRefused || renews)) else { return nil }
        let asked = rivals.filter { rival in
            !isRefused || verdict.rivals.contains { $0.contestant == rival.contestant && $0.isBetter }
        }
        func mean(_ outcome: HoldoutScoring.Outcome) -> Double { outcome.report[HoldoutScoring.gateMetric] }
        guard let best = asked.max(by: { mean($0.outcome) < mean($1.outcome) }) else { return nil }
        let training = settings.rankerTraining(scoring.log, threads: scoring.threads)
        let towers = parts.ranking.towers
        guard let fit = CounterTraining(training).fit(best.contestant, scoring, tables: parts.ranking.ranker?.tables, interest: towers)
        else { return Found(sentence: "\(best.contestant.title) cannot serve by itself, so no counter becomes a version.") }
        let counted = parts.counted(by: fit.ranker, training)
        let served = ServedScoring(counted.bundles, scoring: scoring, settings: settings)
        let outcome = scoring.collect(lists: served.list)
        let paired = PairedComparison(candidate: outcome.perUser, other: candidate.perUser, confidence: gate.confidence)
        let interval = paired.interval(outside: RivalGate.outside)
        var counter = CounterRecord()
        (counter.rival, counter.settings, counter.questions) = (best.contestant.rawValue, fit.words, outcome.perUser.count)
        (counter.served, counter.rivalNDCG, counter.model) = (mean(outcome), mean(best.outcome), mean(candidate))
        (counter.low, counter.high) = (interval.low, interval.high)
        let figures = "\(counter.name) has NDCG@10 \(decimal(paired.candidateMean, places: 4)) as it would serve"
        if isRefused, paired.difference <= 0 {
            return Found(
                sentence: "\(figures), the model \(decimal(paired.otherMean, places: 4)): no better, so no counter becomes a version.")
        }
        let judging = GateJudging(
            gate: gate, settings: settings, scoring: scoring, candidate: outcome, answer: { $0.collect(lists: served.list) })
        var decision = judging.counterVerdict(references)
        if verdict.passes {
            decision.passes = false
            decision.reasons = ["The model of the same training is better or as good, and serves."]
        }
        guard decision.passes || settings.counter == .always else {
            return Found(sentence: "\(figures), and becomes no version: \(decision.reasons.joined(separator: " "))")
        }
        let fate = decision.passes ? "becomes the version that serves" : "becomes a version that does not serve"
        return Found(
            sentence: "\(figures), and \(fate).",
            version: Version(parts: counted, outcome: outcome, served: served, counter: counter, verdict: decision))
    }

    /// What a run keeps of a counter until it is published; nil where it becomes no version.
    ///
    /// - Parameter record: of the model, which was asked the same questions.
    func kept(_ found: Found, beside record: EvaluationRecord, _ exclusion: ExclusionDecision) -> TrainingFolder.Counter? {
        guard let version = found.version else { return nil }
        let reasons = [version.counter.sentence] + version.verdict.reasons
        var own = record
        own.model = version.outcome.record
        own.counter = version.counter
        own.exclusion = exclusion.record(settings.holdout, scoring, version.outcome) { rule in
            let free = ServedScoring(version.parts.bundles, scoring: scoring, settings: settings, under: rule)
            return scoring.collect(lists: free.list)
        }
        // What was learned of the model's own ranking is not the counter's.
        (own.objectives, own.tailCurve) = (nil, nil)
        own.ranking = RankingRecord()
        own.ranking?.blend = false
        own.ranking?.carriers = version.served.carriers(of: scoring)
        own.itemShare = version.parts.prices?.record
        own.contentChannel = version.parts.contentRecord
        own.gate = settings.gate.record(
            passes: version.verdict.passes, reasons: reasons, comparisons: version.verdict.compared.map(\.record))
        return TrainingFolder.Counter(
            parts: version.parts.weights, record: own, passes: version.verdict.passes, reasons: reasons,
            answers: scoring.recorded(version.outcome)?.encoded())
    }
}

extension GateJudging {
    /// Whether a counter may serve: where nothing does, where another counter does and this one is not worse, as of any model, or where
    /// the model in force is below it by more than chance.
    package func counterVerdict(_ references: GateReferences) -> Verdict {
        if let broken = gate.broken(candidate.perUser) { return Verdict(passes: false, reasons: broken.reasons, compared: []) }
        guard let promoted = references.promoted else {
            return Verdict(passes: true, reasons: ["No version is promoted yet: it serves until a model is as good."], compared: [])
        }
        var found = compared(with: promoted)
        guard promoted.record.counter == nil else {
            return Verdict(passes: found.decision.passes, reasons: found.decision.reasons, compared: [found])
        }
        let name = "version \(promoted.version)", paired = found.decision.comparison
        let interval = paired?.interval(outside: RivalGate.outside)
        found.decision.passes = (interval?.low ?? 0) > 0
        let sentence: String
        if let paired, let interval {
            let figures = "difference \(decimal(paired.difference, places: 4)) (\(decimal(interval.low, places: 4)) to "
                + "\(decimal(interval.high, places: 4)))"
            sentence = found.decision.passes
                ? "It is better than \(name) by more than chance: \(figures)."
                : "It is not better than \(name) by more than chance, so that one stays: \(figures)."
        } else {
            sentence = "It cannot be compared with \(name), which stays."
        }
        found.decision.reasons = [sentence]
        return Verdict(passes: found.decision.passes, reasons: [sentence], compared: [found])
    }
}
