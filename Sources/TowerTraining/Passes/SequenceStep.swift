import Bytes
import Tensors
import TowerModel

/// One forward and backward pass of the sequence tower over a batch of windows: the loss and the gradient of every parameter.
///
/// The windows are split into as many contiguous parts of nearly equal numbers of entries as there are threads. A thread takes whole
/// windows of its part, some hundred entries at a time, through tower, loss and back in memory that fits its cache, with products on that
/// thread alone. Parts are added in their order, so the same thread count gives the same result, bit for bit.
final class SequenceStep {
    let parameters: TowerParameters
    let items: ItemPass
    let userTokens: UserTokens
    private let configuration: TowerConfiguration
    private let set: TrainingSet
    private let precision: ProductPrecision
    private let d: Int

    /// Gradient of the dense block, after ``run(_:key:dropout:)``.
    let denseGradient: FloatBuffer
    /// Gradient of the attribute sums `[windows, d]`.
    private(set) var attributeGradient = FloatBuffer(0)
    private var partDense: [FloatBuffer]
    private var workspaces: [SequenceWorkspace]

    /// Entries that a tile aims at; a longer window is a tile of its own.
    static let tileEntries = 256

    init(
        _ set: TrainingSet, parameters: TowerParameters, content: ContentTable, userTokens: UserTokens, configuration: TowerConfiguration
    ) {
        self.set = set
        self.parameters = parameters
        self.userTokens = userTokens
        self.configuration = configuration
        items = ItemPass(parameters, content: content, configuration: configuration)
        precision = configuration.steps.precision.product
        d = parameters.shape.dimension
        denseGradient = FloatBuffer(parameters.layout.count)
        partDense = (0..<configuration.threads).map { _ in FloatBuffer(parameters.layout.count) }
        workspaces = (0..<configuration.threads).map { _ in SequenceWorkspace() }
    }

    /// Runs a batch. `key` decides what is dropped; without `dropout` nothing is.
    ///
    /// - Returns: the weighted mean loss.
    func run(_ batch: SequenceBatch, key: UInt64, dropout: Bool) -> Double {
        items.forward(batch.items, key: key, rate: dropout ? configuration.dropout.ids : 0)
        grow(&attributeGradient, to: batch.count * d)
        attributeGradient.start.update(repeating: 0, count: batch.count * d)
        for buffer in partDense { buffer.zero() }
        let parts = self.parts(of: batch)
        var losses = [Double](repeating: 0, count: parts.count)
        losses.withUnsafeMutableBufferPointer { losses in
            parallelFor(count: parts.count, threads: parts.count) { range, _ in
                for part in range {
                    items.partVectors[part].start.update(repeating: 0, count: batch.items.count * d)
                    var first = parts[part].lowerBound
                    while first < parts[part].upperBound {
                        var end = first + 1
                        while end < parts[part].upperBound, batch.starts[end + 1] - batch.starts[first] <= Self.tileEntries { end += 1 }
                        losses[part] += runTile(
                            first..<end, batch: batch, part: part, key: SplitMix64Mixing.mixed(key &+ UInt64(batch.firstWindow + first)),
                            dropout: dropout)
                        first = end
                    }
                }
            }
        }
        items.backward(batch.items, parts: parts.count, dense: partDense)
        denseGradient.zero()
        for part in partDense { Kernels.axpy(1, part.start, into: denseGradient.start, count: part.count) }
        return losses.reduce(0, +)
    }

    /// Contiguous windows of nearly equal numbers of entries, one part a thread.
    private func parts(of batch: SequenceBatch) -> [Range<Int>] {
        let count = max(1, min(configuration.threads, batch.count)), total = batch.starts[batch.count] + batch.examples
        var parts: [Range<Int>] = [], first = 0
        for part in 1...count {
            var end = part == count ? batch.count : first
            while end < batch.count, (batch.starts[end] + batch.exampleStarts[end]) * count < total * part { end += 1 }
            parts.append(first..<end)
            first = end
        }
        return parts
    }

