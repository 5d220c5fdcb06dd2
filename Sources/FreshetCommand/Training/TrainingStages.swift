import Evaluation
import Interactions
import Logging
import ModelArtifacts
import TwoTower

/// The learning itself: a model that is judged on what was held out, then the model that is published.
final class TrainingStages {
    /// The model in force, to be compared with.
    struct Promoted {
        var model: TwoTowerModel
        var version: Int
        /// In milliseconds since 1970: what it may have learned from ends here.
        var newestEvent: Int64?
    }

    private let configuration: Configuration
    private let folder: TrainingFolder
    private let log: TrainingLog
    private let towers: TowerConfiguration
    private let logger: Logger
    private let stop: StopSignal
    private let tell: (TrainingRun.Status) -> Void
    private(set) var judgedNDCG: Double?
    private(set) var popularityNDCG: Double?

    init(
        configuration: Configuration, folder: TrainingFolder, log: TrainingLog, towers: TowerConfiguration, logger: Logger,
        stop: StopSignal, tell: @escaping (TrainingRun.Status) -> Void
    ) {
        self.configuration = configuration
        self.folder = folder
        self.log = log
        self.towers = towers
        self.logger = logger
        self.stop = stop
        self.tell = tell
    }

    /// Trains what the state still asks for and returns the model to publish.
    func train(_ state: inout TrainingFolder.State, promoted: Promoted?) throws -> TwoTowerModel {
        var judged: TwoTowerModel?
        if state.stage == .judged {
            if let holdout = try cutHoldout() {
                let set = log.trainingSet { holdout.isTraining[$0] }
                let (model, epochs) = try learn(set, stage: .judged, configuration: towers)
                judged = model
                state.epochs = epochs
                judge(model, holdout: holdout, promoted: promoted, into: &state)
            } else {
                state.passes = true
                state.reasons = ["Nothing was held out (train.holdout is none), so nothing was judged."]
            }
            state.stage = .final
            try folder.write(state)
        }
        if let judged, !configuration.boolean("train.final_fit") { return judged }
        // The held-out part is the newest: the published model learns from it too, for as long as was right without it.
        var final = towers
        if let epochs = state.epochs, towers.patience > 0 {
            do {
                try final.set("epochs", String(max(1, epochs)))
                try final.set("patience", "0")
            } catch {
                throw CommandFailure(error.description)
            }
        }
        return try learn(log.trainingSet(), stage: .final, configuration: final).model
    }

    private func cutHoldout() throws -> Holdout? {
        let keepsSeen = excludedTypes.isEmpty
        let users = configuration.integer("train.evaluation_users")
        switch configuration.text("train.holdout") {
        case "leave-one-out": return .leaveOneOut(of: log, keepsSeen: keepsSeen, maxUsers: users)
        case "none": return nil
        default:
            let percent = try configuration.number("train.holdout_percent")
            guard percent > 0, percent < 100 else {
                throw ConfigurationError("train.holdout_percent is \(percent), but takes a number between 0 and 100")
            }
            return .newest(share: percent / 100, of: log, keepsSeen: keepsSeen, maxUsers: users)
        }
    }

    private var excludedTypes: Set<UInt8> { Set(configuration.excludedTypes.map(\.rawValue)) }

    private func learn(
        _ set: TrainingSet, stage: TrainingFolder.Stage, configuration towers: TowerConfiguration
    ) throws -> (model: TwoTowerModel, epochs: Int) {
        let checkpoints = CheckpointStore(root: folder.checkpointPath(stage))
        let trainer: Trainer
        if let checkpoint = try checkpoints.newest() {
            trainer = try Trainer(set, resuming: checkpoint)
            logger.notice("going on from a checkpoint", metadata: ["stage": "\(stage.rawValue)", "epoch": "\(trainer.epoch)"])
        } else {
            trainer = try Trainer(set, configuration: towers)
        }
        let line = ProgressLine("train (\(stage == .judged ? "to be judged" : "on everything"))")
        let clock = ContinuousClock.now
        let phase = stage == .judged ? "training" : "final fit"
        var best = trainer.epoch
        while !trainer.isFinished {
            guard !stop.isRaised else {
                throw CommandFailure("stopped after \(trainer.epoch) epochs; freshet train --resume goes on from there")
            }
            let summary = trainer.runEpoch(now: { clock.duration(to: .now).inSeconds }) { [tell] progress in
                line.update(
                    share: (Double(progress.epoch - 1) + Double(progress.examples) / Double(max(1, progress.examplesInEpoch)))
                        / Double(max(1, progress.epochs)),
                    note: "epoch \(progress.epoch)/\(progress.epochs)  loss \(String(progress.loss).prefix(6))  \(Int(progress.examplesPerSecond).formatted()) examples/s  \(ProgressLine.clock(progress.secondsLeft)) left")
                tell(
                    TrainingRun.Status(
                        phase: phase, epoch: progress.epoch, epochs: progress.epochs,
                        fraction: (Double(progress.epoch - 1) + Double(progress.examples) / Double(max(1, progress.examplesInEpoch)))
                            / Double(max(1, progress.epochs)),
                        loss: progress.loss,
                        examplesPerSecond: progress.examplesPerSecond))
            }
            if summary.isBest { best = summary.epoch }
            var metadata: Logger.Metadata = [
                "stage": "\(stage.rawValue)", "epoch": "\(summary.epoch)", "loss": "\(String(summary.loss).prefix(7))",
                "examples_per_second": "\(Int(summary.examplesPerSecond))",
            ]
            if let validation = summary.validation { metadata["valid_ndcg_at_10"] = "\(String(validation["NDCG@10"]).prefix(7))" }
            logger.info("epoch", metadata: metadata)
            _ = try checkpoints.write(trainer.checkpoint())
        }
        return (trainer.model(), towers.patience > 0 ? best : trainer.epoch)
    }

