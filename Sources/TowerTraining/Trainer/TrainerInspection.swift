import Tensors
import TowerModel

/// For checks of the derivatives; a training does not use it.
extension Trainer {
    /// The mean loss of the first `count` examples in event order and its gradient with respect to every parameter, without
    /// dropout and without changing anything. Negatives of the sampled loss are the same in every call.
    public func lossAndGradients(examples count: Int) -> (loss: Double, gradients: [NamedTensor]) {
        let (d, shape) = (parameters.shape.dimension, parameters.shape)
        let loss = pass.runFirst(count).loss, step = pass.gradients
        let gradient = TowerParameters(shape)
        gradient.dense.copy(from: step.dense)
        for (place, item) in step.items.enumerated() where step.usesID[place] {
            gradient.table(.itemIDs).start.advanced(by: Int(item) * d).update(from: step.ids.start + place * d, count: d)
        }
        if shape.tokenRows > 0 { scatter(contentTokens(step), step.content, into: gradient.table(.contentTokens)) }
        let users = TokenTranspose(step, userTokens: userTokens, shape: shape)
        scatter(users, step.attributes, into: gradient.table(.userTokens))
        return (loss, gradient.tensors())
    }

    /// Adds `delta` to one value of a parameter; `false` where there is none of that name or index.
    public func adjust(_ tensor: String, at index: Int, by delta: Float) -> Bool {
        if let table = TableParameter.allCases.first(where: { $0.name == tensor }) {
            guard index >= 0, index < parameters.table(table).count else { return false }
            parameters.table(table).start[index] += delta
            return true
        }
        guard let parameter = DenseParameter.allCases.first(where: { $0.name == tensor }), index >= 0,
            index < parameters.layout.length(parameter)
        else { return false }
        parameters.dense.start[parameters.layout.offset(parameter) + index] += delta
        return true
    }

    private func scatter(_ tokens: TokenTranspose, _ source: FloatBuffer, into target: FloatBuffer) {
        let d = parameters.shape.dimension
        for (index, bucket) in tokens.buckets.enumerated() {
            for place in tokens.starts[index]..<tokens.starts[index + 1] {
                Kernels.axpy(
                    tokens.weights[place], source.start + Int(tokens.places[place]) * d, into: target.start + Int(bucket) * d, count: d)
            }
        }
    }
}
