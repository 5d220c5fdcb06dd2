import CKernels

/// What an Adam step needs besides the numbers it changes. Kingma and Ba 2015, algorithm 1, with the decoupled weight decay
/// of Loshchilov and Hutter 2019.
public struct AdamRule: Sendable, Equatable {
    /// Step size, positive.
    public var learningRate: Float
    /// Share of the old first moment that stays, in [0, 1).
    public var beta1: Float
    /// Share of the old second moment that stays, in [0, 1).
    public var beta2: Float
    /// Added to the root of the second moment.
    public var epsilon: Float
    /// Each step also takes `learningRate · weightDecay` of the value away; 0 for none.
    public var weightDecay: Float

    /// The defaults are those of the paper, without decay.
    public init(
        learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }
}

extension Kernels {
    /// One Adam step on `count` values, in place.
    ///
    /// - Parameters:
    ///   - first, second: the moments, zero before the first step.
    ///   - gradientScale: what the gradient is multiplied with on the way, as clipping asks.
    ///   - step: number of this step, from 1; it corrects the bias of the moments.
    public static func adamStep(
        _ values: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>,
        gradient: UnsafePointer<Float>, gradientScale: Float = 1, count: Int, rule: AdamRule, step: Int
    ) {
        let (correction1, correction2) = ReferenceKernels.adamCorrections(rule: rule, step: step)
        fk_adam(
            values, first, second, gradient, count, gradientScale, rule.learningRate, rule.beta1, rule.beta2, rule.epsilon,
            rule.weightDecay, correction1, correction2)
    }

    /// One row-wise Adagrad step: `accumulator += mean(g²)`, then `values −= rate · g / (√accumulator + epsilon)`. One number
    /// of state a row of an embedding table instead of one an element.
    @inlinable public static func adagradRow(
        _ values: UnsafeMutablePointer<Float>, accumulator: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
        count: Int, learningRate: Float, epsilon: Float = 1e-8
    ) { fk_adagrad_row(values, accumulator, gradient, count, learningRate, epsilon) }
}

/// One Adam step on a whole matrix: `values`, `first`, `second` and `gradient` have the same shape.
public func adamStep(
    _ values: inout Matrix, first: inout Matrix, second: inout Matrix, gradient: Matrix, rule: AdamRule, step: Int
) {
    precondition(
        values.rows == gradient.rows && values.columns == gradient.columns && first.count == values.count
            && second.count == values.count,
        "an Adam step on \(values.shape) with moments \(first.shape), \(second.shape) and gradient \(gradient.shape)")
    let count = values.count
    values.withUnsafeMutablePointer { p in
        first.withUnsafeMutablePointer { m in
            second.withUnsafeMutablePointer { v in
                gradient.withUnsafePointer { g in
                    Kernels.adamStep(p, first: m, second: v, gradient: g, count: count, rule: rule, step: step)
                }
            }
        }
    }
}
