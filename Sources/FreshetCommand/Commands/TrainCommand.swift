import ArgumentParser
import Foundation
import Tensors

/// `freshet train`
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "One retraining: a consistent snapshot, training, evaluation, a registered version, promotion if the gate passes.",
        discussion: """
            A job for cron, systemd or Kubernetes (ops/schedule): it runs once and ends. Two never run at once on one database.
            Exit status 0 also when the gate refuses the candidate: the work was done, and `freshet models list` says why.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "Settings to start from: small or default.") var preset: String?
    @Option(help: "Passes over the examples.") var epochs: Int?
    @Flag(help: "Go on with a training that was stopped or killed.") var resume = false
    @Flag(help: "Print the result as JSON.") var json = false

    /// Freed memory that stays with the process for the next step's matrices.
    private static let keptFreedBytes = 256 << 20

    func run() throws {
        Kernels.keepFreedMemory(bytes: Self.keptFreedBytes)
        var configuration = try options.configuration(trainerKeys: true)
        do {
            if let preset { try configuration.set("train.preset", .scalar(preset), source: "--preset") }
            if let epochs { try configuration.set("train.epochs", .scalar(String(epochs)), source: "--epochs") }
            _ = try configuration.towerConfiguration()
        } catch {
            throw ValidationError(error.description)
        }
        let outcome = try TrainingRun(
            configuration: configuration, logger: configuration.logger("train"), resume: resume, asOf: try asOf.time(),
            stop: StopSignal.onSignals()
        ).run()
        if json {
            ResultLine([
                "version": .integer(outcome.version), "promoted": .boolean(outcome.promoted),
                "interactions": .integer(outcome.interactions), "seconds": .number(outcome.seconds),
                "reasons": .json("[" + outcome.reasons.map(ResultLine.quoted).joined(separator: ",") + "]"),
                "metrics": .json(outcome.metrics),
            ]).print(asJSON: true)
        } else {
            StandardOutput.line("version \(outcome.version) \(outcome.promoted ? "promoted" : "refused") after \(ProgressLine.clock(outcome.seconds)), from \(outcome.interactions) interactions")
            if let ndcg = outcome.ndcg, let popularity = outcome.popularityNDCG {
                StandardOutput.line("NDCG@10 \(String(ndcg).prefix(6)), popularity \(String(popularity).prefix(6))")
            }
            for reason in outcome.reasons { StandardOutput.line(reason) }
        }
    }
}
