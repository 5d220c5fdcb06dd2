import CKernels

extension Matrix {
    /// The rows named by `indices`, in that order: `[indices.count, columns]`. An index may appear any number of times.
    public func gatheringRows(_ indices: [Int32]) -> Matrix {
        Matrix(rows: indices.count, columns: columns) { target in
            guard let to = target.baseAddress else { return }
            withUnsafePointer { from in
                for (i, index) in indices.enumerated() {
                    precondition(index >= 0 && index < rows, "row \(index) of \(shape), asked for at place \(i)")
                    (to + i * columns).update(from: from + Int(index) * columns, count: columns)
                }
            }
        }
    }

    /// Adds row i of `source` to row `indices[i]`; rows named twice receive both, in order.
    public mutating func scatterAddRows(_ indices: [Int32], from source: Matrix, scaledBy alpha: Float = 1) {
        precondition(
            source.rows == indices.count && source.columns == columns,
            "\(indices.count) rows of \(shape) cannot take \(source.shape)")
        let (rows, columns) = (rows, columns)
        withUnsafeMutablePointer { to in
            source.withUnsafePointer { from in
                for (i, index) in indices.enumerated() {
                    precondition(index >= 0 && index < rows, "row \(index) of [\(rows), \(columns)], given at place \(i)")
                    fk_axpy(alpha, from + i * columns, to + Int(index) * columns, columns)
                }
            }
        }
    }

    /// The transpose, `[columns, rows]`, copied in tiles.
    public func transposed() -> Matrix {
        if rows <= 1 || columns <= 1 { return reshaped(rows: columns, columns: rows) }
        return Matrix(rows: columns, columns: rows) { target in
            guard let to = target.baseAddress else { return }
            withUnsafePointer { from in
                for r0 in stride(from: 0, to: rows, by: 16) {
                    for c0 in stride(from: 0, to: columns, by: 16) {
                        for r in r0..<Swift.min(r0 + 16, rows) {
                            for c in c0..<Swift.min(c0 + 16, columns) { to[c * rows + r] = from[r * columns + c] }
                        }
                    }
                }
            }
        }
    }

    /// Runs a row kernel over every row into a new matrix of the same shape.
    private func mappingRows(_ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void) -> Matrix {
        Matrix(rows: rows, columns: columns) { target in
            guard columns > 0, let to = target.baseAddress else { return }
            withUnsafePointer { from in
                for r in 0..<rows { body(from + r * columns, to + r * columns) }
            }
        }
    }

    /// Softmax of every row.
    public func softmaxRows() -> Matrix { mappingRows { fk_softmax($0, $1, columns) } }

    /// ln Σ e^x of every row, `[rows, 1]`; −∞ for rows without columns.
    public func logSumExpRows() -> Matrix {
        Matrix(rows: rows, columns: 1) { target in
            withUnsafePointer { from in
                for r in 0..<rows {
                    target[r] = columns == 0 ? -Float.infinity : fk_log_sum_exp(from + r * columns, columns)
                }
            }
        }
    }

    /// Every row divided by its length, or by `epsilon` where it is shorter.
    public func l2NormalisedRows(epsilon: Float = 1e-12) -> Matrix {
        mappingRows { fk_l2_normalise($0, $1, columns, epsilon) }
    }

    /// Every row minus its mean, over its standard deviation.
    public func layerNormalisedRows(epsilon: Float = 1e-5) -> Matrix {
        mappingRows { fk_layer_norm($0, nil, nil, $1, columns, epsilon) }
    }

    /// `function` of every element.
    public func mapped(_ function: Kernels.Unary) -> Matrix {
        Matrix(rows: rows, columns: columns) { target in
            guard let to = target.baseAddress else { return }
            withUnsafePointer { Kernels.apply(function, $0, into: to, count: count) }
        }
    }

    /// `alpha` times every element.
    public func scaled(by alpha: Float) -> Matrix {
        Matrix(rows: rows, columns: columns) { target in
            guard let to = target.baseAddress else { return }
            withUnsafePointer { fk_scale(alpha, $0, to, count) }
        }
    }

    /// Adds `alpha · other` to this matrix; same shape.
    public mutating func add(_ other: Matrix, scaledBy alpha: Float = 1) {
        precondition(rows == other.rows && columns == other.columns, "\(other.shape) added to \(shape)")
        let count = count
        withUnsafeMutablePointer { to in other.withUnsafePointer { fk_axpy(alpha, $0, to, count) } }
    }
}
