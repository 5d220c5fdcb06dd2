import Tensors
import TowerModel

/// How much the old data depend on each parameter: the diagonal of the Fisher information, for elastic weight consolidation
/// (Kirkpatrick et al. 2017, PNAS 114, equation 3).
///
/// Made by ``Trainer/importance(batches:)``. It belongs to the items of the training that made it, in their order.
public struct ParameterImportance {
    /// The mean square of the gradient of one example's loss, by parameter.
    let squares: TowerParameters

    /// The values by parameter, under the names of a model's tensors.
    public var tensors: [NamedTensor] { squares.tensors() }

    /// Adds a batch: where the mean gradient is near zero, n examples' mean has a square of 1/n of one example's.
    func add(_ gradients: StepGradients, examples: Int, tokens: TokenTranspose, userTokens: UserTokens) {
        let d = squares.shape.dimension, scale = Float(examples)
        func add(_ gradient: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
            for index in 0..<count { target[index] += scale * gradient[index] * gradient[index] }
        }
        add(gradients.dense.start, to: squares.dense.start, squares.dense.count)
        for (place, item) in gradients.items.enumerated() where gradients.usesID[place] {
            add(gradients.ids.start + place * d, to: squares.table(.itemIDs).start + Int(item) * d, d)
        }
        func add(_ tokens: TokenTranspose, _ source: UnsafePointer<Float>, to table: FloatBuffer) {
            withUnsafeTemporaryAllocation(of: Float.self, capacity: d) { buffer in
                guard let sum = buffer.baseAddress else { return }
                for token in tokens.buckets.indices {
                    sum.update(repeating: 0, count: d)
                    for place in tokens.starts[token]..<tokens.starts[token + 1] {
                        Kernels.axpy(tokens.weights[place], source + Int(tokens.places[place]) * d, into: sum, count: d)
                    }
                    add(sum, to: table.start + Int(tokens.buckets[token]) * d, d)
                }
            }
        }
        if squares.shape.tokenRows > 0 { add(tokens, gradients.content.start, to: squares.table(.contentTokens)) }
        let users = TokenTranspose(
            gradients.users, bucketCount: squares.shape.userRows, range: userTokens.range, buckets: userTokens.buckets,
            weight: { _ in UserTokens.weight })
        add(users, gradients.attributes.start, to: squares.table(.userTokens))
    }

    func scale(_ factor: Float) {
        for buffer in [squares.dense] + squares.tables { Kernels.scale(factor, buffer.start, into: buffer.start, count: buffer.count) }
    }
}

/// Holds parameters near the values that they had, each by its importance: the gradient of strength / 2 · Σ F (θ − θ*)².
final class WeightAnchor {
    private let values: TowerParameters
    private let importance: ParameterImportance
    private let strength: Float

    /// Remembers the parameters as they are.
    init(_ parameters: TowerParameters, importance: ParameterImportance, strength: Float) {
        values = TowerParameters(parameters.shape)
        values.copy(from: parameters)
        self.importance = importance
        self.strength = strength
    }

    /// Adds the pull on `count` dense parameters from `offset` on to their gradient.
    func pull(_ parameters: TowerParameters, dense offset: Int, count: Int, into gradient: UnsafeMutablePointer<Float>) {
        pull(parameters.dense, values.dense, importance.squares.dense, offset, count, gradient)
    }

    /// The same for one row of a table.
    func pull(_ parameters: TowerParameters, _ table: TableParameter, row: Int, into gradient: UnsafeMutablePointer<Float>) {
        let d = parameters.shape.dimension
        pull(parameters.table(table), values.table(table), importance.squares.table(table), row * d, d, gradient)
    }

    private func pull(
        _ now: FloatBuffer, _ then: FloatBuffer, _ importance: FloatBuffer, _ offset: Int, _ count: Int,
        _ gradient: UnsafeMutablePointer<Float>
    ) {
        let (a, b, f) = (now.start + offset, then.start + offset, importance.start + offset)
        for index in 0..<count { gradient[index] += strength * f[index] * (a[index] - b[index]) }
    }
}