    private func judge(
        _ model: TwoTowerModel, holdout: Holdout, promoted: Promoted?, into state: inout TrainingFolder.State
    ) {
        tell(TrainingRun.Status(phase: "evaluating", epoch: towers.epochs, epochs: towers.epochs, fraction: 1))
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludedTypes, threads: towers.threads)
        let candidate = scoring.score(model)
        let popularity = scoring.scorePopularity()
        let recent = scoring.scoreRecentPopularity()
        judgedNDCG = candidate.report["NDCG@10"]
        popularityNDCG = popularity.report["NDCG@10"]
        var metrics = ResultLine([
            "split": .text(holdout.description), "users": .integer(holdout.questions.count),
            "model": .json(candidate.report.json), "popularity": .json(popularity.report.json),
            "recent_popularity": .json(recent.report.json),
        ])
        let margin = (try? configuration.number("train.gate_margin")) ?? 0.005
        let gate = PromotionGate(margin: max(1e-9, margin))
        var decision = gate.decide(candidate: candidate.perUser, current: nil, rival: popularity.perUser)
        if let promoted {
            let fair = comparison(candidate, with: promoted, holdout: holdout, scoring: scoring, gate: gate)
            if let outcome = fair.promoted { metrics.add("promoted", .json(outcome.report.json)) }
            metrics.add("promoted_version", .integer(promoted.version))
            decision.passes = decision.passes && fair.passes
            decision.reasons = fair.reasons + decision.reasons.dropFirst()
        }
        metrics.add("gate", .json(ResultLine(["passes": .boolean(decision.passes), "reasons": .json("[" + decision.reasons.map { JSONText.quoted($0) }.joined(separator: ",") + "]")]).json))
        state.metrics = metrics.json
        state.passes = decision.passes
        state.reasons = decision.reasons
        logger.info(
            "evaluated",
            metadata: [
                "ndcg_at_10": "\(String(candidate.report["NDCG@10"]).prefix(7))", "popularity": "\(String(popularity.report["NDCG@10"]).prefix(7))",
                "recent_popularity": "\(String(recent.report["NDCG@10"]).prefix(7))", "users": "\(holdout.questions.count)",
            ])
    }

    /// Compares on questions that are later than everything that the promoted model may have learned from.
    private func comparison(
        _ candidate: HoldoutScoring.Outcome, with promoted: Promoted, holdout: Holdout, scoring: HoldoutScoring, gate: PromotionGate
    ) -> (passes: Bool, reasons: [String], promoted: HoldoutScoring.Outcome?) {
        let fair = holdout.questions.indices.filter { index in
            guard let newest = promoted.newestEvent else { return false }
            return holdout.questions[index].time > newest
        }
        guard fair.count >= gate.minimumUsers else {
            return (
                true,
                [
                    "Version \(promoted.version) has learned from all but \(fair.count) of the held-out users, too few to compare with it; "
                        + "the candidate is judged against popularity alone."
                ], nil
            )
        }
        var later = holdout
        later.questions = fair.map { holdout.questions[$0] }
        let outcome = HoldoutScoring(log: log, holdout: later, excludes: scoring.excludes, threads: scoring.threads).score(promoted.model)
        let decision = gate.decide(candidate: fair.map { candidate.perUser[$0] }, current: outcome.perUser)
        return (decision.passes, decision.reasons, outcome)
    }
}

extension MetricsReport {
    /// The report as one JSON object.
    var json: String {
        var line = ResultLine(["users": .integer(users), "truth_pairs": .integer(truthPairs), "catalogue": .integer(catalogueSize)])
        for (name, value) in metrics.sorted(by: { $0.key < $1.key }) {
            line.add(name, .number(value.mean))
            line.add(name + "_se", .number(value.standardError))
        }
        line.add("Coverage@10", .number(coverageAt10))
        if let giniAt10 { line.add("Gini@10", .number(giniAt10)) }
        for (slice, report) in slices.sorted(by: { $0.key < $1.key }) {
            var inner = ResultLine(["users": .integer(report.users)])
            for (name, value) in report.metrics.sorted(by: { $0.key < $1.key }) { inner.add(name, .number(value.mean)) }
            line.add(slice, .json(inner.json))
        }
        return line.json
    }
}

extension Configuration {
    /// The interactions that `rules.exclude` names.
    var excludedTypes: [InteractionType] {
        var types = Set<InteractionType>()
        for name in list("rules.exclude") {
            switch name {
            case "seen": types.formUnion([.click, .addToCart, .purchase])
            case "clicked": types.insert(.click)
            case "carted": types.insert(.addToCart)
            default: types.insert(.purchase)
            }
        }
        return types.sorted { $0.rawValue < $1.rawValue }
    }
}
