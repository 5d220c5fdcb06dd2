#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The plain form of every kernel: one loop, one line of mathematics, sums in Double. Slow on purpose; tests hold the fast
/// kernels against it, and it says what they mean.
public enum ReferenceKernels {
    /// Σ a·b.
    public static func dot(_ a: [Float], _ b: [Float]) -> Float {
        Float(zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    }

    /// Σ x.
    public static func sum(_ x: [Float]) -> Float { Float(x.reduce(0.0) { $0 + Double($1) }) }

    /// Σ (a − b)².
    public static func squaredDistance(_ a: [Float], _ b: [Float]) -> Float {
        Float(zip(a, b).reduce(0.0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) })
    }

    /// The largest element: NaN where one is NaN, −∞ where there is none.
    public static func max(_ x: [Float]) -> Float {
        x.contains(where: \.isNaN) ? .nan : x.max() ?? -.infinity
    }

    /// y + alpha · x.
    public static func axpy(_ alpha: Float, _ x: [Float], _ y: [Float]) -> [Float] {
        zip(x, y).map { Float(Double(alpha) * Double($0) + Double($1)) }
    }

    /// a (operation) b, element by element.
    public static func apply(_ operation: Kernels.Binary, _ a: [Float], _ b: [Float]) -> [Float] {
        zip(a, b).map { left, right in
            switch operation {
            case .add: left + right
            case .subtract: left - right
            case .multiply: left * right
            case .divide: left / right
            }
        }
    }

    /// function(x) in Double, rounded once.
    public static func apply(_ function: Kernels.Unary, _ x: Float) -> Float {
        let d = Double(x)
        switch function {
        case .exp: return Float(exp(d))
        case .log: return Float(log(d))
        case .sqrt: return x.squareRoot()
        case .relu: return x < 0 ? 0 : x
        case .step: return x > 0 ? 1 : 0
        case .tanh: return Float(tanh(d))
        case .sigmoid: return Float(1 / (1 + exp(-d)))
        case .silu: return Float(d / (1 + exp(-d)))
        case .gelu: return Float(0.5 * d * (1 + tanh((2 / Double.pi).squareRoot() * (d + 0.044715 * d * d * d))))
        }
    }

    /// ln Σ e^x.
    public static func logSumExp(_ x: [Float]) -> Float {
        let top = max(x)
        if !top.isFinite { return top }
        return Float(Double(top) + log(x.reduce(0.0) { $0 + exp(Double($1) - Double(top)) }))
    }

    /// e^x / Σ e^x; zeros where all are −∞.
    public static func softmax(_ x: [Float]) -> [Float] {
        let top = max(x)
        if top == -.infinity { return x.map { _ in 0 } }
        let powers = x.map { exp(Double($0) - Double(top)) }
        let total = powers.reduce(0, +)
        return powers.map { Float($0 / total) }
    }

    /// x / max(|x|, epsilon).
    public static func l2Normalise(_ x: [Float], epsilon: Float) -> [Float] {
        let length = x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let divisor = length > Double(epsilon) || length.isNaN ? length : Double(epsilon)
        return x.map { Float(Double($0) / divisor) }
    }

    /// (x − mean) / √(variance + epsilon) · gain + bias.
    public static func layerNorm(_ x: [Float], gain: [Float]?, bias: [Float]?, epsilon: Float) -> [Float] {
        let mean = x.reduce(0.0) { $0 + Double($1) } / Double(x.count)
        let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(x.count)
        return x.indices.map { i in
            let normal = (Double(x[i]) - mean) / (variance + Double(epsilon)).squareRoot()
            return Float(normal * Double(gain?[i] ?? 1) + Double(bias?[i] ?? 0))
        }
    }

    /// The k largest elements by sorting all; equal values by lower index; NaN left out.
    public static func topK(_ k: Int, of x: [Float]) -> [RankedElement] {
        let ranked = x.indices.filter { !x[$0].isNaN }.map { RankedElement(index: Int32($0), value: x[$0]) }
        return Array(ranked.sorted(by: RankedElement.isBefore).prefix(Swift.max(k, 0)))
    }

    /// op(a) · op(b), each element a sum in Double.
    public static func multiply(_ a: Matrix, _ b: Matrix, transposeA: Bool, transposeB: Bool) -> Matrix {
        let (m, k, n) = (transposeA ? a.columns : a.rows, transposeA ? a.rows : a.columns, transposeB ? b.rows : b.columns)
        return Matrix(rows: m, columns: n) { target in
            for i in 0..<m {
                for j in 0..<n {
                    target[i * n + j] = Float(
                        (0..<k).reduce(0.0) { sum, l in
                            sum + Double(transposeA ? a[l, i] : a[i, l]) * Double(transposeB ? b[j, l] : b[l, j])
                        })
                }
            }
        }
    }

    /// The nearest number of 8 significant bits, ties to even; subnormal numbers become zero, as the processor takes them.
    public static func roundedToBFloat16(_ x: Float) -> Float {
        guard x.isFinite else { return x }
        guard x.isNormal else { return x.sign == .minus ? -0.0 : 0 }
        let bits = x.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }

    /// Every element rounded by `roundedToBFloat16`.
    public static func roundedToBFloat16(_ x: Matrix) -> Matrix {
        Matrix(rows: x.rows, columns: x.columns, values: x.values.map { roundedToBFloat16($0) })
    }

    /// 1 − β₁ᵗ and 1 − β₂ᵗ of an Adam step, in Double because β₂ᵗ is close to 1 at first.
    public static func adamCorrections(rule: AdamRule, step: Int) -> (Float, Float) {
        precondition(step >= 1, "Adam steps count from 1, not \(step)")
        return (
            Float(1 - pow(Double(rule.beta1), Double(step))), Float(1 - pow(Double(rule.beta2), Double(step)))
        )
    }

    /// One Adam step on one value; returns the value and its moments after the step.
    public static func adamStep(
        value: Float, first: Float, second: Float, gradient: Float, rule: AdamRule, step: Int
    ) -> (value: Float, first: Float, second: Float) {
        let (correction1, correction2) = adamCorrections(rule: rule, step: step)
        let m = rule.beta1 * first + (1 - rule.beta1) * gradient
        let v = rule.beta2 * second + (1 - rule.beta2) * gradient * gradient
        let change = (m / correction1) / ((v / correction2).squareRoot() + rule.epsilon) + rule.weightDecay * value
        return (value - rule.learningRate * change, m, v)
    }

    /// One row-wise Adagrad step; returns the row and its accumulator after the step.
    public static func adagradRow(
        _ values: [Float], accumulator: Float, gradient: [Float], learningRate: Float, epsilon: Float
    ) -> (values: [Float], accumulator: Float) {
        guard !values.isEmpty else { return (values, accumulator) }
        let total = accumulator + dot(gradient, gradient) / Float(values.count)
        return (zip(values, gradient).map { $0 - learningRate * $1 / (total.squareRoot() + epsilon) }, total)
    }
}
