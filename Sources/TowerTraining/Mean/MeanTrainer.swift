import ContentModel
import Tensors
import TowerModel

/// Trains the mean-pooled towers step by step. ``Trainer`` drives one for `user_tower: mean`; benchmarks drive one directly.
///
/// Of the configuration it reads `dimension`, `hidden`, `history_length`, `user_ids`, the content keys, `id_dropout`,
/// `attribute_dropout` (here: examples without their user row), `logq`, `temperature`, `batch_size`, the step sizes, `weight_decay`,
/// `precision`, `seed` and `threads`. The loss is the softmax over the items of the batch.
public final class MeanTowerTrainer {
    /// The settings of this training.
    public let configuration: TowerConfiguration
    /// Steps done.
    public private(set) var stepIndex = 0

    let parameters: MeanParameters
    let examples: MeanExamples
    let step: MeanStep
    let batch: MeanBatch
    private let optimizer: MeanOptimizer
    private var order: MeanExamples.Order

    /// A training over examples without content.
    ///
    /// - Throws: where settings contradict each other.
    public convenience init(_ examples: MeanExamples, configuration: TowerConfiguration) throws(ConfigurationError) {
        try configuration.validate()
        self.init(
            examples, content: ContentTable(unknown: examples.itemCount), embedding: 0, configuration: configuration)
    }

    init(_ examples: MeanExamples, content: ContentTable, embedding: Int, configuration: TowerConfiguration) {
        self.examples = examples
        self.configuration = configuration
        parameters = MeanParameters(
            MeanShape(configuration, itemCount: examples.itemCount, userCount: examples.userCount, embedding: embedding))
        parameters.initialize(seed: configuration.seed)
        step = MeanStep(parameters, content: content, threads: configuration.threads, temperature: configuration.temperature)
        // Without content nothing but the id says anything of an item.
        batch = MeanBatch(
            examples, limit: configuration.batchSize, logQ: configuration.logQCorrection,
            hiding: .init(
                users: configuration.attributeDropout, items: configuration.useContent ? configuration.idDropout : 0,
                keepsID: content.isEmpty))
        optimizer = MeanOptimizer(parameters, configuration: configuration)
        order = examples.order(epoch: 0, seed: configuration.seed)
    }

    /// Plans an epoch (from 0) and leaves out its first `done` examples.
    public func begin(epoch: Int, skipping done: Int = 0) {
        order = examples.order(epoch: epoch, seed: configuration.seed)
        order.skip(done)
    }

    /// Runs the next step of the epoch.
    ///
    /// - Parameters:
    ///   - key: decides which rows are hidden; by default it follows from the seed and the step.
    ///   - share: of the peak step sizes.
    /// - Returns: the number of examples and their weighted mean loss; nil at the end of the epoch.
    public func runStep(key: UInt64? = nil, share: Float = 1) -> (examples: Int, loss: Double)? {
        let key = key ?? FeatureHash.mixed(configuration.seed &* 0x9e37_79b9 &+ UInt64(stepIndex))
        let loss = examples.sequence.withUnsafeBufferPointer { sequence -> Double in
            guard let sequence = sequence.baseAddress else { return 0 }
            batch.fill(sequence, key: key) { order.next(configuration.batchSize, into: &$0) }
            return step.run(batch, sequence: sequence)
        }
        guard batch.count > 0 else { return nil }
        optimizer.apply(step, batch: batch, index: stepIndex, share: share)
        stepIndex += 1
        return (batch.count, loss)
    }

    /// Distinct items of the last step: the columns of its scores.
    public var candidates: Int { batch.candidateCount }

    /// Multiplications and additions of a step of `count` examples against `candidates` items, forth and back: two for each
    /// multiply-add of the layers and the scores.
    public func operations(examples count: Int, candidates: Int) -> Double {
        let shape = parameters.shape
        let (d, h, n, c) = (Double(shape.dimension), Double(shape.hidden), Double(count), Double(candidates))
        let user = n * (Double(shape.inputWidth) * h + h * d), item = c * (d * h + h * d)
        // The item tower's inputs are rows, which need a gradient too; so each product has two on the way back.
        return 6 * (user + item + n * c * d)
    }

