import Evaluation
import TrainingFiles

/// Holds a candidate against the models of the registry: on the same questions wherever that can be, and never with an open door.
///
/// With a model, the first of these that has enough questions decides: those that neither has learned from, which are later than all
/// that the model learned or are of its own evaluation, by the answers that the registry keeps; those that it may have learned from,
/// which favours it and so can only refuse too much; at last, for a model that cannot be read, its recorded mean. Where none can, the
/// promoted model stays.
package struct GateJudging {
    /// The bounds.
    package let gate: PromotionGate
    /// What may be asked, and how models answer.
    package let settings: LearningSettings
    /// All questions of the evaluation.
    package let scoring: HoldoutScoring
    /// What the candidate answered to them.
    package let candidate: HoldoutScoring.Outcome
    /// What the candidate answers to others of the same log.
    package let answer: (HoldoutScoring) -> HoldoutScoring.Outcome

    /// All of it.
    package init(
        gate: PromotionGate, settings: LearningSettings, scoring: HoldoutScoring, candidate: HoldoutScoring.Outcome,
        answer: @escaping (HoldoutScoring) -> HoldoutScoring.Outcome
    ) {
        self.gate = gate
        self.settings = settings
        self.scoring = scoring
        self.candidate = candidate
        self.answer = answer
    }

    /// A model that the candidate was held against.
    package struct Compared {
        /// `promoted`, `anchor` or `remembered`.
        package var role: String
        /// Its number in the registry.
        package var version: Int
        /// On which questions, in words.
        package var basis: String
        /// What was decided.
        package var decision: GateDecision
        /// What the model answered now; nil where it was not asked.
        package var outcome: HoldoutScoring.Outcome?

        /// All of it.
        package init(role: String, version: Int, basis: String, decision: GateDecision, outcome: HoldoutScoring.Outcome? = nil) {
            self.role = role
            self.version = version
            self.basis = basis
            self.decision = decision
            self.outcome = outcome
        }
    }

    /// All that was decided.
    package struct Verdict {
        /// Whether the candidate may be promoted.
        package var passes: Bool
        /// Why, a sentence each.
        package var reasons: [String]
        /// The models that it was held against.
        package var compared: [Compared]
        /// The simple rivals, in their order.
        package var rivals: [RivalComparison] = []

        /// All of it.
        package init(passes: Bool, reasons: [String], compared: [Compared]) {
            self.passes = passes
            self.reasons = reasons
            self.compared = compared
        }
    }

    /// Decides on the candidate, with popularity as the least that any model must reach.
    ///
    /// - Parameter rivals: all simple rivals that answered the same questions, popularity among them; none where only popular ones were
    ///   asked, which hold nothing back then.
    package func verdict(
        _ references: GateReferences, popularity: [Double], rivals: [HoldoutScoring.JudgedRival] = []
    ) -> Verdict {
        var verdict = Verdict(passes: true, reasons: [], compared: [])
        func take(_ decision: GateDecision) {
            verdict.passes = verdict.passes && decision.passes
            verdict.reasons += decision.reasons.filter { !verdict.reasons.contains($0) }
        }
        if let promoted = references.promoted {
            let found = compared(with: promoted)
            take(found.decision)
            verdict.compared.append(found)
        } else {
            take(gate.first(candidate.perUser))
        }
        if let anchor = references.anchor, let found = anchored(anchor) {
            take(found.decision)
            verdict.compared.append(found)
        }
        take(gate.above(popularity, candidate: candidate.perUser, named: "Popularity"))
        let rule = RivalGate(gate.rivals, minimumQuestions: gate.minimumQuestions)
        verdict.rivals = rule.compared(candidate.perUser, with: rivals.map { ($0.contestant, $0.settings, $0.outcome.perUser) })
        take(rule.decide(verdict.rivals))
        return verdict
    }

    func compared(with reference: GateReferences.Reference) -> Compared {
        let name = "version \(reference.version)"
        func found(_ basis: String, _ decision: GateDecision, _ outcome: HoldoutScoring.Outcome? = nil) -> Compared {
            Compared(role: "promoted", version: reference.version, basis: basis, decision: decision, outcome: outcome)
        }
        if let broken = gate.broken(candidate.perUser) { return found("none", broken) }
        if let both = neitherKnew(reference) {
            let decision = gate.decide(candidate: both.candidate, other: both.other, named: name, on: both.questions)
            return found(both.basis, decision, both.outcome)
        }
        if scoring.holdout.questions.count >= gate.minimumQuestions, let asked = asked(reference, scoring) {
            return found(
                "perhaps learned",
                gate.decide(
                    candidate: asked.candidate, other: asked.outcome.perUser, named: name,
                    on: "questions that it may have learned from, which favours it"),
                asked.outcome)
        }
        let unread = reference.problem.map { "Version \(reference.version) cannot be read (\($0)). " } ?? ""
        if let recorded = reference.record.model?.report.metrics[HoldoutScoring.gateMetric],
            reference.record.split == scoring.holdout.description,
            let own = candidate.report.metrics[HoldoutScoring.gateMetric]
        {
            var decision = gate.decide(
                candidate: own, questions: candidate.perUser.count,
                recorded: recorded, named: name)
            decision.reasons = decision.reasons.map { unread + $0 }
            return found("recorded figure", decision)
        }
        let advice = "A person who has looked goes on without a comparison: freshet models promote --force"
        let why = scoring.holdout.questions.count < gate.minimumQuestions
            ? "there are \(scoring.holdout.questions.count) questions and \(gate.minimumQuestions) are needed"
            : "no evaluation of it with such questions was recorded"
        let reason = "\(unread)Nothing can be compared with version \(reference.version): \(why); it stays. \(advice)."
        return found("none", GateDecision(passes: false, reasons: [reason]))
    }

    /// Nil where the anchor is the promoted model, or nothing of it can be compared with these questions.
    private func anchored(_ reference: GateReferences.Reference) -> Compared? {
        let name = "version \(reference.version)"
        func found(_ basis: String, _ decision: GateDecision, _ outcome: HoldoutScoring.Outcome? = nil) -> Compared {
            Compared(role: "anchor", version: reference.version, basis: basis, decision: decision, outcome: outcome)
        }
        guard let both = neitherKnew(reference) else { return nil }
        let decision = gate.anchored(candidate: both.candidate, anchor: both.other, named: name, on: both.questions)
        return found(both.basis, decision, both.outcome)
    }

    /// What both answered to questions that neither has learned from.
    private struct Answered {
        var basis: String
        var questions: String
        var candidate: [Double]
        var other: [Double]
        var outcome: HoldoutScoring.Outcome?
    }

    /// The questions after all that the model may have learned from, or those that the registry has its answers to; nil where there are too
    /// few of either.
    ///
    /// The candidate that is judged learned nothing of the whole holdout. Where that begins before the model's knowledge ends, the later
    /// questions are harder for the candidate, so of the two the larger number decides; else the later ones.
    private func neitherKnew(_ reference: GateReferences.Reference) -> Answered? {
        let pairs = recorded(reference)
        let byRecord = pairs.map {
            Answered(
                basis: "recorded answers", questions: "questions that were asked of it before it was promoted", candidate: $0.candidate,
                other: $0.recorded)
        }
        guard let newest = reference.model?.newestEvent, let later = later(than: newest) else { return byRecord }
        let isFair = scoring.holdout.border ?? .min > newest
        if let byRecord, !isFair, byRecord.candidate.count >= later.holdout.questions.count { return byRecord }
        guard let asked = asked(reference, later) else { return byRecord }
        return Answered(
            basis: "later", questions: "questions later than all that it learned", candidate: asked.candidate, other: asked.outcome.perUser,
            outcome: asked.outcome)
    }

    /// The questions that come after all that a model may have learned from; nil where they are too few.
    private func later(than newest: Int64) -> HoldoutScoring? {
        let later = scoring.holdout.asking(
            after: newest, of: scoring.log, maxUsers: settings.holdout.usersLimit)
        guard later.questions.count >= gate.minimumQuestions else { return nil }
        return HoldoutScoring(log: scoring.log, holdout: later, excludes: scoring.excludes, threads: scoring.threads)
    }

    /// What both answer; nil where the reference's model cannot be read, or answers with what is no number.
    private func asked(
        _ reference: GateReferences.Reference, _ questions: HoldoutScoring
    ) -> (candidate: [Double], outcome: HoldoutScoring.Outcome)? {
        guard let model = reference.model else { return nil }
        let outcome = model.score(questions, settings: settings)
        guard outcome.perUser.allSatisfy(\.isFinite) else { return nil }
        return (answer(questions).perUser, outcome)
    }

    /// What both answered to questions of their own evaluations; nil where too few are the same.
    private func recorded(_ reference: GateReferences.Reference) -> (candidate: [Double], recorded: [Double])? {
        guard let answers = reference.answers, answers.metric == HoldoutScoring.gateMetric else { return nil }
        guard candidate.perUser.count == scoring.holdout.questions.count else { return nil }
        let pairs = answers.paired(with: candidate.perUser, of: scoring.questionHashes)
        return pairs.candidate.count >= gate.minimumQuestions ? pairs : nil
    }
}

extension GateJudging.Compared {
    /// For the registry.
    package var record: GateRecord.Comparison { GateRecord.Comparison(role: role, version: version, basis: basis, decision: decision) }
}
