import CKernels

extension Matrix {
    /// `operation` of every pair of elements. A side that is 1 in one matrix is repeated to the other's length: `[r, c]` goes
    /// with `[r, c]`, `[1, c]`, `[r, 1]` and `[1, 1]`.
    public func combined(_ operation: Kernels.Binary, with other: Matrix) -> Matrix {
        guard let rows = broadcastSide(rows, other.rows), let columns = broadcastSide(columns, other.columns) else {
            preconditionFailure("\(operation) of \(shape) and \(other.shape): sides must be equal or 1")
        }
        return Matrix(rows: rows, columns: columns) { target in
            guard rows > 0, columns > 0, let to = target.baseAddress else { return }
            withUnsafePointer { a in
                other.withUnsafePointer { b in
                    if self.rows == other.rows && self.columns == other.columns {
                        return Kernels.apply(operation, a, b, into: to, count: rows * columns)
                    }
                    for r in 0..<rows {
                        let x = a + (self.rows == 1 ? 0 : r * self.columns), y = b + (other.rows == 1 ? 0 : r * other.columns)
                        let out = to + r * columns
                        if self.columns == other.columns {
                            Kernels.apply(operation, x, y, into: out, count: columns)
                        } else if other.columns == 1 {
                            apply(operation, x, y[0], into: out, count: columns)
                        } else {
                            apply(operation, x[0], y, into: out, count: columns)
                        }
                    }
                }
            }
        }
    }

    /// Sums over the sides that are 1 in the target shape: `[r, c]` to `[1, c]`, `[r, 1]`, `[1, 1]` or, unchanged, `[r, c]`.
    public func summed(toRows targetRows: Int, columns targetColumns: Int) -> Matrix {
        precondition(
            (targetRows == rows || targetRows == 1) && (targetColumns == columns || targetColumns == 1),
            "\(shape) cannot be summed to [\(targetRows), \(targetColumns)]: sides must be equal or 1")
        if targetRows == rows && targetColumns == columns { return self }
        return withUnsafePointer { from in
            Matrix(rows: targetRows, columns: targetColumns) { target in
                target.update(repeating: 0)
                guard count > 0, let to = target.baseAddress else { return }
                switch (targetRows == 1, targetColumns == 1) {
                case (true, true): to[0] = fk_sum(from, count)
                case (true, false): for r in 0..<rows { fk_add(from + r * columns, to, to, columns) }
                case (false, _): for r in 0..<rows { to[r] = fk_sum(from + r * columns, columns) }
                }
            }
        }
    }

    /// Repeats rows or columns of length 1: `[1, c]`, `[r, 1]` or `[1, 1]` to `[r, c]`.
    public func repeated(toRows targetRows: Int, columns targetColumns: Int) -> Matrix {
        precondition(
            (rows == targetRows || rows == 1) && (columns == targetColumns || columns == 1),
            "\(shape) cannot be repeated to [\(targetRows), \(targetColumns)]: sides must be equal or 1")
        if targetRows == rows && targetColumns == columns { return self }
        return Matrix(rows: targetRows, columns: targetColumns) { target in
            guard targetRows > 0, targetColumns > 0, let to = target.baseAddress else { return }
            withUnsafePointer { from in
                for r in 0..<targetRows {
                    let row = from + (rows == 1 ? 0 : r * columns)
                    let out = to + r * targetColumns
                    if columns == targetColumns {
                        out.update(from: row, count: columns)
                    } else {
                        out.update(repeating: row[0], count: targetColumns)
                    }
                }
            }
        }
    }

    /// Columns `range` of every row, `[rows, range.count]`.
    public func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(shape)")
        return Matrix(rows: rows, columns: range.count) { target in
            guard let to = target.baseAddress else { return }
            withUnsafePointer { from in
                for r in 0..<rows {
                    (to + r * range.count).update(from: from + r * columns + range.lowerBound, count: range.count)
                }
            }
        }
    }

    /// Copies `part` over the columns that start at `first`.
    public mutating func setColumns(from first: Int, to part: Matrix) {
        precondition(
            part.rows == rows && first >= 0 && first + part.columns <= columns,
            "\(part.shape) does not fit into \(shape) from column \(first)")
        let (rows, columns) = (rows, columns)
        withUnsafeMutablePointer { to in
            part.withUnsafePointer { from in
                for r in 0..<rows { (to + r * columns + first).update(from: from + r * part.columns, count: part.columns) }
            }
        }
    }
}

private func broadcastSide(_ a: Int, _ b: Int) -> Int? {
    a == b || b == 1 ? a : a == 1 ? b : nil
}

// One side is a single number. Plain loops: the compiler makes SIMD of them, and memory is what limits them.

private func apply(
    _ operation: Kernels.Binary, _ x: UnsafePointer<Float>, _ y: Float, into out: UnsafeMutablePointer<Float>, count: Int
) {
    switch operation {
    case .add: fk_offset(y, x, out, count)
    case .subtract: fk_offset(-y, x, out, count)
    case .multiply: fk_scale(y, x, out, count)
    case .divide: for i in 0..<count { out[i] = x[i] / y }
    }
}

private func apply(
    _ operation: Kernels.Binary, _ x: Float, _ y: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
) {
    switch operation {
    case .add: fk_offset(x, y, out, count)
    case .subtract: for i in 0..<count { out[i] = x - y[i] }
    case .multiply: fk_scale(x, y, out, count)
    case .divide: for i in 0..<count { out[i] = x / y[i] }
    }
}
