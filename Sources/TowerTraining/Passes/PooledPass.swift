import Tensors
import TowerModel

/// Drives the pooled tower: batches of shuffled examples, each with its own history.
final class PooledPass: TrainingPass {
    private let plan: ExamplePlan
    private let configuration: TowerConfiguration
    private let gatherer: BatchGatherer
    private let step: TowerStep
    private let ranks: any RankGroup
    private let working: WorkingRows?
    private var order: ExampleOrder?

    init(
        _ set: TrainingSet, plan: ExamplePlan, step: TowerStep, configuration: TowerConfiguration, ranks: any RankGroup = SingleRank(),
        working: WorkingRows? = nil
    ) {
        self.ranks = ranks
        self.working = working
        self.plan = plan
        self.configuration = configuration
        self.step = step
        gatherer = BatchGatherer(set, plan: plan, configuration: configuration)
    }

    func begin(epoch: Int, skipping done: Int) -> Int {
        var order = plan.order(epoch: epoch, threads: configuration.threads)
        order.skip(done)
        self.order = order
        return order.count
    }

    func runNext(key: UInt64) throws(RankError) -> BatchResult? {
        guard let places = order?.next(configuration.steps.batchSize * ranks.size), !places.isEmpty else { return nil }
        try gatherer.gather(places, key: key, ranks: ranks)
        try working?.fetch(
            from: step.parameters, items: gatherer.batch.items, content: step.items.content, users: gatherer.batch.users,
            userTokens: step.userTokens)
        return BatchResult(examples: places.count, loss: step.run(gatherer.batch, key: key, dropout: true))
    }

    func runFirst(_ count: Int) -> BatchResult {
        let places = plan.first(count)
        gatherer.gather(places, key: 0x696e_7370)
        return BatchResult(examples: places.count, loss: step.run(gatherer.batch, key: 0, dropout: false))
    }

    var gradients: StepGradients {
        StepGradients(
            dense: step.denseGradient, items: gatherer.batch.items, coversCatalogue: !gatherer.isSampled, ids: step.items.vectorGradient,
            usesID: step.items.usesID, content: step.items.contentGradient, users: gatherer.batch.users,
            attributes: step.attributeGradient)
    }
}
