import Tensors

extension Variable {
    /// `op(a) · op(b)`, where `op` transposes if asked; shapes as in `Tensors.product`.
    public static func product(
        _ a: Variable, _ b: Variable, transposeA: Bool = false, transposeB: Bool = false
    ) -> Variable {
        Variable(
            Tensors.product(a.value, b.value, transposeA: transposeA, transposeB: transposeB), inputs: [a, b],
            rules: [
                { inputs, _, g in
                    transposeA
                        ? product(inputs[1], g, transposeA: transposeB, transposeB: true)
                        : product(g, inputs[1], transposeB: !transposeB)
                },
                { inputs, _, g in
                    transposeB
                        ? product(g, inputs[0], transposeA: true, transposeB: transposeA)
                        : product(inputs[0], g, transposeA: !transposeA)
                },
            ])
    }

    /// The transpose, `[columns, rows]`.
    public func transposed() -> Variable {
        Variable(value.transposed(), inputs: [self], rules: [{ _, _, g in g.transposed() }])
    }

    /// The same elements in row-major order under another shape.
    public func reshaped(rows: Int, columns: Int) -> Variable {
        Variable(
            value.reshaped(rows: rows, columns: columns), inputs: [self],
            rules: [{ inputs, _, g in g.reshaped(rows: inputs[0].rows, columns: inputs[0].columns) }])
    }

    /// `bags · table`: each row a weighted sum (by default the mean) of the table's rows that its bag names. The gradient with
    /// respect to the table adds each row back where it came from, and is dense: for large tables gather the rows in use first.
    public static func embeddingBag(_ bags: SparseRows, _ table: Variable) -> Variable {
        Variable(bags.times(table.value), inputs: [table], rules: [{ _, _, g in transposedBag(bags, g) }])
    }

    private static func transposedBag(_ bags: SparseRows, _ x: Variable) -> Variable {
        Variable(bags.transposedTimes(x.value), inputs: [x], rules: [{ _, _, g in embeddingBag(bags, g) }])
    }

    /// The rows named by `indices`, `[indices.count, columns]`.
    public func gatheringRows(_ indices: [Int32]) -> Variable {
        Variable(
            value.gatheringRows(indices), inputs: [self],
            rules: [{ inputs, _, g in g.scatteringRows(indices, rows: inputs[0].rows) }])
    }

    /// A matrix of `[rows, columns]` in which row `indices[i]` is the sum of the rows i of this one that name it.
    public func scatteringRows(_ indices: [Int32], rows: Int) -> Variable {
        var result = Matrix(rows: rows, columns: columns)
        result.scatterAddRows(indices, from: value)
        return Variable(result, inputs: [self], rules: [{ _, _, g in g.gatheringRows(indices) }])
    }

    /// Columns `range` of every row.
    public func columns(_ range: Range<Int>) -> Variable {
        Variable(
            value.columns(range), inputs: [self],
            rules: [{ inputs, _, g in g.placedAmongColumns(from: range.lowerBound, of: inputs[0].columns) }])
    }

    /// Zeros of `[rows, total]` with this variable in the columns from `first` on.
    private func placedAmongColumns(from first: Int, of total: Int) -> Variable {
        var result = Matrix(rows: rows, columns: total)
        result.setColumns(from: first, to: value)
        let range = first..<(first + columns)
        return Variable(result, inputs: [self], rules: [{ _, _, g in g.columns(range) }])
    }

    /// Rows `range`, `[range.count, columns]`.
    public func rows(_ range: Range<Int>) -> Variable {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(value.shape)")
        return gatheringRows(range.map(Int32.init))
    }

    /// Variables of the same number of columns, one below the other.
    public static func concatenatingRows(_ parts: [Variable]) -> Variable {
        precondition(!parts.isEmpty, "nothing to put one below the other")
        let columns = parts[0].columns, total = parts.reduce(0) { $0 + $1.rows }
        var first = 0
        var rules: [DerivativeRule] = []
        for part in parts {
            precondition(part.columns == columns, "\(part.value.shape) below rows of \(columns) columns")
            let range = first..<(first + part.rows)
            rules.append { _, _, g in g.rows(range) }
            first = range.upperBound
        }
        let result = Matrix(rows: total, columns: columns) { target in
            var place = 0
            for part in parts {
                part.value.withUnsafeBufferPointer { from in
                    for i in from.indices { target[place + i] = from[i] }
                    place += from.count
                }
            }
        }
        return Variable(result, inputs: parts, rules: rules)
    }

    /// Variables of the same number of rows side by side.
    public static func concatenatingColumns(_ parts: [Variable]) -> Variable {
        precondition(!parts.isEmpty, "nothing to put side by side")
        var result = Matrix(rows: parts[0].rows, columns: parts.reduce(0) { $0 + $1.columns })
        var first = 0
        var rules: [DerivativeRule] = []
        for part in parts {
            result.setColumns(from: first, to: part.value)
            let range = first..<(first + part.columns)
            rules.append { _, _, g in g.columns(range) }
            first = range.upperBound
        }
        return Variable(result, inputs: parts, rules: rules)
    }
}
