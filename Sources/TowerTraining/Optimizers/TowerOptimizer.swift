import Tensors
import TowerModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Applies gradients: Adam with decoupled decay for the dense block, and rules that touch only used rows for the tables.
final class TowerOptimizer {
    private let configuration: TowerConfiguration
    private let parameters: TowerParameters
    private let denseFirst, denseSecond: FloatBuffer
    /// Per table: Adam's moments, or one accumulator a row.
    private let tableFirst: [FloatBuffer], tableSecond: [FloatBuffer]
    /// What keeps an incremental training near where it began; nil for none.
    var anchor: WeightAnchor?

    init(_ parameters: TowerParameters, configuration: TowerConfiguration) {
        self.parameters = parameters
        self.configuration = configuration
        denseFirst = FloatBuffer(parameters.dense.count)
        denseSecond = FloatBuffer(parameters.dense.count)
        var tableFirst: [FloatBuffer] = [], tableSecond: [FloatBuffer] = []
        for table in TableParameter.allCases {
            let rows = parameters.shard.count(of: table.rows(in: parameters.shape)), floats = parameters.table(table).count
            switch configuration.steps.tableOptimizer {
            case .adagrad:
                tableFirst.append(FloatBuffer(rows))
                tableSecond.append(FloatBuffer(0))
            case .adam:
                tableFirst.append(FloatBuffer(floats))
                tableSecond.append(FloatBuffer(floats))
            }
        }
        (self.tableFirst, self.tableSecond) = (tableFirst, tableSecond)
    }

    /// The step size's share of its peak: a linear rise, then half a cosine down to a hundredth.
    ///
    /// - Parameters:
    ///   - done: examples before this step; step: examples of this step; total: examples of the training.
    static func schedule(done: Int, step: Int, of total: Int, warmupShare: Float) -> Float {
        let warmup = Double(total) * Double(warmupShare), now = Double(done)
        if now < warmup { return Float(min(1, (now + Double(step)) / max(1, warmup))) }
        let progress = min(1, (now - warmup) / max(1, Double(total) - warmup))
        return Float(0.01 + 0.99 * 0.5 * (1 + cos(.pi * progress)))
    }

    /// One step on all parameters that have a gradient.
    ///
    /// - Parameters:
    ///   - index: number of this step from 0; share: from ``schedule(done:step:of:warmupShare:)``.
    ///   - tokens, users: the tokens of the gradients' items and of their users turned round.
    ///   - squares: the squared lengths of the tables' gradients, where they are not those of the rows given.
    func apply(
        _ gradients: StepGradients, tokens: TokenTranspose, users: TokenTranspose, squares: GradientSquares = GradientSquares(), index: Int,
        share: Float
    ) {
        let anchor = self.anchor, scale = clipScale(gradients, squares: squares)
        if scale != 1 { Kernels.scale(scale, gradients.dense.start, into: gradients.dense.start, count: gradients.dense.count) }
        for parameter in DenseParameter.allCases {
            let offset = parameters.layout.offset(parameter), count = parameters.layout.length(parameter)
            let rule = AdamRule(
                learningRate: configuration.steps.learningRate * share, beta2: 0.99,
                weightDecay: parameter.decays ? configuration.steps.weightDecay : 0)
            anchor?.pull(parameters, dense: offset, count: count, into: gradients.dense.start + offset)
            Kernels.adamStep(
                parameters.dense.start + offset, first: denseFirst.start + offset, second: denseSecond.start + offset,
                gradient: gradients.dense.start + offset, count: count, rule: rule, step: index + 1)
        }
        let rate = configuration.steps.tableLearningRate * share
        updateIDs(gradients, scale: scale, rate: rate, index: index)
        if parameters.shape.tokenRows > 0 {
            updateTokens(.contentTokens, tokens, source: gradients.content.start, scale: scale, rate: rate, index: index)
        }
        updateTokens(.userTokens, users, source: gradients.attributes.start, scale: scale, rate: rate, index: index)
    }

