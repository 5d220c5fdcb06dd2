import Evaluation
import Tensors
import TowerModel

/// Drives a ``MeanTowerTrainer`` through the epochs of a ``Trainer``. It moves its own parameters: what it hands on as gradients
/// is empty.
final class MeanPass: TrainingPass {
    let trainer: MeanTowerTrainer
    let gradients: StepGradients
    private let set: TrainingSet
    private let plan: ExamplePlan
    private var epoch = 0, done = 0
    private var best: MeanParameters?

    init(_ set: TrainingSet, plan: ExamplePlan, content: ContentTable, embedding: Int, configuration: TowerConfiguration) {
        self.set = set
        self.plan = plan
        trainer = MeanTowerTrainer(
            MeanExamples(set, plan: plan, historyLength: configuration.historyLength), content: content, embedding: embedding,
            configuration: configuration)
        let none = FloatBuffer(0)
        gradients = StepGradients(
            dense: none, items: [], coversCatalogue: false, ids: none, usesID: [], content: none, users: [], attributes: none)
    }

    func begin(epoch: Int, skipping done: Int) -> Int {
        self.epoch = epoch
        self.done = done
        trainer.begin(epoch: epoch, skipping: done)
        return trainer.examples.epochLength
    }

    func runNext(key: UInt64) -> BatchResult? {
        let inEpoch = trainer.examples.epochLength, configuration = trainer.configuration
        let share = TowerOptimizer.schedule(
            done: epoch * inEpoch + done, step: min(configuration.batchSize, inEpoch - done), of: max(1, inEpoch * configuration.epochs),
            warmupShare: configuration.warmupShare)
        guard let (examples, loss) = trainer.runStep(key: key, share: share) else { return nil }
        done += examples
        return BatchResult(examples: examples, loss: loss)
    }

    func runFirst(_ count: Int) -> BatchResult {
        let loss = trainer.lossOfFirst(count)
        return BatchResult(examples: trainer.batch.count, loss: loss)
    }

    func encodeCatalogue() -> UnsafePointer<Float> { UnsafePointer(trainer.parameters.table(.items).start) }

    /// The towers as they stand, or the best ones kept.
    func model() -> MeanTowerModel {
        MeanTowerModel(
            best ?? trainer.parameters, temperature: trainer.configuration.temperature,
            userKeys: trainer.configuration.userIDs ? set.userIDs.map(MeanTowerModel.key(of:)) : [])
    }

    /// Keeps the parameters as the best so far.
    func keepBest() {
        let kept = best ?? MeanParameters(trainer.parameters.shape)
        kept.copy(from: trainer.parameters)
        best = kept
    }

    func tensors() -> [NamedTensor] { trainer.tensors() + (best?.tensors(prefix: "best.") ?? []) }

    func read(_ reader: TensorReader) throws(ModelError) {
        try trainer.read(reader)
        guard reader.rows(of: "best." + MeanTable.items.name) != nil else { return }
        let kept = MeanParameters(trainer.parameters.shape)
        try kept.read(reader, prefix: "best.")
        best = kept
    }

    /// Ranks each held-out interaction among all items but those that the user had before, by the model as it stands.
    func validate(_ model: TwoTowerModel) -> MetricsReport {
        let n = set.itemCount, d = model.dimension, length = model.historyLength
        let vectors = model.encodeItems(set.itemContents, rows: (0..<Int32(n)).map { $0 }, threads: trainer.configuration.threads)
        var metrics = RankingMetrics(
            cutoffs: [10, 100], catalogueSize: n, slices: ItemSlices(counts: set.eventsPerItem(), itemIDs: set.itemIDs))
        var ranked = [[Int32]](repeating: [], count: plan.heldOut.count)
        ranked.withUnsafeMutableBufferPointer { ranked in
            vectors.withUnsafePointer { vectors in
                parallelFor(count: plan.heldOut.count, threads: trainer.configuration.threads) { range, _ in
                    var scores = [Float](repeating: 0, count: n)
                    for index in range {
                        let (user, event) = plan.heldOut[index], before = set.userStarts[Int(user)]..<event
                        var sequence = UserSequence(dimension: d, limit: length)
                        for entry in before.suffix(length) {
                            sequence.append(
                                vector: UnsafeBufferPointer(start: vectors + Int(set.items[entry]) * d, count: d),
                                type: set.types[entry], time: set.times[entry])
                        }
                        let vector = model.encodeUser(sequence, userID: set.userIDs[Int(user)], now: set.times[event])
                        for item in 0..<n { scores[item] = Kernels.dot(vector, vectors + item * d, count: d) }
                        var had = Set(before.map { set.items[$0] })
                        had.remove(set.items[event])
                        ranked[index] = topRows(100, of: scores) { had.contains($0) }
                    }
                }
            }
        }
        for (list, held) in zip(ranked, plan.heldOut) { metrics.add(ranked: list, relevant: [set.items[held.event]]) }
        return metrics.report()
    }
}
