import Bytes
import ContentModel
import Evaluation
import Tensors
import TowerModel

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
    /// What the towers compute with: the parameters, or their rounded twin.
    private let seen: TowerParameters
    let pass: any TrainingPass
    let content: ContentTable
    let userTokens: UserTokens
    let optimizer: TowerOptimizer
    private let base: WarmStart?
    private let accumulator: GradientAccumulator
    private let averager: WeightAverager?
    let ranks: any RankGroup
    private let exchange: GradientExchange?
    /// Which rows of the tables this rank holds.
    private let shard: RowShard
    /// The rows of sharded tables that a batch reads; nil where tables are whole.
    private let working: WorkingRows?
    private var stepIndex = 0
    /// Examples done of an epoch that was stopped, and the sum of their losses.
    private var done = 0, lossSum = 0.0
    private var allTokens: TokenTranspose?
    private var best: TowerParameters?
    private var bestMetric = -Double.infinity
    private var staleEpochs = 0

    /// Prepares a training: hashes the contents and draws the first parameters. Time and memory grow with items and their text.
    ///
    /// - Parameters:
    ///   - base: the model to go on from; `configuration` has its sizes then, see ``WarmStart/settings(epochs:rateShare:seed:threads:)``.
    ///   - ranks: the processes that train together, each with the same set and settings; a step then has the batches of all.
    ///   - teacher: a larger model's view of the same set, for the pooled tower.
    /// - Throws: where settings contradict each other.
    public init(
        _ set: TrainingSet, configuration: TowerConfiguration, from base: WarmStart? = nil, ranks: any RankGroup = SingleRank(),
        teacher: Teacher? = nil
    ) throws(ConfigurationError) {
        try configuration.validate(ranks: ranks.size, hasTeacher: teacher != nil)
        shard = configuration.ranks.tableSharding == .rows ? RowShard(rank: ranks.rank, size: ranks.size) : .whole
        guard base == nil || shard.isWhole else {
            throw ConfigurationError(
                key: "table_sharding",
                description: "train.table_sharding is rows, and a training that goes on from a model has whole tables; set it to none")
        }
        self.set = set
        self.ranks = ranks
        self.configuration = configuration
        self.base = base
        plan = ExamplePlan(set, configuration: configuration)
        guard plan.count > 0 || set.eventCount == 0 || base != nil else { throw Self.noExamples(set, configuration) }
        var hasher = ContentHasher(configuration.items, clock: set.clock)
        if let base { hasher = base.hasher } else if configuration.items.usesContent { hasher.learn(from: set.itemContents) }
        self.hasher = hasher
        let embedding = base?.embedding ?? (configuration.items.usesContent ? Self.embeddingLength(set.itemContents) : 0)
        let shape = TowerShape(configuration, itemCount: set.itemCount, embedding: embedding)
        content = ContentTable(
            set.itemContents, hasher: hasher, embedding: embedding, useContent: configuration.items.usesContent)
        parameters = TowerParameters(shape, shard: shard)
        working = shard.isWhole ? nil : WorkingRows(ranks, shape: shape)
        parameters.initialize(seed: configuration.seed, temperature: configuration.loss.temperature)
        seen = configuration.served.quantisation == .int8Aware ? parameters.rounded() : parameters
        userTokens = UserTokens(
            set.userAttributes, buckets: configuration.users.buckets, minimumUsers: configuration.users.attributeMinimumUsers,
            isKnown: { base?.hasLearned(token: $0) ?? false })
        let isEmpty = content.isEmpty
        base?.fill(parameters, itemIDs: set.itemIDs) { !isEmpty[$0] }
        if seen !== parameters { seen.round(parameters) }
        switch configuration.users.kind {
        case .pooled:
            let step = TowerStep(
                seen, content: content, userTokens: userTokens, configuration: configuration, teacher: teacher)
            pass = PooledPass(set, plan: plan, step: step, configuration: configuration, ranks: ranks, working: working)
        case .sequence:
            let step = SequenceStep(set, parameters: seen, content: content, userTokens: userTokens, configuration: configuration)
            pass = SequencePass(set, plan: plan, step: step, configuration: configuration, ranks: ranks, working: working)
        }
        optimizer = TowerOptimizer(parameters, configuration: configuration)
        if let kept = base?.kept, let rows = base?.knownRows(set.itemIDs) {
            optimizer.fill(from: kept.optimizer, rows: rows)
            stepIndex = kept.stepIndex
        }
        accumulator = GradientAccumulator(dimension: shape.dimension)
        exchange =
            ranks.isShared ? GradientExchange(ranks, shape: shape, shard: shard, compression: configuration.ranks.gradientCompression) : nil
        averager = configuration.steps.weightAverage > 0 ? WeightAverager(parameters, decay: configuration.steps.weightAverage) : nil
    }

    /// No training comes so far: a checkpoint that says more is damaged.
    private static let countersLimit: Int64 = 1 << 48

    /// Goes on from a checkpoint over the same training set.
    ///
    /// - Throws: where the checkpoint is damaged or belongs to another training set, or tables are sharded.
    public convenience init(
        _ set: TrainingSet, resuming checkpoint: Checkpoint, ranks: any RankGroup = SingleRank(), teacher: Teacher? = nil
    ) throws(ModelError) {
        var configuration = TowerConfiguration()
        do throws(ConfigurationError) {
            for setting in TowerConfiguration.keys {
                if let value = checkpoint.settings[setting.name] { try configuration.set(setting.name, value) }
            }
            try self.init(set, configuration: configuration, ranks: ranks, teacher: teacher)
        } catch {
            throw ModelError("the checkpoint's settings cannot be used: \(error.description)")
        }
        let sizes = ["events": set.eventCount, "items": set.itemCount, "users": set.userCount]
        for (name, size) in sizes.sorted(by: { $0.key < $1.key }) where checkpoint.counters[name] != Int64(size) {
            throw ModelError(
                "the checkpoint was written over \(checkpoint.counters[name] ?? 0) \(name) and the training set has \(size); start a new "
                    + "training"
            )
        }
        guard keepsCheckpoints else {
            throw ModelError(
                "a training with train.table_sharding rows cannot go on from a checkpoint; set it to none, or start a new training")
        }
        let reader = try TensorReader(checkpoint.tensors)
        try parameters.read(reader)
        if seen !== parameters { seen.round(parameters) }
        try optimizer.read(reader)
        try pass.read(reader)
        try averager?.read(reader)
        for name in ["epoch", "step", "done", "stale"] where !(0...Self.countersLimit).contains(checkpoint.counters[name] ?? 0) {
            throw ModelError("the checkpoint says \(checkpoint.counters[name] ?? 0) for \(name), which cannot be; start a new training")
        }
        epoch = Int(checkpoint.counters["epoch"] ?? 0)
        stepIndex = Int(checkpoint.counters["step"] ?? 0)
        done = Int(checkpoint.counters["done"] ?? 0)
        lossSum = Double(bitPattern: UInt64(bitPattern: checkpoint.counters["loss"] ?? 0))
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

    private var shouldStop: Bool { configuration.validation.patience > 0 && staleEpochs >= configuration.validation.patience }

    /// Runs the next epoch, or the rest of one that was stopped. Where ranks train together, any of them may stop it, and it ends as
    /// unfinished where one is lost: ``EpochSummary/failure`` says so, and the training stands as after the last whole step.
    ///
    /// - Parameters:
    ///   - now: seconds of a clock that runs forward; only differences count.
    ///   - shouldStop: asked after every step. Where it says so the summary is that of an unfinished epoch, and the training can
    ///     go on from there, here or from a ``checkpoint()``.
    ///   - progress: called about a hundred times.
    public func runEpoch(
        now: () -> Double, shouldStop: () -> Bool = { false }, progress: (TrainingProgress) -> Void = { _ in }
    ) -> EpochSummary {
        let inEpoch = pass.begin(epoch: epoch, skipping: done), started = now(), doneBefore = done
        let total = max(1, inEpoch * configuration.epochs), reportEvery = max(1, inEpoch / 100)
        var speed = 0.0, reported = done - reportEvery
        func unfinished(_ failure: RankError? = nil) -> EpochSummary {
            EpochSummary(
                epoch: epoch + 1, examples: done, loss: lossSum / Double(max(1, done)), seconds: now() - started, examplesPerSecond: speed,
                isBest: false, shouldStop: false, isUnfinished: true, failure: failure)
        }
        while true {
            let examples: Int, loss: Double
            do throws(RankError) {
                guard let step = try runStep(inEpoch: inEpoch, total: total) else { break }
                (examples, loss) = step
            } catch {
                return unfinished(error)
            }
            lossSum += loss * Double(examples)
            done += examples
            if done - reported >= reportEvery || done >= inEpoch {
                reported = done
                let seconds = now() - started
                speed = seconds > 0 ? Double(done - doneBefore) / seconds : 0
                let left = inEpoch * (configuration.epochs - epoch) - done
                progress(
                    TrainingProgress(
                        epoch: epoch + 1, epochs: configuration.epochs, examples: done, examplesInEpoch: inEpoch,
                        loss: lossSum / Double(done), examplesPerSecond: speed, secondsLeft: speed > 0 ? Double(left) / speed : 0))
            }
            do throws(RankError) {
                if done < inEpoch, try ranks.isRaisedAnywhere(shouldStop()) { return unfinished() }
            } catch {
                return unfinished(error)
            }
        }
        do throws(RankError) { try checkAgreement() } catch { return unfinished(error) }
        epoch += 1
        let examples = done, loss = done > 0 ? lossSum / Double(done) : 0
        (done, lossSum) = (0, 0)
        let seconds = now() - started
        let validation = configuration.validation.users > 0 ? validate() : nil
        let isBest = note(validation)
        return EpochSummary(
            epoch: epoch, examples: examples, loss: loss, seconds: seconds, examplesPerSecond: speed,
            validation: validation, isBest: isBest, shouldStop: self.shouldStop)
    }

    /// One step over as many batches as `accumulation` says, fewer at the end of an epoch; nil where the epoch is over.
    private func runStep(inEpoch: Int, total: Int) throws(RankError) -> (examples: Int, loss: Double)? {
        var examples = 0, loss = 0.0, batches = 0
        while batches < configuration.steps.accumulation {
            // The first batch of a step has the key that it would have without accumulation.
            let key = SplitMix64Mixing.mixed(configuration.seed &* 0x9e37_79b9 &+ UInt64(stepIndex) &+ UInt64(batches) << 40)
            guard let result = try pass.runNext(key: key) else { break }
            if configuration.steps.accumulation > 1 { accumulator.add(pass.gradients, examples: result.examples) }
            examples += result.examples
            loss += result.loss * Double(result.examples)
            batches += 1
        }
        guard examples > 0 else { return nil }
        var gradients = configuration.steps.accumulation > 1 ? accumulator.finish() : pass.gradients
        var users = TokenTranspose(gradients, userTokens: userTokens, shape: parameters.shape), squares = GradientSquares()
        if let exchange {
            let merged = try exchange.merge(gradients, users: users, loss: loss)
            (gradients, users, squares, loss) = (merged.gradients, merged.userTokens, merged.squares, merged.loss)
        }
        let share = TowerOptimizer.schedule(
            done: epoch * inEpoch + done, step: examples, of: total, warmupShare: configuration.steps.warmupShare)
        let tokens = contentTokens(gradients)
        optimizer.apply(
            gradients, tokens: tokens, users: users, squares: squares, index: stepIndex, share: share)
        stepIndex += 1
        if seen !== parameters {
            seen.roundDense(parameters)
            seen.roundRows(of: .itemIDs, gradients.items, of: parameters)
            seen.roundRows(of: .contentTokens, tokens.buckets, of: parameters)
            seen.roundRows(of: .userTokens, users.buckets, of: parameters)
        }
        averager?.note(parameters, step: stepIndex)
        return (examples, loss / Double(examples))
    }

    /// Bytes that this rank has handed to others; nil where it trains alone.
    public var traffic: GradientTraffic? {
        var traffic = exchange?.traffic
        traffic?.fetched = working?.sentBytes ?? 0
        return traffic
    }

    /// Bytes of the embedding tables on this rank: rows with their optimizer state and average and, where tables are sharded, the rows of
    /// the last batches with their directory.
    public var tableBytes: Int {
        let own = parameters.tables.reduce(0) { $0 + 4 * $1.count }
        return own * (averager == nil ? 1 : 2) + optimizer.tableBytes + (working?.bytes ?? 0)
    }

    /// Whether ``checkpoint()`` may be asked for: not where the tables' rows lie on several ranks.
    public var keepsCheckpoints: Bool { shard.isWhole }

    /// Whether the ranks still have the same parameters, as they must.
    private func checkAgreement() throws(RankError) {
        guard ranks.isShared else { return }
        let sums = try ranks.gathered(
            [shard.isWhole ? parameters.checksum : parameters.denseChecksum], counts: [Int](repeating: 1, count: ranks.size))
        if let other = sums.indices.first(where: { sums[$0] != sums[0] }) {
            throw RankError(
                "rank \(other) has other parameters than rank 0 after epoch \(epoch + 1); run all ranks on processors of one kind, with "
                    + "one version of the program"
            )
        }
    }

    /// The parameters that are validated and served.
    var served: TowerParameters {
        let parameters = averager?.average ?? self.parameters
        return configuration.served.quantisation == .none ? parameters : parameters.rounded()
    }

    /// The model as it stands; with `patience`, the best one that the validation saw. Where tables are sharded, ``collectedModel()`` makes
    /// it.
    public func model() -> TwoTowerModel {
        precondition(shard.isWhole, "the rows of this training's tables lie on \(ranks.size) ranks; collectedModel() brings them together")
        return model(of: best ?? served)
    }

    /// The model as it stands, on rank 0; nil on the others. All ranks ask for it together, since sharded tables are brought to rank 0
    /// then, which holds them as a model that serves does: without optimizer state.
    ///
    /// - Throws: where a rank is lost.
    public func collectedModel() throws(RankError) -> TwoTowerModel? {
        guard !shard.isWhole else { return ranks.rank == 0 ? model() : nil }
        guard let whole = try (averager?.average ?? parameters).gathered(by: ranks) else { return nil }
        return model(of: configuration.served.quantisation == .none ? whole : whole.rounded())
    }

    private func model(of parameters: TowerParameters) -> TwoTowerModel {
        let counts = set.eventsPerItem()
        return TwoTowerModel(
            configuration: base?.configuration ?? configuration, itemIDs: set.itemIDs, parameters: parameters, hasher: hasher,
            counts: counts,
            trainedIdle: trainedIdle)
    }

    /// Which buckets of idle time were met, by this training or by the model that it began from.
    var trainedIdle: [Bool] {
        let met = plan.idleBuckets(set)
        guard let base, base.trainedIdle.count == met.count else { return met }
        return zip(met, base.trainedIdle).map { $0 || $1 }
    }

    /// Everything that a resumed training needs. Only where ``keepsCheckpoints``.
    public func checkpoint() -> Checkpoint {
        precondition(keepsCheckpoints, "the rows of this training's tables lie on \(ranks.size) ranks; it keeps no checkpoints")
        var tensors = parameters.tensors() + optimizer.tensors() + pass.tensors()
        if let averager { tensors += averager.tensors() }
        if let best { tensors += best.tensors(prefix: "best.") }
        return Checkpoint(
            settings: Dictionary(uniqueKeysWithValues: configuration.settings.map { ($0.key, $0.value) }),
            counters: [
                "epoch": Int64(epoch), "step": Int64(stepIndex), "done": Int64(done), "loss": Int64(bitPattern: lossSum.bitPattern),
                "stale": Int64(staleEpochs),
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
        if configuration.validation.patience > 0 {
            let kept = best ?? TowerParameters(parameters.shape)
            kept.copy(from: served)
            best = kept
        }
        return true
    }

    /// The batch's item tokens turned round; under the full loss they are the same in every step.
    func contentTokens(_ gradients: StepGradients) -> TokenTranspose {
        if let allTokens, gradients.coversCatalogue { return allTokens }
        let content = self.content
        let tokens = TokenTranspose(
            gradients.items, bucketCount: parameters.shape.tokenRows,
            range: { content.starts[Int($0)]..<content.starts[Int($0) + 1] }, buckets: content.buckets,
            weight: { content.weights[$0] })
        if gradients.coversCatalogue { allTokens = tokens }
        return tokens
    }

    /// The most frequent length of the items' embeddings, 0 where there are none; the smaller of equally frequent ones.
    private static func embeddingLength(_ contents: [ItemContent]) -> Int {
        var counts: [Int: Int] = [:]
        for content in contents { if let vector = content.embedding, !vector.isEmpty { counts[vector.count, default: 0] += 1 } }
        return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
    }
}
