import Evaluation
import Tensors

/// Trains a two-tower model over a training set, epoch by epoch. One thread owns it; it uses `threads` of the pool while it runs.
///
/// Chance is a function of the seed, the epoch and the step alone, so a resumed training repeats what an uninterrupted one does.
public final class Trainer {
    /// The settings of this training.
    public let configuration: TowerConfiguration
    /// Epochs done.
    public private(set) var epoch = 0

    let set: TrainingSet
    let plan: ExamplePlan
    let hasher: ContentHasher
    let parameters: TowerParameters
    let step: TowerStep
    let gatherer: BatchGatherer
    private let optimizer: TowerOptimizer
    private let stepsInEpoch: Int
    private var stepIndex = 0
    private var allTokens: TokenTranspose?
    private var best: TowerParameters?
    private var bestMetric = -Double.infinity
    private var staleEpochs = 0

    /// Prepares a training: hashes the contents and draws the first parameters. Time and memory grow with items and their text.
    ///
    /// - Throws: where settings contradict each other.
    public init(_ set: TrainingSet, configuration: TowerConfiguration) throws(ConfigurationError) {
        try configuration.validate()
        self.set = set
        self.configuration = configuration
        plan = ExamplePlan(set, configuration: configuration)
        var hasher = ContentHasher(
            textBuckets: configuration.textBuckets, tagBuckets: configuration.tagBuckets, textTokens: configuration.textTokens,
            clock: set.clock)
        if configuration.useContent { hasher.learn(from: set.itemContents) }
        self.hasher = hasher
        let shape = TowerShape(configuration, itemCount: set.itemCount, embedding: Self.embeddingLength(set.itemContents))
        let content = ContentTable(
            set.itemContents, hasher: hasher, embedding: shape.embedding, useContent: configuration.useContent)
        parameters = TowerParameters(shape)
        parameters.initialize(seed: configuration.seed)
        step = TowerStep(
            parameters, content: content,
            userTokens: UserTokens(
                set.userAttributes, buckets: configuration.userBuckets, minimumUsers: configuration.attributeMinimumUsers),
            configuration: configuration)
        optimizer = TowerOptimizer(parameters, configuration: configuration)
        gatherer = BatchGatherer(set, plan: plan, configuration: configuration)
        stepsInEpoch = (plan.epochLength + configuration.batchSize - 1) / configuration.batchSize
    }

    /// Goes on from a checkpoint over the same training set.
    ///
    /// - Throws: where the checkpoint is damaged or belongs to another training set.
    public convenience init(_ set: TrainingSet, resuming checkpoint: Checkpoint) throws(ModelError) {
        var configuration = TowerConfiguration()
        do throws(ConfigurationError) {
            for setting in TowerConfiguration.keys {
                if let value = checkpoint.settings[setting.name] { try configuration.set(setting.name, value) }
            }
            try self.init(set, configuration: configuration)
        } catch {
            throw ModelError("the checkpoint's settings cannot be used: \(error.description)")
        }
        let sizes = ["events": set.eventCount, "items": set.itemCount, "users": set.userCount]
        for (name, size) in sizes.sorted(by: { $0.key < $1.key }) where checkpoint.counters[name] != Int64(size) {
            throw ModelError(
                "the checkpoint was written over \(checkpoint.counters[name] ?? 0) \(name) and the training set has \(size); start a new training")
        }
        let reader = try TensorReader(checkpoint.tensors)
        try parameters.read(reader)
        try optimizer.read(reader)
        epoch = Int(checkpoint.counters["epoch"] ?? 0)
        stepIndex = Int(checkpoint.counters["step"] ?? 0)
        staleEpochs = Int(checkpoint.counters["stale"] ?? 0)
        bestMetric = Double(bitPattern: UInt64(bitPattern: checkpoint.counters["best"] ?? 0))
        if checkpoint.counters["has_best"] == 1 {
            let kept = TowerParameters(parameters.shape)
            try kept.read(reader, prefix: "best.")
            best = kept
        }
    }

    /// Whether all epochs are done or the validation stopped getting better.
    public var isFinished: Bool { epoch >= configuration.epochs || shouldStop }

    private var shouldStop: Bool { configuration.patience > 0 && staleEpochs >= configuration.patience }

