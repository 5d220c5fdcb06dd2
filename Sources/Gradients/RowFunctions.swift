import Tensors

extension Variable {
    /// Softmax of every row. A row of nothing but −∞ gives zeros.
    public func softmaxRows() -> Variable {
        Variable(
            value.softmaxRows(), inputs: [self],
            rules: [{ _, y, g in y * (g - (g * y).sumOverColumns()) }])
    }

    /// ln Σ e^x of every row, `[rows, 1]`.
    public func logSumExpRows() -> Variable {
        Variable(value.logSumExpRows(), inputs: [self], rules: [{ inputs, _, g in g * inputs[0].softmaxRows() }])
    }

    /// ln softmax of every row.
    public func logSoftmaxRows() -> Variable { self - logSumExpRows() }

    /// Element `indices[r]` of every row r, `[rows, 1]`.
    public func picking(_ indices: [Int32]) -> Variable {
        precondition(indices.count == rows, "\(indices.count) columns to pick from \(rows) rows")
        let result = Matrix(rows: rows, columns: 1) { target in
            value.withUnsafePointer { x in
                for (r, index) in indices.enumerated() {
                    precondition(index >= 0 && index < columns, "column \(index) of \(value.shape), to be picked from row \(r)")
                    target[r] = x[r * columns + Int(index)]
                }
            }
        }
        return Variable(
            result, inputs: [self], rules: [{ inputs, _, g in g.placing(indices, columns: inputs[0].columns) }])
    }

    /// Zeros of `[rows, columns]` with this column's element r at `indices[r]` of row r.
    private func placing(_ indices: [Int32], columns: Int) -> Variable {
        var result = Matrix(rows: rows, columns: columns)
        result.withUnsafeMutablePointer { to in
            value.withUnsafePointer { x in
                for (r, index) in indices.enumerated() { to[r * columns + Int(index)] = x[r] }
            }
        }
        return Variable(result, inputs: [self], rules: [{ _, _, g in g.picking(indices) }])
    }

    /// Every row divided by its length: x / √(Σx² + epsilon²). Rows much shorter than `epsilon` stay near zero, so that a row
    /// of zeros has finite derivatives of every order.
    public func l2NormalisedRows(epsilon: Float = 1e-6) -> Variable {
        self * ((self * self).sumOverColumns() + epsilon * epsilon).reciprocalSqrt()
    }

    /// Every row minus its mean, over √(variance + epsilon), times `gain` plus `bias`, each `[1, columns]` (Ba et al. 2016). One
    /// fused kernel each way; there must be a column.
    public func layerNormalisedRows(gain: Variable? = nil, bias: Variable? = nil, epsilon: Float = 1e-5) -> Variable {
        let hasGain = gain != nil, hasBias = bias != nil
        for side in [gain, bias].compactMap({ $0 }) {
            precondition(
                side.rows == 1 && side.columns == columns, "layer norm of \(value.shape) with a gain or bias of \(side.value.shape)")
        }
        let inputs = [self] + [gain, bias].compactMap { $0 }
        let (rows, columns) = (rows, columns)
        let (gains, biases) = (gain?.value, bias?.value)
        let made = filled([(rows, columns), (rows, 1), (rows, 1)]) { made in
            value.withUnsafePointer { x in
                withOptional(gains) { gain in
                    withOptional(biases) { bias in
                        Kernels.layerNormRows(
                            rows: rows, columns: columns, x, stride: columns, gain: gain, bias: bias, into: made[0], stride: columns,
                            means: made[1], inverses: made[2], epsilon: epsilon)
                    }
                }
            }
        }
        return .fused(
            made[0], inputs: inputs,
            composed: { all in
                let centred = all[0] - all[0].meanOverColumns()
                var y = centred * ((centred * centred).meanOverColumns() + epsilon).reciprocalSqrt()
                if hasGain { y = y * all[1] }
                if hasBias { y = y + all[all.count - 1] }
                return y
            },
            backward: { all, _, outer in
                let slopes = filled([(rows, columns), (1, columns), (1, columns)]) { slopes in
                    withPointers([all[0], made[1], made[2], outer]) { x in
                        withOptional(hasGain ? all[1] : nil) { gain in
                            Kernels.layerNormRowsBackward(
                                rows: rows, columns: columns, x[0], stride: columns, gain: gain, means: x[1], inverses: x[2], outer: x[3],
                                stride: columns, into: slopes[0], stride: columns, gainGradient: slopes[1], biasGradient: slopes[2])
                        }
                    }
                }
                return [slopes[0]] + (hasGain ? [slopes[1]] : []) + (hasBias ? [slopes[2]] : [])
            })
    }

    /// The mean over rows of −ln softmax(x)[r, targets[r]], `[1, 1]`.
    ///
    /// - Parameter weights: how much each row counts, `[rows, 1]`; the sum is divided by the number of rows all the same.
    public func crossEntropy(targets: [Int32], weights: Variable? = nil) -> Variable {
        let losses = logSumExpRows() - picking(targets)
        return (weights.map { losses * $0 } ?? losses).mean()
    }

    /// The mean of −t ln σ(x) − (1 − t) ln(1 − σ(x)) over all elements, `[1, 1]`: x are logits, `targets` lie in [0, 1] and
    /// have their shape, or one that is repeated to it.
    public func binaryCrossEntropy(targets: Variable) -> Variable { (softplus() - self * targets).mean() }
}
