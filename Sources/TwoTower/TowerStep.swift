import Tensors

/// One forward and backward pass over a batch: the loss and the gradient of every parameter.
///
/// Work is split into as many contiguous parts as there are threads; each part adds to its own sums, which are then added in
/// the order of the parts. So the same thread count gives the same result, bit for bit.
final class TowerStep {
    let parameters: TowerParameters
    let content: ContentTable
    let userTokens: UserTokens
    private let configuration: TowerConfiguration
    private let threads: Int
    private let d: Int

    /// Gradient of the dense block, after ``run(_:key:dropout:)``.
    let denseGradient: FloatBuffer
    /// Vectors of the batch's items `[items, d]` and their gradient, which is that of the id rows where those took part.
    private(set) var vectors: FloatBuffer
    private(set) var vectorGradient: FloatBuffer
    /// Gradient of the content inputs x `[items, d]`: that of a token row is the weighted sum over the items that have it.
    private(set) var contentGradient: FloatBuffer
    /// Gradient of the attribute means `[examples, d]`.
    private(set) var attributeGradient: FloatBuffer
    /// Whether the id row of each of the batch's items took part.
    private(set) var usesID: [Bool] = []

    private var contentInputs, contentHidden, contentScratch, vectorLengths: FloatBuffer
    private var partDense: [FloatBuffer]
    private var partVectors: [FloatBuffer] = []
    private var workspaces: [UserWorkspace] = []

    init(_ parameters: TowerParameters, content: ContentTable, userTokens: UserTokens, configuration: TowerConfiguration) {
        self.parameters = parameters
        self.content = content
        self.userTokens = userTokens
        self.configuration = configuration
        threads = configuration.threads
        d = parameters.shape.dimension
        denseGradient = FloatBuffer(parameters.layout.count)
        partDense = (0..<configuration.threads).map { _ in FloatBuffer(parameters.layout.count) }
        let none = FloatBuffer(0)
        (vectors, vectorGradient, contentGradient, attributeGradient) = (none, none, none, none)
        (contentInputs, contentHidden, contentScratch, vectorLengths) = (none, none, none, none)
    }

    /// Runs a batch. `key` decides which ids and inputs are dropped; without `dropout` none are.
    ///
    /// - Returns: the weighted mean loss.
    func run(_ batch: TrainingBatch, key: UInt64, dropout: Bool) -> Double {
        prepare(items: batch.items.count, examples: batch.count)
        chooseIDs(batch.items, key: key, rate: dropout ? configuration.idDropout : 0)
        encodeItems(batch.items)
        for buffer in partDense { buffer.zero() }
        let losses = runUsers(batch, key: key, dropout: dropout)
        reduceVectors(batch.items.count)
        itemsBackward(batch.items)
        denseGradient.zero()
        for part in partDense { Kernels.axpy(1, part.start, into: denseGradient.start, count: part.count) }
        return losses.reduce(0, +)
    }

    /// The vectors of items as serving will see them, `[rows.count, d]`, into `vectors`.
    func encode(_ rows: [Int32]) {
        prepare(items: rows.count, examples: 0)
        chooseIDs(rows, key: 0, rate: 0)
        encodeItems(rows)
    }

    private func prepare(items: Int, examples: Int) {
        func grown(_ buffer: FloatBuffer, _ count: Int) -> FloatBuffer {
            buffer.count >= count ? buffer : FloatBuffer(count + count / 8)
        }
        let h = parameters.shape.contentHidden
        vectors = grown(vectors, items * d)
        vectorGradient = grown(vectorGradient, items * d)
        contentInputs = grown(contentInputs, items * d)
        contentGradient = grown(contentGradient, items * d)
        contentHidden = grown(contentHidden, items * h)
        contentScratch = grown(contentScratch, items * h)
        vectorLengths = grown(vectorLengths, items)
        attributeGradient = grown(attributeGradient, examples * d)
        while partVectors.count < threads { partVectors.append(FloatBuffer(0)) }
        for index in 0..<threads { partVectors[index] = grown(partVectors[index], items * d) }
    }