    private func runTile(
        _ windows: Range<Int>, batch: SequenceBatch, part: Int, key: UInt64, dropout: Bool
    ) -> Double {
        let shape = parameters.shape, m = shape.inputWidth, first = windows.lowerBound
        let tower = SequenceTower(configuration, layout: parameters.layout, dense: parameters.dense.start, precision: precision)
        let tile = SequenceTile(
            starts: batch.starts.start + first, count: windows.count, rows: batch.rows.start, types: batch.types.start,
            gaps: batch.gaps.start,
            vectors: items.vectors.start)
        let examples = batch.exampleStarts[first]..<batch.exampleStarts[windows.upperBound], n = examples.count
        guard n > 0 else { return 0 }
        let w = workspaces[part], gradient = partDense[part].start, itemGradient = items.partVectors[part].start
        w.prepare(shape, tile: tile, examples: n)
        let space = SequenceSpace(
            shape, entries: tile.entries, longest: tile.longest, forTraining: true, base: w.space.start)
        let blockRate = dropout ? configuration.sequence.dropout : 0
        let blockDropout = blockRate > 0 ? SequenceDropout(rate: blockRate, key: key) : nil
        let headRate = dropout && shape.hasNetwork ? configuration.dropout.inputs : 0, headKey = SplitMix64Mixing.mixed(key ^ 0x68_6561_64)
        tower.forward(tile, space: space, dropout: blockDropout)
        gatherInputs(windows, batch: batch, tower: tower, tile: tile, space: space, w: w, first: examples.lowerBound)
        if headRate > 0 { Kernels.dropout(w.inputs.start, into: w.inputs.start, count: n * m, rate: headRate, key: headKey) }
        if shape.hasNetwork {
            tower.network.forward(count: n, inputs: w.inputs.start, inner: w.inner.start, vectors: w.users.start, lengths: w.lengths.start)
        } else {
            w.users.start.update(from: w.inputs.start, count: n * d)
            tower.network.finish(count: n, vectors: w.users.start, lengths: w.lengths.start)
        }
        let loss = runLoss(examples, batch: batch, w: w, itemGradient: itemGradient)
        if shape.hasNetwork {
            tower.network.backward(
                count: n, inputs: w.inputs.start, inner: w.inner.start, vectors: w.users.start, lengths: w.lengths.start,
                outer: w.userGradient.start, innerGradient: w.innerGradient.start, inputGradient: w.inputGradient.start,
                gradient: gradient)
        } else {
            tower.network.finishBackward(
                count: n, vectors: w.users.start, lengths: w.lengths.start, outer: w.userGradient.start, gradient: gradient)
            w.inputGradient.start.update(from: w.userGradient.start, count: n * d)
        }
        if headRate > 0 { Kernels.dropout(w.inputGradient.start, into: w.inputGradient.start, count: n * m, rate: headRate, key: headKey) }
        scatterInputs(windows, batch: batch, tower: tower, tile: tile, space: space, w: w, gradient: gradient)
        tower.backward(tile, space: space, gradient: gradient, dropout: blockDropout)
        Kernels.scatterAddRows(
            itemGradient, stride: d, indices: batch.rows.start + tile.first, rows: tile.entries, columns: d, from: space.vectorGradient,
            stride: d)
        return loss
    }

    /// The network's inputs of a tile's examples.
    private func gatherInputs(
        _ windows: Range<Int>, batch: SequenceBatch, tower: SequenceTower, tile: SequenceTile, space: SequenceSpace,
        w: SequenceWorkspace, first: Int
    ) {
        let table = parameters.rows(.userTokens), m = parameters.shape.inputWidth
        let known = w.attributes.start, sum = known + d
        userTokens.withRows { tokens in
            for window in windows {
                tower.network.attributes(
                    tokens: tokens[batch.users[window]], table: table, idle: TowerShape.noIdle, into: known)
                for example in batch.exampleStarts[window]..<batch.exampleStarts[window + 1] {
                    sum.update(from: known, count: d)
                    if batch.idle[example] != TowerShape.noIdle {
                        Kernels.apply(.add, sum, tower.weights(.idle) + Int(batch.idle[example]) * d, into: sum, count: d)
                    }
                    let newest = Int(batch.newest[example])
                    tower.gather(
                        entry: newest < 0 ? -1 : newest - tile.first, tile: tile, space: space, attributes: sum,
                        into: w.inputs.start + (example - first) * m)
                }
            }
        }
    }

