import Console
import Interactions
import TowerModel
import TowerTraining

/// The training workload of in-batch two-tower training, with the pooled tower that users run: a row of each user beside the weighted mean
/// of the last 20 items, layers of 128 and 64, softmax over the batch's targets with logQ, batches of 1,024. Examples a second, and how
/// that stands to what the processor could do at most.
package struct TrainBench {
    /// Widths of the user's layers, and of the vectors.
    static let dimension = 64, hidden = 128

    /// What is learned from.
    package var data: TrainBenchData
    /// How much of it is measured; without a number of steps it is one epoch.
    package var timing: TrainBenchTiming

    /// Data, and how much is measured of learning from them.
    package init(data: TrainBenchData, timing: TrainBenchTiming) {
        self.data = data
        self.timing = timing
    }

    /// Measures.
    ///
    /// - Throws: `CommandFailure` where there are too few examples.
    package func run() throws -> ResultLine {
        let trainer = try Trainer(data.set, configuration: try configuration())
        let batch = timing.batch, threads = timing.threads
        let timed = TimedTraining(trainer, timing, steps: timing.steps ?? max(1, data.examples / batch - timing.warmup))
        let run = timed.run
        guard run.examples > 0 else {
            throw CommandFailure("there are too few examples for \(timing.warmup) steps of \(batch) and one more")
        }
        let candidates = data.distinctTargets(batch: batch), flop = operationsPerExample(candidates: candidates)
        var line = ResultLine([
            "bench": .text("train"), "workload": .text("two-tower"), "data": .text(data.name), "users": .integer(data.set.userCount),
            "items": .integer(data.set.itemCount), "batch": .integer(batch), "threads": .integer(threads), "precision": .text("float32"),
            "batches": .integer(run.steps), "examples": .integer(run.examples), "seconds": .number(run.seconds),
            "examples_per_s": .integer(Int(Double(run.examples) / run.seconds)),
            "ms_per_batch": .number(1e3 * run.seconds / Double(run.steps)),
            "examples_per_cpu_s": .integer(Int(Double(run.examples) / timed.processorSeconds)), "distinct_targets": .number(candidates),
            "flop_per_example": .number(flop), "flop_per_example_all_columns": .number(operationsPerExample(candidates: Double(batch))),
        ])
        timed.add(rate: flop * Double(run.examples) / run.seconds, to: &line)
        line.add("recall_at_100", .number(data.recall(trainer.model(), at: 100, threads: threads)))
        line.add("held_out", .integer(data.heldOut.count))
        ProcessFigures.add(to: &line)
        return line
    }

    /// Multiplications and additions an example, forth and back: two for each multiply-add of the user's layers and of the scores, and
    /// twice that on the way back.
    package func operationsPerExample(candidates: Double) -> Double {
        let d = Double(Self.dimension), h = Double(Self.hidden)
        return 6 * (2 * d * (h + d) + h * d + d * candidates)
    }

    private func configuration() throws -> TowerConfiguration {
        var configuration = TowerConfiguration()
        for (key, value) in [
            ("user_tower", "pooled"), ("dimension", String(Self.dimension)), ("heads", "1"), ("hidden", String(Self.hidden)),
            ("history_length", String(TrainBenchData.historyLength)), ("content", "false"),
            ("user_buckets", String(min(4_194_304, max(64, data.set.userCount)))), ("attribute_minimum_users", "1"), ("id_dropout", "0"),
            ("attribute_dropout", "0"), ("dropout", "0"), ("unit_length", "true"), ("temperature", "0.05"), ("loss", "sampled"),
            ("negatives", "0"), ("logq", "true"), ("table_optimizer", "adagrad"), ("table_learning_rate", "0.02"),
            ("learning_rate", "0.001"), ("weight_decay", "0"), ("warmup_share", "0"), ("clip_norm", "0"), ("epochs", "10000"),
            ("batch_size", String(timing.batch)), ("threads", String(timing.threads)), ("seed", String(timing.seed)),
        ] { try configuration.set(key, value) }
        return configuration
    }
}