    private func chooseIDs(_ items: [Int32], key: UInt64, rate: Float) {
        usesID.removeAll(keepingCapacity: true)
        let threshold = UInt64(rate * 16_777_216)
        for item in items {
            let draw = FeatureHash.mixed(key ^ (UInt64(item) &* 0xd6e8_feb8_6659_fd93)) >> 40
            usesID.append(draw >= threshold || content.isEmpty[Int(item)])
        }
    }

    private func encodeItems(_ items: [Int32]) {
        let ids = parameters.table(.itemIDs).start
        let tower = itemTower
        items.withUnsafeBufferPointer { rows in
            parallelFor(count: items.count, threads: threads, minimumChunk: 64) { range, _ in
                for tile in tiles(of: range, limit: ItemTower.tileLimitItems) {
                    tower.forward(
                        rows, range: tile, content: content, inputs: contentInputs.start, hidden: contentHidden.start,
                        vectors: vectors.start)
                    for place in tile {
                        let v = vectors.start + place * d
                        if usesID[place] { Kernels.apply(.add, v, ids + Int(rows[place]) * d, into: v, count: d) }
                        if configuration.unitLength {
                            vectorLengths.start[place] = Kernels.l2Normalise(v, into: v, count: d - 1, epsilon: 1e-6)
                        }
                    }
                }
            }
        }
    }

    private func runUsers(_ batch: TrainingBatch, key: UInt64, dropout: Bool) -> [Double] {
        let tile = SoftmaxLoss.tileUsers(candidates: batch.candidates)
        if workspaces.count < threads { workspaces = (0..<threads).map { _ in UserWorkspace() } }
        for workspace in workspaces { workspace.prepare(parameters.shape, tile: tile, candidates: batch.candidates) }
        let tower = PooledUserTower(configuration, layout: parameters.layout, dense: parameters.dense.start)
        let rate = dropout ? configuration.dropout : 0
        var losses = [Double](repeating: 0, count: threads)
        losses.withUnsafeMutableBufferPointer { losses in
            batch.withPointers { pointers in
                let history = HistoryBatch(
                    starts: pointers.starts, rows: pointers.rows, types: pointers.types, gaps: pointers.gaps, vectors: vectors.start)
                let loss = SoftmaxLoss(dimension: d, candidates: batch.candidates, corrections: pointers.corrections)
                parallelFor(count: batch.count, threads: threads) { range, slot in
                    let part = partVectors[slot]
                    part.start.update(repeating: 0, count: batch.items.count * d)
                    for tile in tiles(of: range, limit: tile) {
                        losses[slot] += runTile(
                            tile, batch: pointers, history: history, tower: tower, loss: loss, workspace: workspaces[slot],
                            itemGradient: part.start, gradient: partDense[slot].start, key: key, rate: rate)
                    }
                }
            }
        }
        usedParts = min(threads, batch.count)
        return losses
    }

    private var usedParts = 1

