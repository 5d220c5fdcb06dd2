import Console
import Interactions
import Learning
import Logging
import RecommendationAPI
import Serving

/// The first training, then one every few minutes, as a scheduled job would do it.
struct DemoTraining: Sendable {
    let configuration: Configuration
    let board: StatisticsBoard
    let logger: Logger
    let stop: StopSignal

    /// Trains once on a thread of its own; the dashboard shows how far it is.
    func train() async throws -> TrainingRun.Outcome {
        let began = EventTime.now
        board.note("training", "a training has begun")
        defer { board.set(training: nil) }
        let outcome = try await OwnThread.run(named: "freshet-train") { [self] in
            var run = TrainingRole(configuration: configuration, logger: logger, resume: false, asOf: nil, stop: stop)
            run.tell = { status in
                board.set(
                    training: TrainingView(
                        phase: status.phase, epoch: status.epoch, epochs: status.epochs, fraction: status.fraction,
                        loss: status.loss, examplesPerSecond: status.examplesPerSecond, startedAt: began))
            }
            return try run.run()
        }
        let model = String(outcome.ndcg ?? 0).prefix(6), popularity = String(outcome.popularityNDCG ?? 0).prefix(6)
        board.note(
            "model",
            "version \(outcome.version) \(outcome.promoted ? "promoted" : "refused"): NDCG@10 \(model) against popularity's \(popularity)")
        return outcome
    }
}
