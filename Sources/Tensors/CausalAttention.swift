import CKernels

/// Causal attention of one head over one sequence, with its way back: each position sees itself and those before it.
///
/// Scores exist for one block of positions at a time and only up to its last position. The way back computes the weights again from
/// the saved logarithms of the sums (Dao et al. 2022, FlashAttention, in blocks of rows). All on the calling thread.
///
/// softmax: out = softmax(scale · Q Kᵀ + bias) V. silu (HSTU's pointwise form): out = weight · silu(scale · Q Kᵀ + bias) V.
public struct CausalAttention: Sendable {
    /// What turns scores into weights.
    public enum Form: Sendable, Hashable {
        /// e^t over the sum of those that the position sees.
        case softmax
        /// t / (1 + e^−t) · weight, for example with weight 1 / length (Zhai et al. 2024).
        case silu(weight: Float)
    }

    /// Positions of the sequence, 1 or more.
    public let length: Int
    /// Floats of a query and of a key.
    public let width: Int
    /// Floats of a value and of a result.
    public let valueWidth: Int
    /// Factor of the scores, for example 1 / √width.
    public let scale: Float
    /// What turns scores into weights.
    public let form: Form
    /// What products are computed in.
    public let precision: ProductPrecision

    /// Positions of one block of scores.
    public static let blockPositions = 64

    /// Attention over `length` positions; `valueWidth` is `width` unless given.
    public init(
        length: Int, width: Int, valueWidth: Int? = nil, scale: Float, form: Form = .softmax,
        precision: ProductPrecision = .float32
    ) {
        precondition(length > 0 && width > 0 && (valueWidth ?? 1) > 0, "attention over \(length) positions of \(width) floats")
        self.length = length
        self.width = width
        self.valueWidth = valueWidth ?? width
        self.scale = scale
        self.form = form
        self.precision = precision
    }

    /// Floats of scratch for `forward`.
    public var forwardScratchFloats: Int { Swift.min(length, Self.blockPositions) * length }
    /// Floats of scratch for `backward`.
    public var backwardScratchFloats: Int { 2 * forwardScratchFloats + Self.blockPositions }

    /// The way forward.
    ///
    /// - Parameters:
    ///   - q, k, v: `[length, width]`, `[length, width]`, `[length, valueWidth]`, each with its own stride.
    ///   - biases: nil, or what is added to the score of a pair by its distance, `[length]` in order of falling distance: the last
    ///     is that of a position with itself.
    ///   - out: `[length, valueWidth]`, overwritten.
    ///   - logSums: `[length]`, written with `softmax` and needed for the way back.
    ///   - scratch: `forwardScratchFloats`.
    public func forward(
        _ q: UnsafePointer<Float>, stride strideQ: Int, _ k: UnsafePointer<Float>, stride strideK: Int,
        _ v: UnsafePointer<Float>, stride strideV: Int, biases: UnsafePointer<Float>? = nil,
        into out: UnsafeMutablePointer<Float>, stride strideOut: Int, logSums: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        for first in Swift.stride(from: 0, to: length, by: Self.blockPositions) {
            let rows = min(Self.blockPositions, length - first), seen = first + rows
            Kernels.multiply(
                rows: rows, columns: seen, inner: width, q + first * strideQ, stride: strideQ, transposed: false, k, stride: strideK,
                transposed: true,
                into: scratch, stride: seen, threads: 1, precision: precision)
            let biases = biases.map { $0 + (length - 1 - first) }
            switch form {
            case .softmax: fk_causal_softmax_rows(rows, seen, first, scratch, seen, scale, biases, logSums + first)
            case .silu(let weight): fk_causal_silu_rows(rows, seen, first, scratch, seen, scale, biases, weight)
            }
            Kernels.multiply(
                rows: rows, columns: valueWidth, inner: seen, scratch, stride: seen, v, stride: strideV,
                into: out + first * strideOut, stride: strideOut, threads: 1, precision: precision)
        }
    }

