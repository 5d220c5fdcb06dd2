import CKernels

// Loops over the rows of a tile. One call for many rows: what surrounds a loop is paid once, and strides let a part of a wider
// matrix be worked on in place. Way forward and way back stand side by side.

extension Kernels {
    /// Layer norm of rows (Ba et al. 2016): `out = (x − mean) / √(variance + epsilon) · gain + bias`, on one thread.
    ///
    /// - Parameters:
    ///   - x: `[rows, columns]`; `out` may be the same.
    ///   - gain, bias: `[columns]`, nil for 1 and 0.
    ///   - means, inverses: `[rows]`, written: the mean and 1 / √(variance + epsilon), for the way back.
    public static func layerNormRows(
        rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride strideX: Int, gain: UnsafePointer<Float>? = nil,
        bias: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>, stride strideOut: Int,
        means: UnsafeMutablePointer<Float>, inverses: UnsafeMutablePointer<Float>, epsilon: Float = 1e-5
    ) { fk_layer_norm_rows(rows, columns, x, strideX, gain, bias, out, strideOut, means, inverses, epsilon) }

    /// The way back through `layerNormRows`.
    ///
    /// - Parameters:
    ///   - x, gain, means, inverses: as on the way forward.
    ///   - outer: gradient of the result, `[rows, columns]`.
    ///   - gradient: gradient of x, overwritten, or added to with `adding`; may be `outer` where it is not added to.
    ///   - gainGradient, biasGradient: `[columns]`, added to; nil where not wanted.
    public static func layerNormRowsBackward(
        rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride strideX: Int, gain: UnsafePointer<Float>? = nil,
        means: UnsafePointer<Float>, inverses: UnsafePointer<Float>, outer: UnsafePointer<Float>, stride strideOuter: Int,
        into gradient: UnsafeMutablePointer<Float>, stride strideGradient: Int, adding: Bool = false,
        gainGradient: UnsafeMutablePointer<Float>? = nil, biasGradient: UnsafeMutablePointer<Float>? = nil
    ) {
        fk_layer_norm_rows_slope(
            rows, columns, x, strideX, gain, means, inverses, outer, strideOuter, adding ? 1 : 0, gradient, strideGradient,
            gainGradient, biasGradient)
    }

    /// Dropout of `count` numbers: `out[i] = base[i] + (dropped(key, i) ? 0 : x[i] / (1 − rate))`.
    ///
    /// Which are dropped follows from `key` and i alone, so the way back is the same call on the gradient, and no mask is kept.
    ///
    /// - Parameters:
    ///   - base: what the result is added to, for residual paths; nil for nothing. May be `out`, as may x.
    ///   - rate: share that is dropped, in [0, 1). It is rounded to a multiple of 1/256, and the scale goes by the rounded rate.
    ///   - key: well mixed; keys of different calls must differ in their low 32 bits or be unrelated.
    public static func dropout(
        _ x: UnsafePointer<Float>, addedTo base: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>, count: Int,
        rate: Float, key: UInt64
    ) {
        precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate): it lies in [0, 1)")
        fk_dropout(x, base, out, count, Swift.min(255, UInt32((rate * 256).rounded())), key)
    }

    /// A function between the layers of a network.
    public enum Activation: Sendable, Hashable, CaseIterable {
        /// x, max(x, 0), x / (1 + e^−x), the Gaussian error linear unit in its tanh form, tanh x, 1 / (1 + e^−x).
        case identity, relu, silu, gelu, tanh, sigmoid

        @usableFromInline var kind: fk_activation {
            switch self {
            case .identity: FK_IDENTITY
            case .relu: FK_RELU
            case .silu: FK_SILU
            case .gelu: FK_GELU
            case .tanh: FK_TANH
            case .sigmoid: FK_SIGMOID
            }
        }
    }

    /// `x += bias`, then `out = activation(x)`, over rows. x keeps what the way back needs; `out` may be x with `relu`, whose
    /// slope its result tells as well.
    public static func activateRows(
        _ activation: Activation, rows: Int, columns: Int, _ x: UnsafeMutablePointer<Float>, stride strideX: Int,
        bias: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>, stride strideOut: Int
    ) { fk_activate_rows(activation.kind, rows, columns, x, strideX, bias, out, strideOut) }

    /// The way back through `activateRows`: `gradient` holds the gradient of the result and becomes that of x, which the way
    /// forward left behind; `biasGradient`, `[columns]`, is added to.
    public static func activateRowsBackward(
        _ activation: Activation, rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride strideX: Int,
        gradient: UnsafeMutablePointer<Float>, stride strideGradient: Int, biasGradient: UnsafeMutablePointer<Float>? = nil
    ) { fk_activate_rows_slope(activation.kind, rows, columns, x, strideX, gradient, strideGradient, biasGradient) }

    /// `out += ` the sum of the rows, `[columns]`: the gradient of a bias.
    public static func addSumOfRows(
        rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride: Int, into out: UnsafeMutablePointer<Float>
    ) { fk_sum_rows_into(rows, columns, x, stride, out) }

    /// Row `indices[i]` of `table` += `alpha` · row i of `x`, in order. Indices are trusted.
    public static func scatterAddRows(
        _ table: UnsafeMutablePointer<Float>, stride strideTable: Int, indices: UnsafePointer<Int32>, rows: Int, columns: Int,
        from x: UnsafePointer<Float>, stride strideX: Int, alpha: Float = 1
    ) { fk_scatter_add_rows(table, strideTable, indices, rows, columns, x, strideX, alpha) }

    /// `top[r] = max(top[r], x[r, …] + corrections)` for every row, and x keeps its corrections; NaN where one is NaN.
    public static func topOfRows(
        rows: Int, columns: Int, _ x: UnsafeMutablePointer<Float>, stride: Int, corrections: UnsafePointer<Float>? = nil,
        top: UnsafeMutablePointer<Float>
    ) { fk_correct_and_top_rows(rows, columns, x, stride, corrections, top) }

    /// `x = e^(x + corrections − shift[r])` and `sums[r] += ` the sum of row r.
    ///
    /// The exponential is that of training: relative error below 4 · 10⁻⁷ instead of the 2 units in the last place of
    /// `apply(.exp, …)`, 0 below −87 and infinity above 88.4. NaN stays NaN.
    public static func expAndSumRows(
        rows: Int, columns: Int, _ x: UnsafeMutablePointer<Float>, stride: Int, corrections: UnsafePointer<Float>? = nil,
        shift: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>
    ) { fk_exp_sum_rows(rows, columns, x, stride, corrections, shift, sums) }
}
