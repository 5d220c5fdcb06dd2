import Tensors
import TowerModel

/// Drives the sequence tower: batches of whole windows, as many as the batch size has room for.
final class SequencePass: TrainingPass {
    private let plan: SequencePlan
    private let configuration: TowerConfiguration
    private let gatherer: SequenceGatherer
    private let step: SequenceStep
    private let ranks: any RankGroup
    private let working: WorkingRows?
    private var windows: [SequenceWindow] = []
    private var next = 0

    init(
        _ set: TrainingSet, plan: ExamplePlan, step: SequenceStep, configuration: TowerConfiguration,
        ranks: any RankGroup = SingleRank(), working: WorkingRows? = nil
    ) {
        self.ranks = ranks
        self.working = working
        self.plan = SequencePlan(set, plan: plan, configuration: configuration)
        self.configuration = configuration
        self.step = step
        gatherer = SequenceGatherer(set, plan: plan, configuration: configuration)
    }

    func begin(epoch: Int, skipping done: Int) -> Int {
        windows = plan.windows(epoch: epoch)
        next = 0
        var skipped = 0
        while next < windows.count, skipped < done {
            skipped += Int(windows[next].examples)
            next += 1
        }
        return windows.reduce(0) { $0 + Int($1.examples) }
    }

    func runNext(key: UInt64) throws(RankError) -> BatchResult? {
        let first = next, room = configuration.steps.batchSize * ranks.size
        var examples = 0
        while next < windows.count, next == first || examples + Int(windows[next].examples) <= room {
            examples += Int(windows[next].examples)
            next += 1
        }
        guard examples > 0 else { return nil }
        try gatherer.gather(windows[first..<next], key: key, ranks: ranks)
        try working?.fetch(
            from: step.parameters, items: gatherer.batch.items, content: step.items.content,
            users: UnsafeBufferPointer(start: gatherer.batch.users.start, count: gatherer.batch.count), userTokens: step.userTokens)
        return BatchResult(examples: examples, loss: step.run(gatherer.batch, key: key, dropout: true))
    }

    func runFirst(_ count: Int) -> BatchResult {
        let windows = plan.firstWindows(examples: count)
        gatherer.gather(windows[...], key: 0x696e_7370, dropout: false)
        return BatchResult(examples: gatherer.batch.examples, loss: step.run(gatherer.batch, key: 0, dropout: false))
    }

    var gradients: StepGradients {
        StepGradients(
            dense: step.denseGradient, items: gatherer.batch.items, coversCatalogue: !gatherer.isSampled, ids: step.items.vectorGradient,
            usesID: step.items.usesID, content: step.items.contentGradient,
            users: Array(UnsafeBufferPointer(start: gatherer.batch.users.start, count: gatherer.batch.count)),
            attributes: step.attributeGradient)
    }

    func tensors() -> [NamedTensor] { gatherer.tensors() }

    func read(_ reader: TensorReader) throws(ModelError) { try gatherer.read(reader) }
}

extension TrainingPrecision {
    /// The precision of products on this machine.
    var product: ProductPrecision {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .auto: Kernels.isBFloat16Faster ? .bfloat16 : .float32
        }
    }
}