    /// Runs the next epoch.
    ///
    /// - Parameters:
    ///   - now: seconds of a clock that runs forward; only differences count.
    ///   - progress: called about a hundred times.
    public func runEpoch(now: () -> Double, progress: (TrainingProgress) -> Void = { _ in }) -> EpochSummary {
        let order = plan.order(epoch: epoch), started = now()
        let total = max(1, stepsInEpoch * configuration.epochs), reportEvery = max(1, stepsInEpoch / 100)
        var lossSum = 0.0, done = 0, speed = 0.0
        for (number, start) in stride(from: 0, to: order.count, by: configuration.batchSize).enumerated() {
            let places = order[start..<min(start + configuration.batchSize, order.count)]
            let key = FeatureHash.mixed(configuration.seed &* 0x9e37_79b9 &+ UInt64(stepIndex))
            gatherer.gather(places, key: key)
            let loss = step.run(gatherer.batch, key: key, dropout: true)
            optimizer.apply(
                step, batch: gatherer.batch, tokens: contentTokens(), index: stepIndex,
                share: TowerOptimizer.schedule(step: stepIndex, of: total, warmupShare: configuration.warmupShare))
            stepIndex += 1
            lossSum += loss * Double(places.count)
            done += places.count
            if number % reportEvery == 0 || done == order.count {
                let seconds = now() - started
                speed = seconds > 0 ? Double(done) / seconds : 0
                let left = order.count * (configuration.epochs - epoch) - done
                progress(
                    TrainingProgress(
                        epoch: epoch + 1, epochs: configuration.epochs, examples: done, examplesInEpoch: order.count,
                        loss: lossSum / Double(done), examplesPerSecond: speed, secondsLeft: speed > 0 ? Double(left) / speed : 0))
            }
        }
        epoch += 1
        let seconds = now() - started
        let validation = configuration.validationUsers > 0 ? validate() : nil
        let isBest = note(validation)
        return EpochSummary(
            epoch: epoch, examples: done, loss: done > 0 ? lossSum / Double(done) : 0, seconds: seconds, examplesPerSecond: speed,
            validation: validation, isBest: isBest, shouldStop: shouldStop)
    }

    /// The model as it stands; with `patience`, the best one that the validation saw.
    public func model() -> TwoTowerModel {
        let counts = set.eventsPerItem()
        return TwoTowerModel(
            configuration: configuration, itemIDs: set.itemIDs, parameters: best ?? parameters, hasher: hasher, counts: counts,
            trainedIdle: plan.idleBuckets(set))
    }

    /// Everything that a resumed training needs.
    public func checkpoint() -> Checkpoint {
        var tensors = parameters.tensors() + optimizer.tensors()
        if let best { tensors += best.tensors(prefix: "best.") }
        return Checkpoint(
            settings: Dictionary(uniqueKeysWithValues: configuration.settings.map { ($0.key, $0.value) }),
            counters: [
                "epoch": Int64(epoch), "step": Int64(stepIndex), "stale": Int64(staleEpochs),
                "best": Int64(bitPattern: bestMetric.bitPattern), "has_best": best == nil ? 0 : 1,
                "events": Int64(set.eventCount), "items": Int64(set.itemCount), "users": Int64(set.userCount),
            ], tensors: tensors)
    }

    /// Keeps the best parameters where early stopping asks for them.
    private func note(_ validation: MetricsReport?) -> Bool {
        guard let validation else { return true }
        let metric = validation["NDCG@10"]
        guard metric > bestMetric else {
            staleEpochs += 1
            return false
        }
        bestMetric = metric
        staleEpochs = 0
        if configuration.patience > 0 {
            let kept = best ?? TowerParameters(parameters.shape)
            kept.copy(from: parameters)
            best = kept
        }
        return true
    }

    /// The batch's item tokens turned round; under the full loss they are the same in every step.
    func contentTokens() -> TokenTranspose {
        if let allTokens { return allTokens }
        let content = step.content
        let tokens = TokenTranspose(
            gatherer.batch.items, bucketCount: parameters.shape.tokenRows,
            range: { content.starts[Int($0)]..<content.starts[Int($0) + 1] }, buckets: content.buckets,
            weight: { content.weights[$0] })
        if !gatherer.isSampled { allTokens = tokens }
        return tokens
    }

    /// The most frequent length of the items' embeddings, 0 where there are none; the smaller of equally frequent ones.
    private static func embeddingLength(_ contents: [ItemContent]) -> Int {
        var counts: [Int: Int] = [:]
        for content in contents { if let vector = content.embedding, !vector.isEmpty { counts[vector.count, default: 0] += 1 } }
        return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
    }
}
