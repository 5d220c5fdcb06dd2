import Tensors
import TowerModel

/// For checks of the derivatives; a training does not use it.
extension MeanTowerTrainer {
    /// The mean loss of the first `count` examples, a batch at most, with nothing hidden and without changing anything.
    func lossOfFirst(_ count: Int) -> Double {
        let first = examples.first(min(count, configuration.batchSize))
        return examples.sequence.withUnsafeBufferPointer { sequence in
            guard let sequence = sequence.baseAddress, !first.isEmpty else { return 0 }
            batch.fill(sequence, key: nil) { $0 = first }
            return step.run(batch, sequence: sequence)
        }
    }

    /// The loss of the first `count` examples and its gradient with respect to every parameter.
    public func lossAndGradients(examples count: Int) -> (loss: Double, gradients: [NamedTensor]) {
        let loss = lossOfFirst(count), d = parameters.shape.dimension
        let gradient = MeanParameters(parameters.shape)
        for slot in 0..<configuration.threads { step.group(slot) }
        for part in step.parts { Kernels.axpy(1, part.start, into: gradient.dense.start, count: part.count) }
        func scatter(_ groups: [RowGroups], _ source: FloatBuffer, _ table: MeanTable) {
            for group in groups {
                for index in 0..<group.count {
                    for place in group.starts.start[index]..<group.starts.start[index + 1] {
                        Kernels.axpy(
                            1, source.start + Int(group.places.start[Int(place)]) * d,
                            into: gradient.table(table).start + Int(group.rows.start[index]) * d, count: d)
                    }
                }
            }
        }
        scatter(step.itemGroups, step.rowGradient, .items)
        if parameters.shape.userCount > 0 { scatter(step.userGroups, step.userGradient, .users) }
        let content = step.content, inner = step.candidateGradient(batch)
        if parameters.shape.tokenRows > 0 {
            for place in 0..<batch.candidateCount {
                let item = Int(batch.candidates.start[place])
                for index in content.starts[item]..<content.starts[item + 1] {
                    Kernels.axpy(
                        content.weights[index], inner + place * d,
                        into: gradient.table(.tokens).start + Int(content.buckets[index]) * d, count: d)
                }
            }
        }
        return (loss, gradient.tensors())
    }

    /// Adds `delta` to one value of a parameter; `false` where there is none of that name or index.
    public func adjust(_ tensor: String, at index: Int, by delta: Float) -> Bool {
        if let table = MeanTable.allCases.first(where: { $0.name == tensor }) {
            guard index >= 0, index < parameters.table(table).count else { return false }
            parameters.table(table).start[index] += delta
            return true
        }
        guard let parameter = MeanDense.allCases.first(where: { $0.name == tensor }), index >= 0,
            index < parameters.range(parameter).count
        else { return false }
        parameters.start(parameter)[index] += delta
        parameters.transposeAll()
        return true
    }
}
