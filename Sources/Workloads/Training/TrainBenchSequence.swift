import Console
import Interactions
import Tensors
import TowerModel
import TowerTraining

/// The training workload of a self-attentive sequence tower (SASRec): two blocks of width 64 with one head, up to 200 interactions a
/// user, all of them predicted at once, by the softmax over all items or over 128 negatives that the batch shares.
package struct TrainBenchSequence {
    /// Width of the blocks and of the layer within them, blocks, and negatives that a batch shares.
    static let dimension = 64, feedForward = 64, blocks = 2, negatives = 128

    /// What is learned from.
    package var data: TrainBenchSequences
    /// Whether the softmax is over all items.
    package var isFull: Bool
    /// Factors of the products, where the processor has them.
    package var precision: TrainingPrecision
    /// How much of it is measured; its steps have so many histories on average.
    package var timing: TrainBenchTiming

    /// Timed steps where nobody says how many.
    static let steps = 100

    /// Data, and how much is measured of learning from them.
    package init(data: TrainBenchSequences, isFull: Bool, precision: TrainingPrecision, timing: TrainBenchTiming) {
        self.data = data
        self.isFull = isFull
        self.precision = precision
        self.timing = timing
    }

    /// Measures.
    ///
    /// - Throws: `CommandFailure` where there is nothing to learn from.
    package func run() throws -> ResultLine {
        let trainer = try Trainer(data.set, configuration: try configuration())
        let timed = TimedTraining(trainer, timing, steps: timing.steps ?? Self.steps)
        let run = timed.run
        guard run.steps > 0 else { throw CommandFailure("the data have no interactions to learn from") }
        // A user's first interaction is an example too, but one without a history; it does not count here.
        let positions = Double(run.examples) * Double(data.positions) / Double(data.set.eventCount)
        let ran: TrainingPrecision = precision != .float32 && Kernels.hasBFloat16 ? .bfloat16 : .float32
        var line = ResultLine([
            "bench": .text("train"), "workload": .text(isFull ? "sasrec-full" : "sasrec-sampled"), "data": .text(data.name),
            "users": .integer(data.set.userCount), "items": .integer(data.set.itemCount), "batch": .integer(timing.batch),
            "threads": .integer(timing.threads), "precision": .text(ran.rawValue), "steps": .integer(run.steps),
            "positions": .integer(Int(positions)), "seconds": .number(run.seconds),
            "positions_per_s": .integer(Int(positions / run.seconds)), "ms_per_step": .number(1e3 * run.seconds / Double(run.steps)),
            "positions_per_cpu_s": .integer(Int(positions / timed.processorSeconds)), "flop_per_position": .number(operationsPerPosition),
        ])
        timed.add(rate: operationsPerPosition * positions / run.seconds, to: &line)
        ProcessFigures.add(to: &line)
        return line
    }

    /// Multiplications and additions a position, forth and back: two for each multiply-add of the blocks' layers, of attention (the
    /// half that is not masked) and of the scores, and twice that on the way back.
    package var operationsPerPosition: Double {
        let d = Double(Self.dimension), read = Double(data.attended) / Double(max(1, data.positions))
        let block = 4 * d * d + 2 * d * Double(Self.feedForward) + 2 * d * read
        return 6 * (Double(Self.blocks) * block + d * Double(isFull ? data.set.itemCount : Self.negatives + 1))
    }

    private func configuration() throws -> TowerConfiguration {
        var configuration = TowerConfiguration()
        let examples = Double(timing.batch) * Double(data.set.eventCount) / Double(max(1, data.set.userCount))
        var settings = [
            ("user_tower", "sequence"), ("block", "attention"), ("blocks", String(Self.blocks)), ("attention_heads", "1"),
            ("feed_forward", String(Self.feedForward)), ("head", "direct"), ("history_means", "0"), ("places", "true"),
            ("distance_bias", "false"), ("dimension", String(Self.dimension)),
            ("history_length", String(TrainBenchSequences.historyLength)),
            ("block_dropout", "0.2"), ("id_dropout", "0"), ("attribute_dropout", "0"), ("content", "false"), ("mask_history", "false"),
            ("clip_norm", "0"), ("weight_decay", "0"), ("learning_rate", "0.001"), ("table_learning_rate", "0.001"), ("epochs", "10000"),
            ("batch_size", String(min(65_536, max(16, Int(examples.rounded()))))), ("precision", precision.rawValue),
            ("threads", String(timing.threads)), ("seed", String(timing.seed)),
        ]
        settings += isFull
            ? [("loss", "full")]
            : [("loss", "sampled"), ("negatives", String(Self.negatives)), ("negative_sampling", "uniform"), ("logq", "false")]
        for (key, value) in settings { try configuration.set(key, value) }
        return configuration
    }
}
