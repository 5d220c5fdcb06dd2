import ArgumentParser
import Console
import Foundation
import Interactions
import Learning
import Reports
import Tensors
import TowerModel

/// `freshet train`
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "One retraining: a consistent snapshot, training, evaluation, a registered version, promotion if the gate passes.",
        discussion: """
            A job for cron, systemd or Kubernetes (ops/schedule): it runs once and ends. Two never run at once on one database.
            Several processes train one model together where OpenMPI starts them: mpirun -n 2 freshet train (docs/operations.md).
            --set takes train.* keys without their section, too: --set batch_size=512. A preset replaces all of the trainer's settings but
            seed and threads; those that are set on their own win over it. Without one, or with auto, they are chosen by what the data look
            like, and `freshet models show VERSION --choice` says why.
            Where a simple counter beats the new model, the counter itself becomes a version, which serves if nothing better does
            (train.counter).
            Exit status: 0 promoted (the model, or a counter in its place), 1 failed, 64 wrong usage, and 3 (train.refused_status) where
            the gate refused the new model: the work was done, what served stays, and `freshet models list` says why.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "Settings to start from: \(TowerConfiguration.presets.joined(separator: ", ")).") var preset: String?
    @Option(help: "Passes over the examples.") var epochs: Int?
    @Flag(help: "Go on from the promoted model with what it has not seen: train.mode=incremental.") var incremental = false
    @Option(help: ArgumentHelp("A registered version that the pooled tower also learns from.", valueName: "version")) var teacher: Int?
    @Flag(help: "Go on with a training that was stopped or killed.") var resume = false
    @Flag(help: "Print the result as JSON.") var json = false

    /// Freed memory that stays with the process for the next step's matrices.
    private static let keptFreedBytes = 256 << 20

    func run() throws {
        Kernels.keepFreedMemory(bytes: Self.keptFreedBytes)
        var configuration = try options.configuration(trainerKeys: true)
        do {
            if let preset { try configuration.set("train.preset", .scalar(preset), source: "--preset") }
            if incremental { try configuration.set("train.mode", .scalar("incremental"), source: "--incremental") }
            if let epochs { try configuration.set("train.epochs", .scalar(String(epochs)), source: "--epochs") }
            if let teacher { try configuration.set("train.teacher", .scalar(String(teacher)), source: "--teacher") }
            _ = try configuration.towerConfiguration()
            _ = try configuration.ratingRules()
        } catch {
            throw ValidationError(error.description)
        }
        let stop = StopSignal.onSignals(), asOf = try asOf.time()
        let ranks = try TrainingRanks.joined(configuration, stop: stop)
        guard ranks.isLeader else {
            return try ranks.run { try FollowingRank(root: configuration.text(.artifactsPath), ranks: ranks, stop: stop).run() }
        }
        let outcome = try ranks.run {
            try TrainingRole(
                configuration: configuration, logger: configuration.logger("train"), resume: resume, asOf: asOf, stop: stop, ranks: ranks
            ).run()
        }
        if json {
            ResultLine([
                "version": .integer(outcome.version), "promoted": .boolean(outcome.promoted),
                "interactions": .integer(outcome.interactions), "seconds": .number(outcome.seconds),
                "chosen": .json("{" + (outcome.record.choice?.values ?? []).map {
                    ResultLine.quoted($0.key) + ":" + ResultLine.quoted($0.value)
                }.joined(separator: ",") + "}"),
                "counter": outcome.counter.map { .json($0.line.json) } ?? .null,
                "reasons": .json("[" + outcome.reasons.map(ResultLine.quoted).joined(separator: ",") + "]"),
                "metrics": .json(outcome.record.json),
            ]).print(asJSON: true)
        } else {
            let ended = outcome.promoted ? "promoted" : "refused"
            StandardOutput.line(
                "version \(outcome.version) \(ended) after \(ProgressLine.clock(outcome.seconds)), from "
                    + "\(outcome.interactions) interactions")
            if let ndcg = outcome.ndcg, let popularity = outcome.popularityNDCG {
                StandardOutput.line("NDCG@10 \(String(ndcg).prefix(6)), popularity \(String(popularity).prefix(6))")
            }
            if let choice = outcome.record.choice, !choice.decisions.isEmpty {
                StandardOutput.line("auto chose " + choice.values.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))
            }
            for reason in outcome.reasons { StandardOutput.line(reason) }
            if let warning = outcome.record.exclusion?.warning { StandardOutput.line(warning) }
            if let counter = outcome.counter {
                StandardOutput.line("version \(counter.version) \(counter.promoted ? "promoted" : "registered"), a counter")
                for reason in counter.reasons { StandardOutput.line(reason) }
            }
        }
        let status = configuration.integer(.trainRefusedStatus)
        if !outcome.servesAnew, status != 0 { throw ExitCode(Int32(clamping: status)) }
    }
}

extension CounterOutcome {
    /// For `--json`.
    fileprivate var line: ResultLine {
        func number(_ value: Double?) -> ResultLine.Value { value.map { .number($0) } ?? .null }
        return ResultLine([
            "version": .integer(version), "promoted": .boolean(promoted), "rival": counter.rival.map { .text($0) } ?? .null,
            "settings": counter.settings.map { .text($0) } ?? .null, "ndcg": number(counter.served),
            "rival_ndcg": number(counter.rivalNDCG), "model_ndcg": number(counter.model),
            "reasons": .json("[" + reasons.map(ResultLine.quoted).joined(separator: ",") + "]"),
        ])
    }
}
