import ArgumentParser
import Foundation
import Tensors
import Workloads

/// `freshet bench train`
struct TrainBenchCommand: ParsableCommand {
    enum Workload: String, ExpressibleByArgument, CaseIterable {
        case twoTower = "two-tower"
        case sasrecSampled = "sasrec-sampled"
        case sasrecFull = "sasrec-full"
    }
    enum Precision: String, ExpressibleByArgument, CaseIterable {
        case float32, bfloat16
    }

    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Training examples a second on fixed workloads; needs no database.",
        discussion: """
            two-tower: the pooled tower, a row of each user beside a weighted mean of 20 items, two layers, softmax over the batch's
            targets with logQ; Zipf items.
            sasrec-sampled, sasrec-full: two blocks of self-attention over up to 200 interactions, softmax over 128 negatives or all items.
            The share of the bound is the workload's operations a second over those of products that stay in the first-level cache.
            """)
    @Option(help: "The workload: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")).") var workload = Workload.twoTower
    @Option(help: "Factors of the products: float32 or bfloat16; what ran is in the result. two-tower has float32 alone.")
    var precision = Precision.float32
    @Option(help: "Interactions to learn from instead of made ones, JSON Lines (.gz), in the order of time.") var data: String?
    @Option(help: "Made users; 100000, or 6040 of sasrec.") var users: Int?
    @Option(help: "Made items; 50000, or 3416 of sasrec.") var items: Int?
    @Option(help: "Made examples of two-tower.") var examples = 400_000
    @Option(help: "About how many interactions a made user of sasrec has.") var length = 165
    @Option(help: "Examples of a step, 1024; users of a step of sasrec, 128.") var batch: Int?
    @Option(help: "Threads; all processors otherwise.") var threads: Int?
    @Option(help: "Steps before the timed ones; 20, or 5 of sasrec.") var warmup: Int?
    @Option(help: "Timed steps; one pass over the examples otherwise, or 100 of sasrec.") var steps: Int?
    @Option(help: "Seconds after which the timed steps end.") var seconds: Double?
    @Option var seed: UInt64 = 1
    @Flag(help: "Print as JSON (always).") var json = false

    func validate() throws {
        let batches = workload == .twoTower ? 16...65_536 : 1...512
        guard users ?? 1 > 0, items ?? 1 > 0, examples > 0, length > 0, batches.contains(batch ?? batches.lowerBound),
            (1...256).contains(threads ?? 1), warmup ?? 0 >= 0, steps ?? 1 > 0, seconds ?? 1 > 0
        else {
            throw ValidationError(
                "the sizes are numbers above 0; a batch of \(workload.rawValue) has \(batches.lowerBound) to \(batches.upperBound)")
        }
    }

    func run() throws {
        switch workload {
        case .twoTower: try twoTower().run().print(asJSON: true)
        case .sasrecSampled, .sasrecFull: try sasrec().run().print(asJSON: true)
        }
    }

    private func twoTower() throws -> TrainBench {
        let data = try data.map { try TrainBenchData.log(path: $0) }
            ?? TrainBenchData.synthetic(users: users ?? 100_000, items: items ?? 50_000, examples: examples, seed: seed)
        return TrainBench(data: data, timing: timing(batch: 1_024, warmup: 20))
    }

    private func sasrec() throws -> TrainBenchSequence {
        let data = try data.map { try TrainBenchSequences.log(path: $0) }
            ?? TrainBenchSequences.synthetic(users: users ?? 6_040, items: items ?? 3_416, length: length, seed: seed)
        return TrainBenchSequence(
            data: data, isFull: workload == .sasrecFull, precision: precision == .float32 ? .float32 : .bfloat16,
            timing: timing(batch: 128, warmup: 5))
    }

    private func timing(batch usual: Int, warmup first: Int) -> TrainBenchTiming {
        TrainBenchTiming(
            threads: threads ?? Threads.processors, batch: batch ?? usual, warmup: warmup ?? first, steps: steps, seconds: seconds,
            seed: seed)
    }
}