    /// State for a checkpoint; the step is in two pieces that a Float holds exactly.
    func tensors() -> [NamedTensor] {
        parameters.tensors() + optimizer.tensors()
            + [NamedTensor(name: "optimizer.mean.step", shape: [1, 2], values: [Float(stepIndex >> 20), Float(stepIndex & 0xf_ffff)])]
    }

    /// Reads the state of ``tensors()``.
    func read(_ reader: TensorReader) throws(ModelError) {
        try parameters.read(reader)
        try optimizer.read(reader)
        let step = try reader.values("optimizer.mean.step", rows: 1, columns: 2)
        guard step.allSatisfy({ $0 >= 0 && $0 < 0x1p24 }) else { throw ModelError("the tensor optimizer.mean.step is no step") }
        stepIndex = Int(step[0]) << 20 + Int(step[1])
    }

    /// The vector of each item, `[itemCount, d]` of length 1, where nothing is known of items but their rows.
    public func itemVectors() -> Matrix {
        let d = parameters.shape.dimension, h = parameters.shape.hidden, n = parameters.shape.itemCount
        let hidden = FloatBuffer(MeanStep.block * h), lengths = FloatBuffer(MeanStep.block)
        return Matrix(rows: n, columns: d) { target in
            guard let target = target.baseAddress else { return }
            for tile in tiles(of: 0..<n, limit: MeanStep.block) {
                let out = target + tile.lowerBound * d
                MeanNetwork.item(parameters).forward(
                    count: tile.count, parameters.table(.items).start + tile.lowerBound * d, hidden: hidden.start, into: out)
                Kernels.normaliseRows(rows: tile.count, dimension: d, out, inverse: lengths.start, scale: 1, scaled: out)
            }
        }
    }

    /// The vectors of the users of examples, `[examples.count, d]` of length 1.
    public func userVectors(_ examples: [MeanExamples.Example]) -> Matrix {
        let shape = parameters.shape, d = shape.dimension, width = shape.inputWidth
        let inputs = FloatBuffer(MeanStep.block * width), hidden = FloatBuffer(MeanStep.block * shape.hidden)
        let lengths = FloatBuffer(MeanStep.block)
        return Matrix(rows: examples.count, columns: d) { target in
            guard let target = target.baseAddress else { return }
            for tile in tiles(of: 0..<examples.count, limit: MeanStep.block) {
                let out = target + tile.lowerBound * d, part = examples[tile]
                if width > d {
                    Kernels.gatherRows(
                        parameters.table(.users).start, dimension: d, rows: part.map(\.user), count: part.count, into: inputs.start,
                        stride: width)
                }
                self.examples.sequence.withUnsafeBufferPointer { sequence in
                    guard let sequence = sequence.baseAddress else { return }
                    Kernels.meansOfWindows(
                        parameters.table(.items).start, dimension: d, sequence: sequence, starts: part.map(\.start),
                        ends: part.map(\.end), count: part.count, into: inputs.start + (width - d), stride: width)
                }
                MeanNetwork.user(parameters).forward(count: part.count, inputs.start, hidden: hidden.start, into: out)
                Kernels.normaliseRows(rows: part.count, dimension: d, out, inverse: lengths.start, scale: 1, scaled: out)
            }
        }
    }
}

extension ContentTable {
    /// Items of which nothing is known.
    init(unknown count: Int) {
        self.init([], hasher: ContentHasher(textBuckets: 1, tagBuckets: 1, textTokens: 1, clock: 0), embedding: 0, useContent: false)
        isEmpty = [Bool](repeating: true, count: count)
        starts = [Int](repeating: 0, count: count + 1)
    }
}
