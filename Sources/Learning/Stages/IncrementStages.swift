import Console
import Evaluation
import Interactions
import Logging
import Recommending
import TowerModel
import TrainingFiles

/// An incremental training: a model that learns the older half of the new interactions is judged on the newer half and on what it must
/// not forget, then one that learns all of them is published.
///
/// It takes seconds, so nothing of it is kept for `--resume` but its training file, its base and the decision.
package struct IncrementStages {
    /// What it goes on from.
    package struct Base {
        /// The model in force.
        package var promoted: PromotedModel
        /// The best of the last weeks, beside it.
        package var anchor: GateReferences.Reference?

        /// All of it.
        package init(promoted: PromotedModel, anchor: GateReferences.Reference? = nil) {
            self.promoted = promoted
            self.anchor = anchor
        }
    }

    /// What is published.
    package struct Published {
        /// The model with its parts.
        package var bundle: ModelBundle
        /// A counter that becomes a version beside it; nil for none.
        package var counter: ModelBundle?
        /// NDCG@10 of the model that was judged; nil where none was in this process.
        package var judgedNDCG: Double?
        /// What counting reached on the same questions.
        package var popularityNDCG: Double?

        /// All of it.
        package init(bundle: ModelBundle, judgedNDCG: Double? = nil, popularityNDCG: Double? = nil) {
            self.bundle = bundle
            self.judgedNDCG = judgedNDCG
            self.popularityNDCG = popularityNDCG
        }
    }

    /// The share of the new interactions that is learned before the candidate is judged on the rest.
    private static let learnedShare = 0.5

    /// How parts are learned, and what decides.
    package let settings: LearningSettings
    /// Old and new interactions.
    package let log: TrainingLog
    /// What it goes on from.
    package let base: Base
    /// How it learns.
    package let rules: IncrementTraining.Rules
    /// Where steps are noted.
    package let journal: TrainingJournal
    /// Told what was learned.
    package let logger: Logger
    /// Ends the learning early.
    package let stop: StopSignal

    /// All of it.
    package init(
        settings: LearningSettings, log: TrainingLog, base: Base, rules: IncrementTraining.Rules, journal: TrainingJournal,
        logger: Logger, stop: StopSignal
    ) {
        self.settings = settings.keeping(base.promoted.bundle)
        self.log = log
        self.base = base
        self.rules = rules
        self.journal = journal
        self.logger = logger
        self.stop = stop
    }

    /// How long and how fast a training runs may differ from its base; so may what is counted for the model to be.
    static let freeSettings: Set = [
        "preset", "epochs", "batch_size", "accumulation", "precision", "weight_average", "learning_rate", "table_learning_rate",
        "weight_decay", "warmup_share", "clip_norm", "validation_users", "patience", "seed", "threads",
    ]

    /// Settings of the towers decide the shape of the model, which goes on as it is: those that differ are refused by name.
    package static func check(_ towers: TowerConfiguration, against model: TwoTowerModel) throws {
        for (key, value) in towers.settings where !freeSettings.contains(key) {
            guard let own = model.configuration.value(of: key), own != value else { continue }
            throw CommandFailure(
                "train.\(key) is \(value), and the promoted model was trained with \(own): an incremental training keeps it. Set it back, "
                    + "or train in full")
        }
    }

    /// What the base learned of its parts goes on. Adapters of domains and of categories were fitted to its very towers and contents,
    /// and do not.
    private var weights: PartWeights { PartWeights(base.promoted.bundle) }

    /// Learns, judges and learns again.
    package func train(_ state: inout TrainingFolder.State, write: (TrainingFolder.State) throws -> Void) throws -> Published {
        var judged: (model: Double?, popularity: Double?)
        if state.stage == .judged {
            judged = try judge(into: &state)
            state.stage = .final
            try write(state)
        }
        let clock = ContinuousClock.now
        let training = IncrementTraining(log: log, rules: rules), from = base.promoted.bundle.model
        let found = try training.learn(log.newRows, ends: nil, from: from, stop: stop)
        journal.note(step: "learning new interactions", seconds: clock.duration(to: .now).inSeconds)
        logger.notice(
            "learned",
            metadata: ["new": "\(found.newEvents)", "replayed": "\(found.replayedEvents)", "from_version": "\(base.promoted.version)"])
        let rows = log.userIDs.indices.map { log.rows(of: $0) }
        return Published(
            bundle: BundleTraining(log: log, settings: settings).bundle(found.model, weights, rows: rows),
            judgedNDCG: judged.model, popularityNDCG: judged.popularity)
    }

    /// Judges a model that learned the older part of what is new.
    private func judge(into state: inout TrainingFolder.State) throws -> (model: Double?, popularity: Double?) {
        let started = ContinuousClock.now
        let times = log.newRows.map { log.times[$0] }.sorted()
        guard let newest = times.last else {
            throw CommandFailure("there is nothing new to learn from since version \(base.promoted.version)")
        }
        // What happened at one instant stays together, on the older side.
        let border = times[max(0, Int(Double(times.count) * Self.learnedShare) - 1)]
        let ends = log.userIDs.indices.map { log.firstRow(of: $0, after: border) }
        let older = log.newRows.filter { $0 < ends[log.user(of: $0)] }
        let training = IncrementTraining(log: log, rules: rules), from = base.promoted.bundle.model
        let model = try training.learn(older, ends: ends, from: from, stop: stop).model
        let excludes = settings.holdout.excludes, users = settings.holdout.usersLimit
        func text(_ time: Int64) -> String { EventTime(milliseconds: time).rfc3339() }
        let later = Holdout(
            trainingEnds: ends, questions: [],
            description: "the newer half of what is new, from \(text(border)) to \(text(newest))", border: border
        ).asking(after: border, of: log, maxUsers: users)
        let new = Scoring(log: log, holdout: later, excludes: excludes, threads: rules.threads)
        let old = Scoring(log: log, holdout: remembered(), excludes: excludes, threads: rules.threads)
        let rows = log.userIDs.indices.map { log.userStarts[$0]..<ends[$0] }
        let bundle = BundleTraining(log: log, settings: settings).bundle(model, weights, rows: rows)
        let served = ServedScoring([bundle], scoring: new, settings: settings)
        func answers(_ scoring: HoldoutScoring) -> HoldoutScoring.Outcome { scoring.collect(lists: served.list) }
        let gate = settings.gate, name = "version \(base.promoted.version)"
        let candidate = answers(new), current = base.promoted.score(new, settings: settings)
        let popular = new.scorePopularRivals(), popularity = popular[0].outcome
        let remembering = answers(old), remembered = base.promoted.score(old, settings: settings)
        var passes = true, reasons: [String] = [], decided = 0, compared: [GateJudging.Compared] = []
        func take(_ decision: GateDecision, _ title: String) {
            passes = passes && decision.passes
            reasons += decision.reasons.map { title + $0 }
        }
        if candidate.perUser.count >= gate.minimumQuestions {
            decided += 1
            let decision = gate.decide(
                candidate: candidate.perUser, other: current.perUser, named: name, on: "questions of interactions that neither learned")
            take(decision, "New interactions: ")
            compared.append(.init(role: "promoted", version: base.promoted.version, basis: "later", decision: decision, outcome: nil))
            let judging = GateJudging(gate: gate, settings: settings, scoring: new, candidate: candidate, answer: answers)
            let others = judging.verdict(GateReferences(promoted: nil, anchor: base.anchor), popularity: popularity.perUser)
            compared += others.compared
            // Its first sentence is of a registry without a model in force.
            take(GateDecision(passes: others.passes, reasons: Array(others.reasons.dropFirst())), "New interactions: ")
        }
        if remembering.perUser.count >= gate.minimumQuestions {
            decided += 1
            let decision = gate.decide(
                candidate: remembering.perUser, other: remembered.perUser, named: name, on: "questions that both learned")
            take(decision, "What was known: ")
            compared.append(
                .init(role: "remembered", version: base.promoted.version, basis: "learned by both", decision: decision, outcome: nil))
        }
        if decided == 0 {
            passes = false
            reasons = [
                "\(candidate.perUser.count) users with new interactions and \(remembering.perUser.count) others are too few to judge by "
                    + "(\(gate.minimumQuestions) are needed), so the promoted model stays."
            ]
        }
        var record = EvaluationRecord()
        record.split = later.description
        record.users = later.questions.count
        record.model = candidate.record
        record.exclusion = kept(later).record(settings.holdout, new, candidate) { rule in
            new.collect(lists: ServedScoring([bundle], scoring: new, settings: settings, under: rule).list)
        }
        record.listShares = ListSharesJudging([bundle], scoring: new, settings: settings, candidate: candidate)?.record
        record.add(popular)
        record.promoted = current.record
        record.promotedVersion = base.promoted.version
        record.increment = IncrementRecord(
            fromVersion: base.promoted.version, newInteractions: log.newRows.count, knownModel: remembering.record,
            knownPromoted: remembered.record)
        record.gate = gate.record(passes: passes, reasons: reasons, comparisons: compared.map(\.record))
        state.record = record
        state.passes = passes
        state.reasons = reasons
        state.judgedAgainst = base.promoted.version
        state.answers = new.recorded(candidate)?.encoded()
        journal.note(step: "judging", seconds: started.duration(to: .now).inSeconds)
        return (candidate.report["NDCG@10"], popularity.report["NDCG@10"])
    }

    private typealias Scoring = HoldoutScoring

    /// What stays out of answers is what stayed out of those of the base; how much is taken again is counted anew.
    private func kept(_ holdout: Holdout) -> ExclusionDecision {
        var fixed = settings
        fixed.holdout.decidesExclusion = false
        var decision = fixed.deciding(log, holdout, threads: rules.threads).decision
        if settings.holdout.decidesExclusion { decision.reasons = ["Kept from version \(base.promoted.version)."] }
        return decision
    }

    /// The last interactions of users without new ones: both models learned them, and neither may have forgotten.
    private func remembered() -> Holdout {
        var hasNew = [Bool](repeating: false, count: log.userIDs.count)
        for row in log.newRows { hasNew[log.user(of: row)] = true }
        let ends = log.userIDs.indices.map { log.rows(of: $0).upperBound - (!hasNew[$0] && log.rows(of: $0).count >= 3 ? 1 : 0) }
        return Holdout(trainingEnds: ends, questions: [], description: "last interactions of users without new ones", border: nil).asking(
            after: .min, of: log, maxUsers: settings.holdout.usersLimit)
    }
}
