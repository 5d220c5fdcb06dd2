import Console
import Foundation
import Tensors
import TowerModel
import TowerTraining

/// The training workload of in-batch two-tower training: a user row beside the mean of the last 20 item rows, two layers of 128
/// and 64 on either side, batches of 1,024. Examples a second, and how that stands to what the processor could do at most.
struct TrainBench {
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
        let trainer = try MeanTowerTrainer(data.examples, configuration: try configuration())
        let bound = ArithmeticBound.measured(threads: threads)
        var losses: [Double] = [], done = 0, examples = 0, operations = 0.0, candidates = 0, epoch = 0
        var started: (clock: ContinuousClock.Instant, processor: Double)?
        var fastest = Double.infinity
        trainer.begin(epoch: 0)
        for _ in 0..<warmup { _ = trainer.runStep() }
        started = (.now, Self.processorSeconds)
        var last = ContinuousClock.now
        while steps.map({ done < $0 }) ?? true {
            guard let (count, loss) = trainer.runStep() else {
                // An epoch without an example would never end.
                guard steps != nil || seconds != nil, examples > 0 else { break }
                epoch += 1
                trainer.begin(epoch: epoch)
                continue
            }
            let now = ContinuousClock.now
            fastest = min(fastest, last.duration(to: now).inSeconds)
            last = now
            done += 1
            examples += count
            candidates += trainer.candidates
            operations += trainer.operations(examples: count, candidates: trainer.candidates)
            if done % 50 == 1 { losses.append(loss) }
            if let seconds, let started, started.clock.duration(to: now).inSeconds >= seconds { break }
        }
        guard let started, done > 0 else { throw CommandFailure("there are too few examples for \(warmup) steps of \(batch) and one more") }
        let spent = started.clock.duration(to: .now).inSeconds, processor = Self.processorSeconds - started.processor
        let whole = trainer.operations(examples: batch, candidates: batch) / Double(batch)
        var line = ResultLine([
            "bench": .text("train"), "workload": .text("two-tower"), "data": .text(data.name), "users": .integer(data.examples.userCount),
            "items": .integer(data.examples.itemCount), "batch": .integer(batch), "threads": .integer(threads), "precision": .text("float32"),
            "batches": .integer(done), "examples": .integer(examples), "seconds": .number(spent),
            "examples_per_s": .integer(Int(Double(examples) / spent)), "ms_per_batch": .number(1e3 * spent / Double(done)),
            "ms_fastest_batch": .number(1e3 * fastest), "examples_per_cpu_s": .integer(Int(Double(examples) / processor)),
            "distinct_targets": .number(Double(candidates) / Double(done)), "flop_per_example": .number(operations / Double(examples)),
            "flop_per_example_all_columns": .number(whole), "gflop_per_s": .number(operations / spent / 1e9),
            "float32_bound_gflop_per_s": .number(bound.float32 / 1e9),
            "bfloat16_bound_gflop_per_s": bound.bfloat16.map { .number($0 / 1e9) } ?? .null,
            "share_of_float32_bound": .number(operations / spent / bound.float32),
            "share_of_bfloat16_bound": bound.bfloat16.map { .number(operations / spent / $0) } ?? .null,
        ])
        line.add("loss_first_last", .json("[\(losses.first ?? .nan),\(losses.last ?? .nan)]"))
        let recall = data.recall(trainer, at: 100)
        line.add("recall_at_100", .number(recall))
        line.add("held_out", .integer(data.heldOut.count))
        line.add("peak_rss_mb", Self.peakMemoryMiB.map { .integer($0) } ?? .null)
        line.add("kernels", .text(Kernels.description))
        return line
    }

    private func configuration() throws -> TowerConfiguration {
        var configuration = try TowerConfiguration(preset: "mean")
        for (key, value) in [
            ("dimension", "64"), ("hidden", "128"), ("history_length", "20"), ("user_ids", "true"), ("content", "false"),
            ("attribute_dropout", "0"), ("temperature", "0.05"), ("learning_rate", "0.001"), ("table_learning_rate", "0.02"),
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