    /// The way back of ``gatherInputs(_:batch:tower:tile:space:w:first:)``.
    private func scatterInputs(
        _ windows: Range<Int>, batch: SequenceBatch, tower: SequenceTower, tile: SequenceTile, space: SequenceSpace,
        w: SequenceWorkspace, gradient: UnsafeMutablePointer<Float>
    ) {
        let m = parameters.shape.inputWidth, t = tile.entries, first = batch.exampleStarts[windows.lowerBound]
        space.vectorGradient.update(repeating: 0, count: t * d)
        space.outputGradient.update(repeating: 0, count: t * d)
        space.meanGradient.update(repeating: 0, count: t * tower.sequence.means * d)
        let sum = w.attributes.start
        for window in windows {
            let known = attributeGradient.start + window * d
            for example in batch.exampleStarts[window]..<batch.exampleStarts[window + 1] {
                let newest = Int(batch.newest[example])
                sum.update(repeating: 0, count: d)
                tower.gatherBackward(
                    entry: newest < 0 ? -1 : newest - tile.first, space: space, outer: w.inputGradient.start + (example - first) * m,
                    attributes: sum, gradient: gradient)
                Kernels.axpy(1, sum, into: known, count: d)
                if batch.idle[example] != TowerShape.noIdle {
                    Kernels.axpy(1, sum, into: gradient + parameters.layout.offset(.idle) + Int(batch.idle[example]) * d, count: d)
                }
            }
        }
    }

    private func runLoss(
        _ examples: Range<Int>, batch: SequenceBatch, w: SequenceWorkspace,
        itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        var total = 0.0
        let hasMasks = batch.masks.count > 0
        for tile in tiles(of: examples, limit: SoftmaxLoss.tileUsers(candidates: batch.candidates)) {
            let first = tile.lowerBound, offset = (first - examples.lowerBound) * d
            let masked: ((Int, (Int32) -> Void) -> Void)? = !hasMasks ? nil : { i, body in
                for place in Int(batch.maskStarts[first + i])..<Int(batch.maskEnds[first + i]) { body(batch.masks[place]) }
            }
            let adjustments = batch.targetCorrections.count > 0 ? UnsafePointer(batch.targetCorrections.start + first) : nil
            if !batch.isSampled {
                grow(&w.scores, to: tile.count * batch.candidates)
                total += SoftmaxLoss(
                    dimension: d, candidates: batch.candidates, corrections: adjustments == nil ? nil : batch.corrections.start,
                    precision: precision
                ).run(
                    count: tile.count, users: w.users.start + offset, items: items.vectors.start, targets: batch.targets.start + first,
                    targetCorrections: adjustments, weights: batch.weights.start + first, masked: masked, scores: w.scores.start,
                    userGradient: w.userGradient.start + offset, itemGradient: itemGradient)
            } else {
                let loss = CandidateLoss(
                    positiveWeight: configuration.loss.kind == .bce
                        ? CandidateLoss.positiveWeight(
                            negatives: configuration.loss.negatives, items: parameters.shape.itemCount,
                            calibration: configuration.loss.calibration)
                        : nil,
                    dimension: d, candidates: batch.candidates, draws: batch.draws.start, corrections: batch.corrections.start,
                    precision: precision)
                grow(&w.scores, to: tile.count * loss.scoreStride)
                total += loss.run(
                    count: tile.count, users: w.users.start + offset, items: items.vectors.start, targets: batch.targets.start + first,
                    targetCorrections: adjustments, weights: batch.weights.start + first, masked: masked, scores: w.scores.start,
                    userGradient: w.userGradient.start + offset, itemGradient: itemGradient)
            }
        }
        return total
    }
}

/// Working memory of one thread for one tile of windows.
final class SequenceWorkspace {
    var space = FloatBuffer(0)
    var inputs = FloatBuffer(0), inner = FloatBuffer(0), users = FloatBuffer(0), lengths = FloatBuffer(0)
    var userGradient = FloatBuffer(0), innerGradient = FloatBuffer(0), inputGradient = FloatBuffer(0)
    var scores = FloatBuffer(0), attributes = FloatBuffer(0)

    /// Makes room for a tile and its examples.
    func prepare(_ shape: TowerShape, tile: SequenceTile, examples: Int) {
        grow(
            &space,
            to: SequenceSpace.floats(shape, entries: tile.entries, longest: tile.longest, forTraining: true))
        grow(&inputs, to: examples * shape.inputWidth)
        grow(&inputGradient, to: examples * shape.inputWidth)
        grow(&inner, to: shape.hasNetwork ? examples * shape.innerWidth : 0)
        grow(&innerGradient, to: shape.hasNetwork ? examples * shape.innerWidth : 0)
        grow(&users, to: examples * shape.dimension)
        grow(&userGradient, to: examples * shape.dimension)
        grow(&lengths, to: examples)
        grow(&attributes, to: 2 * shape.dimension)
    }
}
