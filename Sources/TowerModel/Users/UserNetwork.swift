import Tensors

/// The last part of a user tower: from what it gathered of a history, and the user's attributes, to the user's vector.
///
/// u = A x + a + W relu(B x + b) with x = [parts …, attributes + idle time]; A and B are one matrix. The last component of u is 1, so
/// that the item's last component is its popularity.
package struct UserNetwork {
    /// Where the parameters lie in the block.
    package let layout: DenseLayout
    /// The dense block; valid for the life of the value.
    package let dense: UnsafePointer<Float>
    /// Whether vectors are scaled to length 1, the last component apart.
    package let unitLength: Bool
    /// 1 / temperature.
    package let scale: Float
    /// How the products are computed.
    package let precision: ProductPrecision

    /// The network of a configuration; a learned temperature is read from the block.
    package init(
        _ configuration: TowerConfiguration, layout: DenseLayout, dense: UnsafePointer<Float>, precision: ProductPrecision = .float32
    ) {
        self.precision = precision
        self.layout = layout
        self.dense = dense
        unitLength = configuration.items.unitLength
        scale = layout.shape.learnsTemperature ? Kernels.exp(dense[layout.offset(.temperature)]) : 1 / configuration.loss.temperature
    }

    /// The attribute part of the input (d floats, overwritten): the user's tokens and how long the user was away.
    package func attributes(
        tokens: UnsafeBufferPointer<Int32>, table: TableRows, idle: UInt8, into target: UnsafeMutablePointer<Float>
    ) {
        let d = layout.shape.dimension
        if idle == TowerShape.noIdle {
            target.update(repeating: 0, count: d)
        } else {
            target.update(from: dense + layout.offset(.idle) + Int(idle) * d, count: d)
        }
        for token in tokens { Kernels.axpy(UserTokens.weight, table[token], into: target, count: d) }
    }

    /// The same where all rows of the user token table lie in their order.
    package func attributes(
        tokens: ArraySlice<Int32>, table: UnsafePointer<Float>, idle: UInt8, into target: UnsafeMutablePointer<Float>
    ) {
        tokens.withUnsafeBufferPointer {
            attributes(tokens: $0, table: TableRows(start: table, width: layout.shape.dimension), idle: idle, into: target)
        }
    }

    /// From inputs to vectors for `count` users.
    ///
    /// - Parameters:
    ///   - inputs: `[count, (parts + 1) d]`
    ///   - inner: `[count, hidden + d]`, overwritten: relu output beside the direct path.
    ///   - vectors: `[count, d]`, overwritten.
    ///   - lengths: 1 / length of each vector before scaling; written only with `unitLength`.
    package func forward(
        count: Int, inputs: UnsafePointer<Float>, inner: UnsafeMutablePointer<Float>, vectors: UnsafeMutablePointer<Float>,
        lengths: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape, d = shape.dimension, h = shape.hidden, w = shape.innerWidth, m = shape.inputWidth
        let bias = dense + layout.offset(.userInputBias)
        Kernels.multiply(
            rows: count, columns: w, inner: m, inputs, stride: m, dense + layout.offset(.userInputWeight), stride: w,
            into: inner, stride: w, threads: 1, precision: precision)
        Kernels.activateRows(.relu, rows: count, columns: h, inner, stride: w, bias: bias, into: inner, stride: w)
        Kernels.activateRows(.identity, rows: count, columns: d, inner + h, stride: w, bias: bias + h, into: vectors, stride: d)
        if h > 0 {
            Kernels.multiply(
                rows: count, columns: d, inner: h, inner, stride: w, dense + layout.offset(.userOutputWeight), stride: d,
                beta: 1, into: vectors, stride: d, threads: 1, precision: precision)
        }
        finish(count: count, vectors: vectors, lengths: lengths)
    }

    /// Scales `count` vectors where they have unit length, and sets their last components.
    package func finish(count: Int, vectors: UnsafeMutablePointer<Float>, lengths: UnsafeMutablePointer<Float>) {
        let d = layout.shape.dimension
        if unitLength {
            Kernels.unitRows(rows: count, columns: d - 1, vectors, stride: d, epsilon: 1e-6, scale: scale, inverses: lengths)
        }
        for row in 0..<count { vectors[row * d + d - 1] = 1 }
    }

    /// The way back through ``finish(count:vectors:lengths:)``: changes the gradient of the vectors into that of its input.
    package func finishBackward(
        count: Int, vectors: UnsafePointer<Float>, lengths: UnsafePointer<Float>, outer: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>
    ) {
        let d = layout.shape.dimension
        for row in 0..<count { outer[row * d + d - 1] = 0 }  // the constant 1
        guard unitLength else { return }
        Kernels.unitRowsBackward(
            rows: count, columns: d - 1, vectors, stride: d, inverses: lengths, scale: scale, gradient: outer, stride: d,
            along: layout.shape.learnsTemperature ? gradient + layout.offset(.temperature) : nil)
    }

    /// The way back through the network for `count` users.
    ///
    /// - Parameters:
    ///   - outer: gradient of the vectors `[count, d]`; changed.
    ///   - innerGradient: `[count, hidden + d]`, overwritten.
    ///   - inputGradient: `[count, (parts + 1) d]`, overwritten.
    ///   - gradient: the dense block's gradient, added to.
    package func backward(
        count: Int, inputs: UnsafePointer<Float>, inner: UnsafePointer<Float>, vectors: UnsafePointer<Float>,
        lengths: UnsafePointer<Float>, outer: UnsafeMutablePointer<Float>, innerGradient: UnsafeMutablePointer<Float>,
        inputGradient: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape, d = shape.dimension, h = shape.hidden, w = shape.innerWidth, m = shape.inputWidth
        finishBackward(count: count, vectors: vectors, lengths: lengths, outer: outer, gradient: gradient)
        for row in 0..<count { (innerGradient + row * w + h).update(from: outer + row * d, count: d) }
        if h > 0 {
            Kernels.multiply(
                rows: h, columns: d, inner: count, inner, stride: w, transposed: true, outer, stride: d, beta: 1,
                into: gradient + layout.offset(.userOutputWeight), stride: d, threads: 1, precision: precision)
            Kernels.multiply(
                rows: count, columns: h, inner: d, outer, stride: d, transposed: false, dense + layout.offset(.userOutputWeight), stride: d,
                transposed: true, into: innerGradient, stride: w, threads: 1, precision: precision)
            Kernels.activateRowsBackward(.relu, rows: count, columns: h, inner, stride: w, gradient: innerGradient, stride: w)
        }
        Kernels.multiply(
            rows: m, columns: w, inner: count, inputs, stride: m, transposed: true, innerGradient, stride: w, beta: 1,
            into: gradient + layout.offset(.userInputWeight), stride: w, threads: 1, precision: precision)
        let bias = gradient + layout.offset(.userInputBias)
        Kernels.addSumOfRows(rows: count, columns: w, innerGradient, stride: w, into: bias)
        Kernels.multiply(
            rows: count, columns: m, inner: w, innerGradient, stride: w, transposed: false, dense + layout.offset(.userInputWeight),
            stride: w,
            transposed: true, into: inputGradient, stride: m, threads: 1, precision: precision)
    }
}