    /// The way back.
    ///
    /// - Parameters:
    ///   - q, k, v, biases, out, logSums: as on the way forward.
    ///   - outer: gradient of `out`, `[length, valueWidth]`.
    ///   - gradientQ, gradientK, gradientV: overwritten, shapes of q, k and v.
    ///   - biasGradient: `[length]` in the order of `biases`, added to; nil where not wanted.
    ///   - scratch: `backwardScratchFloats`.
    public func backward(
        _ q: UnsafePointer<Float>, stride strideQ: Int, _ k: UnsafePointer<Float>, stride strideK: Int,
        _ v: UnsafePointer<Float>, stride strideV: Int, biases: UnsafePointer<Float>? = nil,
        out: UnsafePointer<Float>, stride strideOut: Int, logSums: UnsafePointer<Float>,
        outer: UnsafePointer<Float>, stride strideOuter: Int,
        gradientQ: UnsafeMutablePointer<Float>, stride strideGradientQ: Int,
        gradientK: UnsafeMutablePointer<Float>, stride strideGradientK: Int,
        gradientV: UnsafeMutablePointer<Float>, stride strideGradientV: Int,
        biasGradient: UnsafeMutablePointer<Float>? = nil, scratch: UnsafeMutablePointer<Float>
    ) {
        let weights = scratch, slopes = scratch + forwardScratchFloats, along = slopes + forwardScratchFloats
        // From the last block on: it sees every position, so it is the one that overwrites.
        let last = (length - 1) / Self.blockPositions * Self.blockPositions
        for first in Swift.stride(from: last, through: 0, by: -Self.blockPositions) {
            let rows = min(Self.blockPositions, length - first), seen = first + rows
            let beta: Float = first == last ? 0 : 1
            let biases = biases.map { $0 + (length - 1 - first) }, biasSlopes = biasGradient.map { $0 + (length - 1 - first) }
            let outer = outer + first * strideOuter
            func scores(into target: UnsafeMutablePointer<Float>) {
                Kernels.multiply(
                    rows: rows, columns: seen, inner: width, q + first * strideQ, stride: strideQ, transposed: false, k,
                    stride: strideK, transposed: true, into: target, stride: seen, threads: 1, precision: precision)
            }
            // The weights once more, and the values' gradient from them.
            scores(into: weights)
            switch form {
            case .softmax: fk_causal_softmax_again_rows(rows, seen, first, weights, seen, scale, biases, logSums + first)
            case .silu(let weight): fk_causal_silu_rows(rows, seen, first, weights, seen, scale, biases, weight)
            }
            Kernels.multiply(
                rows: seen, columns: valueWidth, inner: rows, weights, stride: seen, transposed: true, outer, stride: strideOuter,
                beta: beta, into: gradientV, stride: strideGradientV, threads: 1, precision: precision)
            // The gradient of the weights, turned into that of the scores.
            Kernels.multiply(
                rows: rows, columns: seen, inner: valueWidth, outer, stride: strideOuter, transposed: false, v, stride: strideV,
                transposed: true,
                into: slopes, stride: seen, threads: 1, precision: precision)
            switch form {
            case .softmax:
                for row in 0..<rows {
                    along[row] = fk_dot(outer + row * strideOuter, out + (first + row) * strideOut, valueWidth)
                }
                fk_causal_softmax_rows_slope(rows, seen, first, weights, seen, slopes, seen, scale, along, biasSlopes)
            case .silu(let weight):
                scores(into: weights)
                fk_causal_silu_rows_slope(rows, seen, first, weights, seen, slopes, seen, scale, biases, weight, biasSlopes)
            }
            Kernels.multiply(
                rows: rows, columns: width, inner: seen, slopes, stride: seen, k, stride: strideK,
                into: gradientQ + first * strideGradientQ, stride: strideGradientQ, threads: 1, precision: precision)
            Kernels.multiply(
                rows: seen, columns: width, inner: rows, slopes, stride: seen, transposed: true, q + first * strideQ,
                stride: strideQ, beta: beta, into: gradientK, stride: strideGradientK, threads: 1, precision: precision)
        }
    }
}