    /// Bytes of the state of the tables.
    var tableBytes: Int { (tableFirst + tableSecond).reduce(0) { $0 + 4 * $1.count } }

    /// State for a checkpoint; names begin with `optimizer.`.
    func tensors() -> [NamedTensor] {
        var result = [
            NamedTensor(name: "optimizer.dense.first", shape: [1, denseFirst.count], values: denseFirst.values),
            NamedTensor(name: "optimizer.dense.second", shape: [1, denseSecond.count], values: denseSecond.values),
        ]
        for table in TableParameter.allCases {
            let first = tableFirst[table.rawValue], second = tableSecond[table.rawValue]
            result.append(NamedTensor(name: "optimizer.\(table.name).first", shape: [1, first.count], values: first.values))
            result.append(NamedTensor(name: "optimizer.\(table.name).second", shape: [1, second.count], values: second.values))
        }
        return result
    }

    /// Reads the state of ``tensors()``.
    func read(_ reader: TensorReader) throws(ModelError) {
        func read(_ name: String, _ buffer: FloatBuffer) throws(ModelError) {
            let values = try reader.values("optimizer." + name, rows: 1, columns: buffer.count)
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { buffer.start.update(from: from, count: $0.count) } }
        }
        try read("dense.first", denseFirst)
        try read("dense.second", denseSecond)
        for table in TableParameter.allCases {
            try read(table.name + ".first", tableFirst[table.rawValue])
            try read(table.name + ".second", tableSecond[table.rawValue])
        }
    }

    /// Takes over the state of another training; `rows` are the other's item rows, nil for items that it did not have.
    func fill(from other: TowerOptimizer, rows: [Int32?]) {
        denseFirst.copy(from: other.denseFirst)
        denseSecond.copy(from: other.denseSecond)
        for (mine, theirs) in [(tableFirst, other.tableFirst), (tableSecond, other.tableSecond)] {
            for table in [TableParameter.contentTokens, .userTokens] { mine[table.rawValue].copy(from: theirs[table.rawValue]) }
            let (to, from) = (mine[TableParameter.itemIDs.rawValue], theirs[TableParameter.itemIDs.rawValue])
            let width = rows.isEmpty ? 0 : to.count / rows.count
            for (new, old) in rows.enumerated() {
                if let old { (to.start + new * width).update(from: from.start + Int(old) * width, count: width) }
            }
        }
    }

    /// What gradients are multiplied with so that their common length is at most the configured one. Token rows count by the
    /// gradients of the sums that they are part of.
    private func clipScale(_ gradients: StepGradients, squares: GradientSquares) -> Float {
        guard configuration.steps.clipNorm > 0 else { return 1 }
        let d = parameters.shape.dimension
        func square(_ buffer: FloatBuffer, _ count: Int) -> Float { Kernels.dot(buffer.start, buffer.start, count: count) }
        let total = square(gradients.dense, gradients.dense.count) + (squares.ids ?? square(gradients.ids, gradients.items.count * d))
            + (squares.attributes ?? square(gradients.attributes, gradients.users.count * d))
        let length = total.squareRoot()
        // A batch whose gradient overflowed is left out rather than allowed to ruin the model.
        guard length.isFinite else { return 0 }
        return length > configuration.steps.clipNorm ? configuration.steps.clipNorm / length : 1
    }

    private func updateIDs(_ gradients: StepGradients, scale: Float, rate: Float, index: Int) {
        let d = parameters.shape.dimension
        gradients.items.withUnsafeBufferPointer { items in
            gradients.usesID.withUnsafeBufferPointer { used in
                parallelFor(count: items.count, threads: configuration.threads, minimumChunk: 256) { range, _ in
                    guard let items = items.baseAddress, let used = used.baseAddress else { return }
                    let first = range.lowerBound
                    step(
                        .itemIDs, rows: items + first, used: used + first, count: range.count, gradients: gradients.ids.start + first * d,
                        scale: scale, rate: rate, index: index)
                }
            }
        }
    }

    private func updateTokens(
        _ table: TableParameter, _ tokens: TokenTranspose, source: UnsafePointer<Float>, scale: Float, rate: Float, index: Int
    ) {
        let d = parameters.shape.dimension
        tokens.withPointers { tokens in
            parallelFor(count: tokens.count, threads: configuration.threads, minimumChunk: 64) { range, _ in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.tokensTogether * d) { buffer in
                    guard let sums = buffer.baseAddress else { return }
                    for tile in tiles(of: range, limit: Self.tokensTogether) {
                        sums.update(repeating: 0, count: tile.count * d)
                        for token in tile {
                            let sum = sums + (token - tile.lowerBound) * d
                            for place in tokens.starts[token]..<tokens.starts[token + 1] {
                                Kernels.axpy(tokens.weights[place] * scale, source + Int(tokens.places[place]) * d, into: sum, count: d)
                            }
                        }
                        step(
                            table, rows: tokens.buckets + tile.lowerBound, used: nil, count: tile.count, gradients: sums, scale: 1,
                            rate: rate, index: index)
                    }
                }
            }
        }
    }

    /// Tokens whose gradients lie in the first cache together.
    private static let tokensTogether = 64
    /// A row this far ahead is asked for: those of a large table are rarely in a cache.
    private static let rowsAhead = 8

    /// Steps distinct rows of a table, those that this rank holds.
    ///
    /// - Parameters:
    ///   - used: rows where it is false stay as they are; nil for none.
    ///   - gradients: `[count, d]`; multiplied with `scale`.
    private func step(
        _ table: TableParameter, rows: UnsafePointer<Int32>, used: UnsafePointer<Bool>?, count: Int,
        gradients: UnsafeMutablePointer<Float>, scale: Float, rate: Float, index: Int
    ) {
        let d = parameters.shape.dimension, values = parameters.table(table).start, anchor = self.anchor, shard = parameters.shard
        if configuration.steps.tableOptimizer == .adagrad, anchor == nil, shard.isWhole {
            return Kernels.adagradRows(
                values, stride: d, accumulators: tableFirst[table.rawValue].start, indices: rows, used: used, rows: count, columns: d,
                gradients: gradients, stride: d, gradientScale: scale, learningRate: rate)
        }
        for place in 0..<count where used?[place] ?? true && shard.owns(rows[place]) {
            if place + Self.rowsAhead < count {
                Kernels.prefetch(values + shard.place(of: Int(rows[place + Self.rowsAhead])) * d, bytes: 4 * d)
            }
            let gradient = gradients + place * d
            if scale != 1 { Kernels.scale(scale, gradient, into: gradient, count: d) }
            update(table, row: Int(rows[place]), gradient: gradient, rate: rate, index: index, anchor: anchor)
        }
    }

    /// Steps a row that this rank holds.
    private func update(
        _ table: TableParameter, row global: Int, gradient: UnsafeMutablePointer<Float>, rate: Float, index: Int, anchor: WeightAnchor?
    ) {
        let row = parameters.shard.place(of: global), d = parameters.shape.dimension, values = parameters.table(table).start + row * d
        anchor?.pull(parameters, table, row: row, into: gradient)
        switch configuration.steps.tableOptimizer {
        case .adagrad:
            Kernels.adagradRow(
                values, accumulator: tableFirst[table.rawValue].start + row, gradient: gradient, count: d, learningRate: rate)
        case .adam:
            Kernels.adamStep(
                values, first: tableFirst[table.rawValue].start + row * d, second: tableSecond[table.rawValue].start + row * d,
                gradient: gradient, count: d, rule: AdamRule(learningRate: rate, beta2: 0.99), step: index + 1)
        }
    }
}
