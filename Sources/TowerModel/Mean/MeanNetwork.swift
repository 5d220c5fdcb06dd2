import Tensors

/// Two dense layers over a tile of rows: out = relu(x W₁ + b₁) W₂ + b₂.
package struct MeanNetwork {
    package let parameters: MeanParameters
    let inputWeight, inputBias, outputWeight, outputBias: MeanDense
    /// Length of x.
    package let inputs: Int

    package static func user(_ parameters: MeanParameters) -> MeanNetwork {
        MeanNetwork(
            parameters: parameters, inputWeight: .userInputWeight, inputBias: .userInputBias, outputWeight: .userOutputWeight,
            outputBias: .userOutputBias, inputs: parameters.shape.inputWidth)
    }

    package static func item(_ parameters: MeanParameters) -> MeanNetwork {
        MeanNetwork(
            parameters: parameters, inputWeight: .itemInputWeight, inputBias: .itemInputBias, outputWeight: .itemOutputWeight,
            outputBias: .itemOutputBias, inputs: parameters.shape.dimension)
    }

    /// - Parameters:
    ///   - x: `[count, inputs]`; hidden: `[count, h]`, kept for the way back; out: `[count, d]`.
    package func forward(
        count: Int, _ x: UnsafePointer<Float>, hidden: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
    ) {
        let h = parameters.shape.hidden, d = parameters.shape.dimension
        Kernels.rowProduct(
            .biasRelu, rows: count, columns: h, inner: inputs, x, strides: (inputs, 1), parameters.start(inputWeight), stride: h,
            into: hidden, stride: h, extra: parameters.start(inputBias))
        Kernels.rowProduct(
            .bias, rows: count, columns: d, inner: h, hidden, strides: (h, 1), parameters.start(outputWeight), stride: d, into: out,
            stride: d, extra: parameters.start(outputBias))
    }

    /// The way back.
    ///
    /// - Parameters:
    ///   - outer: gradient of the output `[count, d]`; scratch: `[count, h]`, overwritten.
    ///   - gradient: of the dense block, added to.
    ///   - inner: where to put which columns of the gradient of x: (first column, columns, target, floats from row to row).
    package func backward(
        count: Int, _ x: UnsafePointer<Float>, hidden: UnsafePointer<Float>, outer: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
        inner: (first: Int, columns: Int, target: UnsafeMutablePointer<Float>)...
    ) {
        let h = parameters.shape.hidden, d = parameters.shape.dimension
        Kernels.addRows(rows: count, columns: d, outer, into: gradient + parameters.range(outputBias).lowerBound)
        Kernels.rowProduct(
            .add, rows: h, columns: d, inner: count, hidden, strides: (1, h), outer, stride: d,
            into: gradient + parameters.range(outputWeight).lowerBound, stride: d)
        Kernels.rowProduct(
            .reluSlope, rows: count, columns: h, inner: d, outer, strides: (d, 1), parameters.transposed(outputWeight), stride: h,
            into: scratch, stride: h, extra: hidden, extraStride: h)
        Kernels.addRows(rows: count, columns: h, scratch, into: gradient + parameters.range(inputBias).lowerBound)
        Kernels.rowProduct(
            .add, rows: inputs, columns: h, inner: count, x, strides: (1, inputs), scratch, stride: h,
            into: gradient + parameters.range(inputWeight).lowerBound, stride: h)
        for part in inner {
            Kernels.rowProduct(
                .plain, rows: count, columns: part.columns, inner: h, scratch, strides: (h, 1),
                parameters.transposed(inputWeight) + part.first, stride: inputs, into: part.target, stride: part.columns)
        }
    }
}
