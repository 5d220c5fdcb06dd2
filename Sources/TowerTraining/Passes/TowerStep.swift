import Bytes
import Tensors
import TowerModel

/// One forward and backward pass of the pooled tower over a batch: the loss and the gradient of every parameter.
///
/// Work is split into as many contiguous parts as there are threads; each part adds to its own sums, which are then added in
/// the order of the parts. So the same thread count gives the same result, bit for bit.
final class TowerStep {
    let parameters: TowerParameters
    let items: ItemPass
    let userTokens: UserTokens
    /// What the examples are also learned from; nil where there is no teacher.
    private let teacher: Teacher?
    /// The teacher's vectors of the batch's candidates.
    private var teacherItems = FloatBuffer(0)
    private let configuration: TowerConfiguration
    private let threads: Int
    private let d: Int

    /// Gradient of the dense block, after ``run(_:key:dropout:)``.
    let denseGradient: FloatBuffer
    /// Gradient of the attribute means `[examples, d]`.
    private(set) var attributeGradient = FloatBuffer(0)

    private var partDense: [FloatBuffer]
    private var workspaces: [UserWorkspace] = []

    init(
        _ parameters: TowerParameters, content: ContentTable, userTokens: UserTokens, configuration: TowerConfiguration,
        teacher: Teacher? = nil
    ) {
        self.teacher = teacher
        self.parameters = parameters
        self.userTokens = userTokens
        self.configuration = configuration
        items = ItemPass(parameters, content: content, configuration: configuration)
        threads = configuration.threads
        d = parameters.shape.dimension
        denseGradient = FloatBuffer(parameters.layout.count)
        partDense = (0..<configuration.threads).map { _ in FloatBuffer(parameters.layout.count) }
    }

    /// Runs a batch. `key` decides which ids and inputs are dropped; without `dropout` none are.
    ///
    /// - Returns: the weighted mean loss.
    func run(_ batch: TrainingBatch, key: UInt64, dropout: Bool) -> Double {
        items.forward(batch.items, key: key, rate: dropout ? configuration.dropout.ids : 0)
        grow(&attributeGradient, to: batch.count * d)
        for buffer in partDense { buffer.zero() }
        let losses = runUsers(batch, key: key, dropout: dropout)
        items.backward(batch.items, parts: usedParts, dense: partDense)
        denseGradient.zero()
        for part in partDense { Kernels.axpy(1, part.start, into: denseGradient.start, count: part.count) }
        return losses.reduce(0, +)
    }

    private func runUsers(_ batch: TrainingBatch, key: UInt64, dropout: Bool) -> [Double] {
        let tile = SoftmaxLoss.tileUsers(candidates: batch.candidates)
        if workspaces.count < threads { workspaces = (0..<threads).map { _ in UserWorkspace() } }
        for workspace in workspaces {
            workspace.prepare(
                parameters.shape, tile: tile,
                candidates: teacher == nil ? batch.candidates : DistilledLoss.scratchFloats(candidates: batch.candidates))
        }
        gatherTeacherItems(batch)
        let tower = PooledUserTower(configuration, layout: parameters.layout, dense: parameters.dense.start)
        let rate = dropout ? configuration.dropout.inputs : 0
        var losses = [Double](repeating: 0, count: threads)
        losses.withUnsafeMutableBufferPointer { losses in
            withBorrowed(batch) { pointers, tokens in
                let history = HistoryBatch(
                    starts: pointers.starts, rows: pointers.rows, types: pointers.types, gaps: pointers.gaps, vectors: items.vectors.start)
                let loss = SoftmaxLoss(dimension: d, candidates: batch.candidates, corrections: pointers.corrections)
                parallelFor(count: batch.count, threads: threads) { range, slot in
                    let part = items.partVectors[slot]
                    part.start.update(repeating: 0, count: batch.items.count * d)
                    for tile in tiles(of: range, limit: tile) {
                        losses[slot] += runTile(
                            tile, batch: pointers, history: history, tower: tower, loss: loss, workspace: workspaces[slot],
                            itemGradient: part.start, gradient: partDense[slot].start, key: key, rate: rate, events: batch.events,
                            tokens: tokens)
                    }
                }
            }
        }
        // A rank whose share is empty adds nothing.
        if batch.count == 0 { items.partVectors[0].start.update(repeating: 0, count: batch.items.count * d) }
        usedParts = min(threads, batch.count)
        return losses
    }

    private var usedParts = 1

    /// Lends the arrays of a batch and of the users' tokens while `body` runs.
    private func withBorrowed(_ batch: TrainingBatch, _ body: (TrainingBatch.Pointers, UserTokens.Rows) -> Void) {
        batch.withPointers { pointers in userTokens.withRows { body(pointers, $0) } }
    }

    private func gatherTeacherItems(_ batch: TrainingBatch) {
        guard let teacher else { return }
        let width = teacher.dimension
        grow(&teacherItems, to: batch.candidates * width)
        teacher.items.withUnsafePointer { items in
            for place in 0..<batch.candidates {
                (teacherItems.start + place * width).update(from: items + Int(batch.items[place]) * width, count: width)
            }
        }
    }

