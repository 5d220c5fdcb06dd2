import Tensors
import TowerModel

/// Applies the gradients of a ``MeanStep``: row-wise Adagrad to the rows that the batch used, Adam to the layers.
final class MeanOptimizer {
    private let configuration: TowerConfiguration
    private let parameters: MeanParameters
    private let first, second: FloatBuffer
    /// One a row of each table, by ``MeanTable``.
    private let accumulators: [FloatBuffer]

    init(_ parameters: MeanParameters, configuration: TowerConfiguration) {
        self.parameters = parameters
        self.configuration = configuration
        first = FloatBuffer(parameters.dense.count)
        second = FloatBuffer(parameters.dense.count)
        accumulators = MeanTable.allCases.map { FloatBuffer($0.rows(in: parameters.shape)) }
    }

    /// One step.
    ///
    /// - Parameters:
    ///   - index: number of this step from 0; share: of the peak step sizes.
    func apply(_ step: MeanStep, batch: MeanBatch, index: Int, share: Float) {
        let threads = configuration.threads, rate = configuration.tableLearningRate * share
        parallelFor(count: threads, threads: threads) { range, _ in
            for slot in range {
                step.group(slot)
                update(.items, step.itemGroups[slot], step.rowGradient, rate)
                if parameters.shape.userCount > 0 { update(.users, step.userGroups[slot], step.userGradient, rate) }
                updateDense(step, slot, of: threads, index: index, share: share)
            }
        }
        parameters.transposeAll()
        if parameters.shape.tokenRows > 0 { updateTokens(step, batch, rate) }
    }

    private func update(_ table: MeanTable, _ groups: RowGroups, _ gradients: FloatBuffer, _ rate: Float) {
        Kernels.adagradRows(
            parameters.table(table).start, accumulators: accumulators[table.rawValue].start, dimension: parameters.shape.dimension,
            count: groups.count, rows: groups.rows.start, starts: groups.starts.start, places: groups.places.start,
            gradients: gradients.start, learningRate: rate)
    }

    /// Sums the threads' parts of a share of the dense block and moves its parameters.
    private func updateDense(_ step: MeanStep, _ slot: Int, of threads: Int, index: Int, share: Float) {
        let lines = parameters.dense.count / 16
        let mine = lines * slot / threads * 16..<(slot + 1 == threads ? parameters.dense.count : lines * (slot + 1) / threads * 16)
        let gradient = step.parts[0].start
        for part in step.parts.dropFirst() {
            Kernels.apply(.add, gradient + mine.lowerBound, part.start + mine.lowerBound, into: gradient + mine.lowerBound, count: mine.count)
        }
        for parameter in MeanDense.allCases {
            let range = parameters.range(parameter).clamped(to: mine)
            guard !range.isEmpty else { continue }
            let at = range.lowerBound
            Kernels.adamStep(
                parameters.dense.start + at, first: first.start + at, second: second.start + at, gradient: gradient + at,
                count: range.count,
                rule: AdamRule(
                    learningRate: configuration.learningRate * share, weightDecay: parameter.decays ? configuration.weightDecay : 0),
                step: index + 1)
        }
    }

    private func updateTokens(_ step: MeanStep, _ batch: MeanBatch, _ rate: Float) {
        let d = parameters.shape.dimension, content = step.content
        let items = (0..<batch.candidateCount).map { batch.candidates.start[$0] }
        let tokens = TokenTranspose(
            items, bucketCount: parameters.shape.tokenRows, range: { content.starts[Int($0)]..<content.starts[Int($0) + 1] },
            buckets: content.buckets, weight: { content.weights[$0] })
        let source = UnsafePointer(step.candidateGradient(batch)), table = parameters.table(.tokens).start
        let accumulators = accumulators[MeanTable.tokens.rawValue].start
        parallelFor(count: tokens.buckets.count, threads: configuration.threads, minimumChunk: 64) { range, _ in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: d) { buffer in
                guard let gradient = buffer.baseAddress else { return }
                for token in range {
                    gradient.update(repeating: 0, count: d)
                    for place in tokens.starts[token]..<tokens.starts[token + 1] {
                        Kernels.axpy(tokens.weights[place], source + Int(tokens.places[place]) * d, into: gradient, count: d)
                    }
                    let row = Int(tokens.buckets[token])
                    Kernels.adagradRow(
                        table + row * d, accumulator: accumulators + row, gradient: gradient, count: d, learningRate: rate)
                }
            }
        }
    }

    /// State for a checkpoint; names begin with `optimizer.`.
    func tensors() -> [NamedTensor] {
        var result = [
            NamedTensor(name: "optimizer.mean.first", shape: [1, first.count], values: first.values),
            NamedTensor(name: "optimizer.mean.second", shape: [1, second.count], values: second.values),
        ]
        for table in MeanTable.allCases {
            let state = accumulators[table.rawValue]
            result.append(NamedTensor(name: "optimizer.\(table.name)", shape: [1, state.count], values: state.values))
        }
        return result
    }

    /// Reads the state of ``tensors()``.
    func read(_ reader: TensorReader) throws(ModelError) {
        func read(_ name: String, _ buffer: FloatBuffer) throws(ModelError) {
            let values = try reader.values("optimizer." + name, rows: 1, columns: buffer.count)
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { buffer.start.update(from: from, count: $0.count) } }
        }
        try read("mean.first", first)
        try read("mean.second", second)
        for table in MeanTable.allCases { try read(table.name, accumulators[table.rawValue]) }
    }
}
