import Tensors

/// A dense layer: y = x Wᵀ + b with W `[outputs, inputs]`.
struct LinearWeights: Sendable {
    let weight: Matrix
    let bias: [Float]

    /// y `[rows, outputs]` from x `[rows, inputs]`, overwritten.
    func apply(rows: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, precision: ProductPrecision) {
        let outputs = weight.rows, inputs = weight.columns
        bias.withUnsafeBufferPointer { bias in
            guard let bias = bias.baseAddress else { return }
            for row in 0..<rows { (y + row * outputs).update(from: bias, count: outputs) }
        }
        weight.withUnsafePointer {
            Kernels.multiply(
                rows: rows, columns: outputs, inner: inputs, x, stride: inputs, transposed: false, $0, stride: inputs, transposed: true,
                beta: 1, into: y, stride: outputs, threads: 1, precision: precision)
        }
    }
}

/// A layer norm over rows.
struct LayerNormWeights: Sendable {
    let gain, bias: [Float]
    let epsilon: Float

    func apply(rows: Int, _ x: UnsafeMutablePointer<Float>) {
        let width = gain.count
        gain.withUnsafeBufferPointer { gain in
            bias.withUnsafeBufferPointer { bias in
                for row in 0..<rows {
                    Kernels.layerNorm(
                        x + row * width, gain: gain.baseAddress, bias: bias.baseAddress, into: x + row * width, count: width,
                        epsilon: epsilon)
                }
            }
        }
    }
}

/// One layer: self-attention and a feed-forward part, each added to its input and normed.
struct TextEncoderLayer: Sendable {
    let query, key, value, output: LinearWeights
    let attentionNorm: LayerNormWeights
    let inner, outer: LinearWeights
    let outputNorm: LayerNormWeights
}
