import Console
import ContentModel
import Evaluation
import Interactions
import Logging
import Recommending
import TowerModel
import TowerTraining
import TrainingFiles

/// The learning itself: a model that is judged on what was held out, then the model that is published.
package final class TrainingStages {
    private var settings: LearningSettings
    private let folder: TrainingFolder
    private let log: TrainingLog
    private let towers: TowerConfiguration
    private let logger: Logger
    private let stop: StopSignal
    private let ranks: TrainingRanks
    private let teacher: TeacherTraining?
    private let tell: (TrainingStatus) -> Void
    /// The counter that becomes a version beside the model, with what it counted; nil for none.
    package private(set) var counter: ModelBundle?
    /// NDCG@10 of the model that was judged; nil where none was in this process.
    package private(set) var judgedNDCG: Double?
    /// What counting reached on the same questions.
    package private(set) var popularityNDCG: Double?

    /// All of it.
    package init(
        settings: LearningSettings, folder: TrainingFolder, log: TrainingLog, towers: TowerConfiguration, logger: Logger,
        stop: StopSignal, ranks: TrainingRanks, teacher: TeacherTraining?, tell: @escaping (TrainingStatus) -> Void
    ) {
        self.settings = settings
        self.folder = folder
        self.log = log
        self.towers = towers
        self.logger = logger
        self.stop = stop
        self.ranks = ranks
        self.teacher = teacher
        self.tell = tell
    }

    /// Trains what the state still asks for and returns the model to publish.
    ///
    /// - Parameter references: reads the models that the judged one is held against; called once, when that is trained.
    package func train(
        _ state: inout TrainingFolder.State, references: () throws -> GateReferences
    ) throws -> ModelBundle {
        let holdout = Holdout(settings.holdout, of: log)
        let exclusion = decide(holdout)
        var judgedModel: TwoTowerModel?
        if state.stage == .judged {
            if let holdout {
                let (model, epochs) = try learn(trainingSet(holdout), stage: .judged, configuration: towers)
                judgedModel = model
                state.epochs = epochs
                try judge(model, holdout: holdout, exclusion, references: try references(), into: &state)
            } else {
                state.passes = true
                state.isUnjudged = true
                let reason = "Promoted without being judged: train.holdout is none, so nothing was held out."
                state.reasons = [reason]
                state.record = EvaluationRecord()
                state.record?.exclusion = exclusion.record(settings.holdout)
                state.record?.gate = GateRecord(judged: false, reasons: [reason])
                let content = ContentTraining(log: log, settings: settings.content)
                if content.isWanted {
                    state.parts.content = content.unjudged(log.userIDs.indices.map { log.rows(of: $0) }, threads: towers.threads)
                }
            }
            state.stage = .final
            try folder.write(state)
        }
        if let holdout, !settings.learnsHeldOut {
            // In a run that was resumed, its checkpoint is at the end already: this only reads it.
            let model = try judgedModel ?? learn(trainingSet(holdout), stage: .judged, configuration: towers).model
            return try published(model, &state, holdout)
        }
        judgedModel = nil
        // The held-out part is the newest: the published model learns from it too, for as long as was right without it.
        var final = towers
        if let epochs = state.epochs, towers.validation.patience > 0 {
            do {
                try final.set("epochs", String(max(1, epochs)))
                try final.set("patience", "0")
            } catch {
                throw CommandFailure(error.description)
            }
        }
        return try published(learn(trainingSet(nil), stage: .final, configuration: final).model, &state, nil)
    }

    /// Settles what is kept out of answers, from what the judged model learns from.
    private func decide(_ holdout: Holdout?) -> ExclusionDecision {
        let decided = settings.deciding(log, holdout, threads: towers.threads)
        settings = decided.settings
        logger.info(
            settings.holdout.decidesExclusion ? "decided what stays out of answers" : "counted repeats",
            metadata: ["why": "\(decided.decision.reasons.joined(separator: " "))"])
        return decided.decision
    }

    /// A model with its parts, counted from what the model learned from.
    private func published(
        _ base: TwoTowerModel, _ state: inout TrainingFolder.State, _ holdout: Holdout?
    ) throws -> ModelBundle {
        let rows = log.userIDs.indices.map { holdout?.trainingRows(of: $0, in: log) ?? log.rows(of: $0) }
        let content = ContentTraining(log: log, settings: settings.content)
        let learning = content.isWanted ? content.learning(rows, threads: towers.threads) : nil
        var bundle = try BundleTraining(log: log, settings: settings).bundle(
            fittingDomainsTo: base, state.parts, rows: rows, learning: learning, threads: towers.threads, stop: stop)
        if let learning, settings.adaptation.isWanted {
            let training = AdaptationTraining(
                log: log, settings: settings.adaptation, rows: rows, learning: learning, logger: logger, stop: stop)
            bundle.kit = try learnAdaptation(training, modelItems: base.itemIDs, into: &state)
        }
        counter = state.counter.map { counter in
            var own = BundleTraining(log: log, settings: settings).bundle(bundle.model, counter.parts, rows: rows, learning: learning)
            own.kit = bundle.kit
            return own
        }
        return bundle
    }

    /// Learns to adapt to new categories and notes how well it did. A run that is resumed learns it again: it takes seconds.
    private func learnAdaptation(
        _ training: AdaptationTraining, modelItems: [String], into state: inout TrainingFolder.State
    ) throws -> CategoryKit? {
        tell(TrainingStatus(phase: "adaptation", epoch: towers.epochs, epochs: towers.epochs, fraction: 1))
        let started = ContinuousClock.now
        guard let found = try training.run(modelItems: modelItems) else { return nil }
        journal.note(step: "adaptation", seconds: started.duration(to: .now).inSeconds)
        let record = AdaptationRecord(
            categories: found.categories, unadapted: Double(found.summary.none), fineTuned: Double(found.summary.fineTune),
            meta: Double(found.summary.meta), fineTuneRate: Double(found.kit.starts.plainRate), metaSteps: found.summary.metaSteps)
        state.record?.adaptation = record
        logger.info("adaptation learned", metadata: ["categories": "\(found.categories)", "losses": "\(record.words)"])
        return found.kit
    }

    /// What may be learned from: all without a holdout.
    private func trainingSet(_ holdout: Holdout?) throws -> TrainingSet {
        ranks.ends = holdout?.trainingEnds
        return try log.trainingSet(until: holdout?.trainingEnds, columnsAt: folder.columnsPath)
    }

    private var journal: TrainingJournal { TrainingJournal(folder) }

    private func learn(
        _ set: TrainingSet, stage: TrainingFolder.Stage, configuration towers: TowerConfiguration
    ) throws -> (model: TwoTowerModel, epochs: Int) {
        let checkpoints = folder.checkpoints(stage)
        let trainer: Trainer
        var best = 0
        let checkpoint = try checkpoints.newest()
        try ranks.begin(towers, from: checkpoint)
        let teacher = try teacher?.teacher(of: set, at: folder.teacherPath, threads: towers.threads)
        if let checkpoint {
            trainer = try Trainer(set, resuming: checkpoint, ranks: ranks.group, teacher: teacher)
            best = trainer.epoch - Int(checkpoint.counters["stale"] ?? 0)
            logger.notice("going on from a checkpoint", metadata: ["stage": "\(stage.rawValue)", "epoch": "\(trainer.epoch)"])
        } else {
            trainer = try Trainer(set, configuration: towers, ranks: ranks.group, teacher: teacher)
        }
        try ranks.check(set)
        let line = ProgressLine("train (\(stage == .judged ? "to be judged" : "on everything"))")
        let clock = ContinuousClock.now
        let phase = stage == .judged ? "training" : "final fit"
        while !trainer.isFinished {
            guard try !ranks.isStopped(stop) else {
                let done = "stopped after \(trainer.epoch) epochs"
                guard trainer.keepsCheckpoints else { throw Self.lost(done, "them") }
                throw CommandFailure("\(done); freshet train --resume goes on from there")
            }
            let summary = trainer.runEpoch(
                now: { clock.duration(to: .now).inSeconds }, shouldStop: { [stop] in stop.isRaised }
            ) { [tell] progress in
                line.update(share: progress.share, note: progress.note)
                tell(
                    TrainingStatus(
                        phase: phase, epoch: progress.epoch, epochs: progress.epochs, fraction: progress.share, loss: progress.loss,
                        examplesPerSecond: progress.examplesPerSecond))
            }
            if summary.isUnfinished {
                if summary.failure == nil { ranks.noteCommonStop() }
                let ended = summary.failure.map { "\($0); epoch \(summary.epoch) ended" } ?? "stopped in epoch \(summary.epoch)"
                let done = "\(ended) after \(summary.examples) examples"
                guard trainer.keepsCheckpoints else { throw Self.lost(done, "it") }
                _ = try checkpoints.write(trainer.checkpoint())
                throw CommandFailure(
                    summary.failure == nil
                        ? "\(done); freshet train --resume goes on from there"
                        : "\(done), and freshet train --resume goes on from there, with as many ranks as you like")
            }
            if summary.isBest { best = summary.epoch }
            journal.note(summary, stage: stage)
            var metadata: Logger.Metadata = [
                "stage": "\(stage.rawValue)", "epoch": "\(summary.epoch)", "loss": "\(String(summary.loss).prefix(7))",
                "examples_per_second": "\(Int(summary.examplesPerSecond))",
            ]
            if let validation = summary.validation { metadata["valid_ndcg_at_10"] = "\(String(validation["NDCG@10"]).prefix(7))" }
            if let traffic = trainer.traffic, traffic.steps > 0 {
                metadata["ranks"] = "\(ranks.group.size)"
                metadata["dense_bytes_a_step"] = "\(traffic.dense / traffic.steps)"
                metadata["sparse_bytes_a_step"] = "\(traffic.sparse / traffic.steps)"
                metadata["fetched_bytes_a_step"] = "\(traffic.fetched / traffic.steps)"
                metadata["table_bytes_a_rank"] = "\(trainer.tableBytes)"
            }
            logger.info("epoch", metadata: metadata)
            if trainer.keepsCheckpoints { _ = try checkpoints.write(trainer.checkpoint()) }
        }
        journal.note(step: stage.step, seconds: clock.duration(to: .now).inSeconds)
        guard let model = try trainer.collectedModel() else { throw CommandFailure("only rank 0 has the model") }
        return (model, towers.validation.patience > 0 ? best : trainer.epoch)
    }

    /// What is said where a stage ends of which no checkpoint can be kept.
    private static func lost(_ done: String, _ what: String) -> CommandFailure {
        CommandFailure(
            "\(done); with train.table_sharding rows nothing of \(what) is kept, and freshet train --resume begins this stage anew")
    }

    private func judge(
        _ base: TwoTowerModel, holdout: Holdout, _ exclusion: ExclusionDecision, references: GateReferences,
        into state: inout TrainingFolder.State
    ) throws {
        tell(TrainingStatus(phase: "evaluating", epoch: towers.epochs, epochs: towers.epochs, fraction: 1))
        let started = ContinuousClock.now
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: settings.holdout.excludes, threads: towers.threads)
        let parts = try PartsJudging.learning(base, scoring: scoring, settings: settings, drawsTailCurve: true, stop: stop)
        if let domains = parts.domains {
            logger.info(
                "domains judged",
                metadata: ["tried": "\(domains.rows.count)", "kept": "\(domains.kept?.tokens.joined(separator: " ") ?? "")"])
        }
        if let counters = parts.ranking.record.counters {
            logger.info(
                "counters judged",
                metadata: [
                    "used": "\(counters.used == true)", "without": "\(counters.without ?? 0)", "with": "\(counters.with ?? 0)",
                    "questions": "\(counters.questions ?? 0)", "borders": "\(counters.borders ?? 0)",
                    "network": "\(counters.network == true)", "ranking_share": "\(counters.rankingShare ?? 0)",
                    "value_share": "\(counters.valueShare ?? 0)",
                    "seconds": "\(Int(counters.seconds ?? 0))",
                ])
        }
        let judged = parts.ranking, heads = parts.heads
        let served = ServedScoring(parts.bundles, scoring: scoring, settings: settings)
        let candidate = scoring.collect(lists: served.list)
        state.parts = parts.weights
        let rivals = scoring.scoreRivals(easeItemsLimit: HoldoutScoring.trainingEASEItemsLimit), popularity = rivals[0].outcome
        judgedNDCG = candidate.report["NDCG@10"]
        popularityNDCG = popularity.report["NDCG@10"]
        var record = EvaluationRecord()
        record.split = holdout.description
        record.users = holdout.questions.count
        record.model = candidate.record
        record.exclusion = exclusion.record(settings.holdout, scoring, candidate) { rule in
            let free = ServedScoring(parts.bundles, scoring: scoring, settings: settings, under: rule)
            return scoring.collect(lists: free.list)
        }
        if let warning = record.exclusion?.warning { logger.warning("\(warning)") }
        record.add(rivals)
        record.newItems = NewItemJudging(scoring, learning: { parts.contentLearning })?
            .judged(served, minimumQuestions: settings.gate.minimumQuestions)
        if let warning = record.newItems?.warning { logger.warning("\(warning)") }
        let gate = settings.gate
        let verdict = GateJudging(
            gate: gate, settings: settings, scoring: scoring, candidate: candidate, answer: { $0.collect(lists: served.list) }
        ).verdict(references, popularity: popularity.perUser, rivals: rivals)
        let better = verdict.rivals.filter(\.isBetter)
        if gate.rivals == .warn, !better.isEmpty {
            logger.warning(
                "a counter is better than this model by more than chance",
                metadata: ["counters": "\(better.map(\.contestant.title).joined(separator: ", "))"])
        }
        var reasons = verdict.reasons
        if let teacher, teacher.knowsHoldout {
            reasons.append(
                "Version \(teacher.version), which this one learned from, may know what was held out: the figure is too good "
                    + "(train it with train.final_fit: false).")
        }
        record.promotedVersion = references.promoted?.version
        record.promoted = verdict.compared.first { $0.role == "promoted" }?.outcome?.record
        let counting = CounterJudging(settings: settings, scoring: scoring, parts: parts, candidate: candidate)
        let counter = counting.judged(verdict, rivals, references)
        if let counter {
            reasons.append(counter.sentence)
            logger.notice("a counter was judged", metadata: ["why": "\(counter.sentence)"])
        }
        record.gate = gate.record(
            passes: verdict.passes, reasons: reasons, comparisons: verdict.compared.map(\.record), rivals: verdict.rivals)
        record.ranking = judged.record
        let shared = ListSharesJudging(parts.bundles, scoring: scoring, settings: settings, candidate: candidate)
        record.listShares = shared?.record
        if let found = shared?.record { logger.info("\(found.sentence)") }
        record.ranking?.carriers = (shared?.served ?? served).carriers(of: scoring)
        record.domains = parts.domains?.records
        record.objectives = heads?.record
        record.tailCurve = parts.tailCurve?.record(used: parts.dial)
        record.itemShare = parts.prices?.record
        record.contentChannel = parts.contentRecord
        journal.note(step: "evaluating", seconds: started.duration(to: .now).inSeconds)
        state.record = record
        state.passes = verdict.passes
        state.reasons = reasons
        state.judgedAgainst = references.promoted?.version ?? 0
        state.answers = scoring.recorded(candidate)?.encoded()
        state.counter = counter.flatMap { counting.kept($0, beside: record, exclusion) }
        logger.info(
            "evaluated",
            metadata: [
                "ndcg_at_10": "\(String(candidate.report["NDCG@10"]).prefix(7))",
                "popularity": "\(String(popularity.report["NDCG@10"]).prefix(7))",
                "recent_popularity": "\(String(record.recentPopularity?.report["NDCG@10"] ?? 0).prefix(7))",
                "users": "\(holdout.questions.count)",
            ])
    }
}

extension TrainingProgress {
    /// How much of all epochs is done.
    fileprivate var share: Double {
        (Double(epoch - 1) + Double(examples) / Double(max(1, examplesInEpoch))) / Double(max(1, epochs))
    }

    /// Where it stands, for people.
    fileprivate var note: String {
        "epoch \(epoch)/\(epochs)  loss \(String(loss).prefix(6))  \(Int(examplesPerSecond).formatted()) examples/s  "
            + "\(ProgressLine.clock(secondsLeft)) left"
    }
}

extension AdaptationRecord {
    /// For the log.
    fileprivate var words: String {
        ResultLine([
            "categories": .integer(categories ?? 0), "loss_unadapted": .number(unadapted ?? .nan),
            "loss_fine_tuned": .number(fineTuned ?? .nan), "loss_meta": .number(meta ?? .nan),
            "fine_tune_rate": .number(fineTuneRate ?? .nan), "meta_steps": .integer(metaSteps ?? 0),
        ]).words
    }
}
