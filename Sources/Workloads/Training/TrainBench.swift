import Console
import Foundation
import Interactions
import Tensors
import TowerModel
import TowerTraining

/// The training workload of in-batch two-tower training, with the pooled tower that users run: a row of each user beside the weighted mean
/// of the last 20 items, layers of 128 and 64, softmax over the batch's targets with logQ, batches of 1,024. Examples a second, and how
/// that stands to what the processor could do at most.
struct TrainBench {
    static let dimension = 64, hidden = 128

    var data: TrainBenchData
    var threads: Int
    var batch: Int
    /// Steps that are not timed.
    var warmup: Int
    /// Timed steps at most, over as many epochs as they take; nil for one epoch.
    var steps: Int?
    /// Seconds after which the timed part ends; nil for no limit.
    var seconds: Double?
    var seed: UInt64

    func run() throws -> ResultLine {
        let trainer = try Trainer(data.set, configuration: try configuration())
        let bound = ArithmeticBound.measured(threads: threads)
        var run = TrainBenchSteps(trainer: trainer)
        if warmup > 0 { run.go(steps: warmup, seconds: nil) }
        run.resetTimes()
        let before = Self.processorSeconds
        run.go(steps: steps ?? max(1, data.examples / batch - warmup), seconds: seconds)
        let processor = Self.processorSeconds - before
        guard run.examples > 0 else { throw CommandFailure("there are too few examples for \(warmup) steps of \(batch) and one more") }
        let candidates = data.distinctTargets(batch: batch), flop = operationsPerExample(candidates: candidates)
        let rate = flop * Double(run.examples) / run.seconds
        var line = ResultLine([
            "bench": .text("train"), "workload": .text("two-tower"), "data": .text(data.name), "users": .integer(data.set.userCount),
            "items": .integer(data.set.itemCount), "batch": .integer(batch), "threads": .integer(threads), "precision": .text("float32"),
            "batches": .integer(run.steps), "examples": .integer(run.examples), "seconds": .number(run.seconds),
            "examples_per_s": .integer(Int(Double(run.examples) / run.seconds)),
            "ms_per_batch": .number(1e3 * run.seconds / Double(run.steps)),
            "examples_per_cpu_s": .integer(Int(Double(run.examples) / processor)), "distinct_targets": .number(candidates),
            "flop_per_example": .number(flop), "flop_per_example_all_columns": .number(operationsPerExample(candidates: Double(batch))),
            "gflop_per_s": .number(rate / 1e9), "float32_bound_gflop_per_s": .number(bound.float32 / 1e9),
            "bfloat16_bound_gflop_per_s": bound.bfloat16.map { .number($0 / 1e9) } ?? .null,
            "share_of_float32_bound": .number(rate / bound.float32),
            "share_of_bfloat16_bound": bound.bfloat16.map { .number(rate / $0) } ?? .null,
        ])
        line.add("loss_first_last", .json("[\(run.firstLoss ?? .nan),\(run.lastLoss ?? .nan)]"))
        line.add("recall_at_100", .number(data.recall(trainer.model(), at: 100, threads: threads)))
        line.add("held_out", .integer(data.heldOut.count))
        line.add("peak_rss_mb", Self.peakMemoryMiB.map { .integer($0) } ?? .null)
        line.add("kernels", .text(Kernels.description))
        return line
    }

    /// Multiplications and additions an example, forth and back: two for each multiply-add of the user's layers and of the scores, and
    /// twice that on the way back.
    private func operationsPerExample(candidates: Double) -> Double {
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
            ("batch_size", String(batch)), ("threads", String(threads)), ("seed", String(seed)),
        ] { try configuration.set(key, value) }
        return configuration
    }

    /// User and system time of this process.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The most memory that this process ever held, in MiB; nil where the system does not tell.
    static var peakMemoryMiB: Int? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 / 1_024 }
    }
}
