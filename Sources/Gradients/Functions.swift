import Tensors

extension Variable {
    private func mapped(_ function: Kernels.Unary, derivative: @escaping (_ x: Variable, _ y: Variable) -> Variable) -> Variable {
        Variable(value.mapped(function), inputs: [self], rules: [{ inputs, y, g in g * derivative(inputs[0], y) }])
    }

    /// e^x of every element.
    public func exp() -> Variable { mapped(.exp) { _, y in y } }

    /// ln x of every element.
    public func log() -> Variable { mapped(.log) { x, _ in 1 / x } }

    /// √x of every element; the slope at 0 is infinite.
    public func sqrt() -> Variable { mapped(.sqrt) { _, y in 0.5 / y } }

    /// 1 / √x of every element.
    public func reciprocalSqrt() -> Variable {
        Variable(
            Matrix(scalar: 1).combined(.divide, with: value.mapped(.sqrt)), inputs: [self],
            rules: [{ _, y, g in -0.5 * (g * y * y * y) }])
    }

    /// max(x, 0) of every element. The slope at 0 is taken as 0; the second derivative is 0 everywhere.
    public func relu() -> Variable { mapped(.relu) { x, _ in .constant(x.value.mapped(.step)) } }

    /// max(x, number) of every element. The slope where both are equal is taken as 0; the second derivative is 0 everywhere.
    public func maximum(_ number: Float) -> Variable {
        let result = Matrix(rows: rows, columns: columns) { target in
            // A comparison with NaN is false, so that NaN stays.
            value.withUnsafeBufferPointer { x in for i in x.indices { target[i] = x[i] < number ? number : x[i] } }
        }
        return Variable(
            result, inputs: [self],
            rules: [{ inputs, _, g in
                g * .constant(inputs[0].value.combined(.subtract, with: Matrix(scalar: number)).mapped(.step))
            }])
    }

    /// The elements times a mask that says which stay: 1 / (1 − rate) where one does and 0 where not, in the shape of this variable
    /// (Srivastava et al. 2014). Whoever makes the mask knows its randomness; `dropoutMask` makes one from a key.
    public func dropout(mask: Matrix) -> Variable {
        precondition(mask.rows == rows && mask.columns == columns, "a mask of \(mask.shape) for \(value.shape)")
        return self * .constant(mask)
    }

    /// A mask for `dropout(mask:)`: the same places that `Kernels.dropout` drops with this rate and key.
    public static func dropoutMask(rows: Int, columns: Int, rate: Float, key: UInt64) -> Matrix {
        var mask = Matrix(rows: rows, columns: columns, repeating: 1)
        mask.withUnsafeMutablePointer { Kernels.dropout($0, into: $0, count: rows * columns, rate: rate, key: key) }
        return mask
    }

    /// tanh x of every element.
    public func tanh() -> Variable { mapped(.tanh) { _, y in 1 - y * y } }

    /// 1 / (1 + e^−x) of every element.
    public func sigmoid() -> Variable { mapped(.sigmoid) { _, y in y * (1 - y) } }

    /// x / (1 + e^−x) of every element (Elfwing et al. 2018).
    public func silu() -> Variable {
        mapped(.silu) { x, _ in
            let s = x.sigmoid()
            return s * (x * (1 - s) + 1)
        }
    }

    /// The Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016).
    public func gelu() -> Variable {
        mapped(.gelu) { x, _ in
            let square = x * x
            let t = (geluScale * (x + geluCubic * (x * square))).tanh()
            return 0.5 * (t + 1) + (0.5 * geluScale) * (x * (1 - t * t) * (3 * geluCubic * square + 1))
        }
    }

    /// ln(1 + e^x) of every element without overflow: max(x, 0) + ln(1 + e^−|x|).
    public func softplus() -> Variable {
        let result = Matrix(rows: rows, columns: columns) { target in
            value.withUnsafeBufferPointer { x in
                for i in x.indices {
                    target[i] = max(x[i], 0) + Kernels.log(1 + Kernels.exp(-abs(x[i])))
                }
            }
        }
        return Variable(result, inputs: [self], rules: [{ inputs, _, g in g * inputs[0].sigmoid() }])
    }
}

private let geluScale: Float = 0.797_884_56
private let geluCubic: Float = 0.044715