    private func runTile(
        _ tile: Range<Int>, batch: TrainingBatch.Pointers, history: HistoryBatch, tower: PooledUserTower, loss: SoftmaxLoss,
        workspace w: UserWorkspace, itemGradient: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>, key: UInt64,
        rate: Float
    ) -> Double {
        let shape = parameters.shape, m = shape.inputWidth, first = tile.lowerBound
        let table = parameters.table(.userTokens).start
        let entries = batch.starts[tile.upperBound] - batch.starts[first]
        w.attention = w.attention.count >= entries * shape.heads ? w.attention : FloatBuffer(entries * shape.heads * 2)
        for i in tile {
            let start = batch.starts[i], input = w.inputs.start + (i - first) * m
            tower.pool(
                history, entry: start, length: batch.starts[i + 1] - start,
                attention: w.attention.start + (start - batch.starts[first]) * shape.heads, input: input)
            tower.attributes(
                tokens: userTokens.buckets[userTokens.range(of: batch.users[i])], table: table, idle: batch.idle[i],
                into: input + shape.heads * d)
            if rate > 0 { applyDropout(input, count: m, rate: rate, key: FeatureHash.mixed(key &+ UInt64(i) &* 0x9e6d)) }
        }
        tower.network(
            count: tile.count, inputs: w.inputs.start, inner: w.inner.start, vectors: w.users.start, lengths: w.lengths.start)
        var masked: ((Int, (Int32) -> Void) -> Void)?
        if configuration.maskHistory {
            masked = { i, body in
                for entry in batch.starts[first + i]..<batch.starts[first + i + 1] { body(batch.rows[entry]) }
            }
        }
        let value = loss.run(
            count: tile.count, users: w.users.start, items: vectors.start, targets: batch.targets + first,
            weights: batch.weights + first, masked: masked, scores: w.scores.start, userGradient: w.userGradient.start,
            itemGradient: itemGradient)
        tower.networkBackward(
            count: tile.count, inputs: w.inputs.start, inner: w.inner.start, vectors: w.users.start, lengths: w.lengths.start,
            outer: w.userGradient.start, innerGradient: w.innerGradient.start, inputGradient: w.inputGradient.start,
            gradient: gradient)
        for i in tile {
            let start = batch.starts[i], outer = w.inputGradient.start + (i - first) * m
            if rate > 0 { applyDropout(outer, count: m, rate: rate, key: FeatureHash.mixed(key &+ UInt64(i) &* 0x9e6d)) }
            tower.poolBackward(
                history, entry: start, length: batch.starts[i + 1] - start,
                attention: w.attention.start + (start - batch.starts[first]) * shape.heads, outer: outer,
                vectorGradient: itemGradient, gradient: gradient)
            (attributeGradient.start + i * d).update(from: outer + shape.heads * d, count: d)
            if batch.idle[i] != TowerShape.noIdle {
                let idle = gradient + parameters.layout.offset(.idle) + Int(batch.idle[i]) * d
                Kernels.axpy(1, outer + shape.heads * d, into: idle, count: d)
            }
        }
        return value
    }

    /// Adds the parts' item gradients in order.
    private func reduceVectors(_ items: Int) {
        parallelFor(count: items, threads: threads, minimumChunk: 256) { range, _ in
            let from = range.lowerBound * d, count = range.count * d
            (vectorGradient.start + from).update(from: partVectors[0].start + from, count: count)
            for part in 1..<max(1, usedParts) {
                Kernels.axpy(1, partVectors[part].start + from, into: vectorGradient.start + from, count: count)
            }
            guard configuration.unitLength else { return }
            for place in range {
                let g = vectorGradient.start + place * d, v = vectors.start + place * d
                let along = Kernels.dot(g, v, count: d - 1)
                Kernels.axpy(-along, v, into: g, count: d - 1)
                Kernels.scale(vectorLengths.start[place], g, into: g, count: d - 1)
            }
        }
    }

    private func itemsBackward(_ items: [Int32]) {
        guard parameters.shape.tokenRows > 0 else { return }
        let tower = itemTower
        items.withUnsafeBufferPointer { rows in
            parallelFor(count: items.count, threads: threads, minimumChunk: 64) { range, slot in
                for tile in tiles(of: range, limit: ItemTower.tileLimitItems) {
                    // Items without content took no part in the content half.
                    for place in tile {
                        let target = contentGradient.start + place * d
                        if content.isEmpty[Int(rows[place])] {
                            target.update(repeating: 0, count: d)
                        } else {
                            target.update(from: vectorGradient.start + place * d, count: d)
                        }
                    }
                    tower.backward(
                        rows, range: tile, content: content, inputs: contentInputs.start, hidden: contentHidden.start,
                        outer: contentGradient.start, inner: contentGradient.start, scratch: contentScratch.start,
                        gradient: partDense[slot].start)
                }
            }
        }
    }

    private var itemTower: ItemTower {
        ItemTower(layout: parameters.layout, dense: parameters.dense.start, tokens: parameters.table(.contentTokens).start)
    }
}

/// Cuts a range into pieces of at most `limit`.
func tiles(of range: Range<Int>, limit: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: limit).map { $0..<min($0 + limit, range.upperBound) }
}