    /// The loss with what the teacher says of the same examples.
    private func runDistilled(
        _ teacher: Teacher, _ tile: Range<Int>, batch: TrainingBatch.Pointers, events: [Int32], candidates: Int,
        masked: ((Int, (Int32) -> Void) -> Void)?, workspace w: UserWorkspace, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let width = teacher.dimension, first = tile.lowerBound
        grow(&w.teacherUsers, to: tile.count * width)
        teacher.users.withUnsafeBufferPointer { vectors in
            guard let vectors = vectors.baseAddress else { return }
            for i in tile { (w.teacherUsers.start + (i - first) * width).update(from: vectors + Int(events[i]) * width, count: width) }
        }
        return DistilledLoss(
            dimension: d, teacherDimension: width, candidates: candidates, corrections: batch.corrections,
            weight: configuration.distillation.weight, temperature: configuration.distillation.temperature
        ).run(
            count: tile.count, users: w.users.start, items: items.vectors.start, teacherUsers: w.teacherUsers.start,
            teacherItems: teacherItems.start, targets: batch.targets + first, weights: batch.weights + first, masked: masked,
            scratch: w.scores.start, userGradient: w.userGradient.start, itemGradient: itemGradient)
    }

    private func runTile(
        _ tile: Range<Int>, batch: TrainingBatch.Pointers, history: HistoryBatch, tower: PooledUserTower, loss: SoftmaxLoss,
        workspace w: UserWorkspace, itemGradient: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>, key: UInt64,
        rate: Float, events: [Int32], tokens: UserTokens.Rows
    ) -> Double {
        let shape = parameters.shape, m = shape.inputWidth, first = tile.lowerBound
        let table = parameters.rows(.userTokens)
        let entries = batch.starts[tile.upperBound] - batch.starts[first]
        w.attention = w.attention.count >= entries * shape.heads ? w.attention : FloatBuffer(entries * shape.heads * 2)
        // Values of their own: each access to a variable of an object is checked.
        let attention = w.attention.start, inputs = w.inputs.start, inputGradient = w.inputGradient.start
        let attributes = attributeGradient.start, idleOffset = parameters.layout.offset(.idle)
        // The rows of a large table are rarely in a cache: all are asked for before the first is read.
        for i in tile {
            for token in tokens[batch.users[i]] { Kernels.prefetch(table[token], bytes: 4 * d) }
        }
        for i in tile {
            let start = batch.starts[i], input = inputs + (i - first) * m
            tower.pool(
                history, entry: start, length: batch.starts[i + 1] - start,
                attention: attention + (start - batch.starts[first]) * shape.heads, input: input)
            tower.network.attributes(
                tokens: tokens[batch.users[i]], table: table, idle: batch.idle[i],
                into: input + shape.heads * d)
            if rate > 0 { applyDropout(input, count: m, rate: rate, key: SplitMix64Mixing.mixed(key &+ UInt64(batch.first + i) &* 0x9e6d)) }
        }
        tower.network.forward(
            count: tile.count, inputs: w.inputs.start, inner: w.inner.start, vectors: w.users.start, lengths: w.lengths.start)
        var masked: ((Int, (Int32) -> Void) -> Void)?
        if configuration.loss.maskHistory {
            masked = { i, body in
                for entry in batch.starts[first + i]..<batch.starts[first + i + 1] { body(batch.rows[entry]) }
            }
        }
        let value = teacher.map {
            runDistilled(
                    $0, tile, batch: batch, events: events, candidates: loss.candidates, masked: masked, workspace: w,
                    itemGradient: itemGradient)
        } ?? loss.run(
            count: tile.count, users: w.users.start, items: items.vectors.start, targets: batch.targets + first,
            targetCorrections: batch.targetCorrections.map { $0 + first }, weights: batch.weights + first, masked: masked,
            scores: w.scores.start, userGradient: w.userGradient.start,
            itemGradient: itemGradient)
        tower.network.backward(
            count: tile.count, inputs: w.inputs.start, inner: w.inner.start, vectors: w.users.start, lengths: w.lengths.start,
            outer: w.userGradient.start, innerGradient: w.innerGradient.start, inputGradient: w.inputGradient.start,
            gradient: gradient)
        for i in tile {
            let start = batch.starts[i], outer = inputGradient + (i - first) * m
            if rate > 0 { applyDropout(outer, count: m, rate: rate, key: SplitMix64Mixing.mixed(key &+ UInt64(batch.first + i) &* 0x9e6d)) }
            tower.poolBackward(
                history, entry: start, length: batch.starts[i + 1] - start,
                attention: attention + (start - batch.starts[first]) * shape.heads, outer: outer,
                vectorGradient: itemGradient, gradient: gradient)
            (attributes + i * d).update(from: outer + shape.heads * d, count: d)
            if batch.idle[i] != TowerShape.noIdle {
                let idle = gradient + idleOffset + Int(batch.idle[i]) * d
                Kernels.axpy(1, outer + shape.heads * d, into: idle, count: d)
            }
        }
        return value
    }
}
