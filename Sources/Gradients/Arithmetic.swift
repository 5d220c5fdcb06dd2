import Tensors

// Sides of length 1 are repeated, as in `Matrix.combined`; the gradient of a repeated side is summed back.

extension Variable {
    /// Element by element; `[r, c]` goes with `[r, c]`, `[1, c]`, `[r, 1]` and `[1, 1]`.
    public static func + (a: Variable, b: Variable) -> Variable {
        Variable(
            a.value.combined(.add, with: b.value), inputs: [a, b],
            rules: [
                { inputs, _, g in g.summed(like: inputs[0]) },
                { inputs, _, g in g.summed(like: inputs[1]) },
            ])
    }

    /// Element by element; shapes as for `+`.
    public static func - (a: Variable, b: Variable) -> Variable {
        Variable(
            a.value.combined(.subtract, with: b.value), inputs: [a, b],
            rules: [
                { inputs, _, g in g.summed(like: inputs[0]) },
                { inputs, _, g in (-g).summed(like: inputs[1]) },
            ])
    }

    /// Element by element; shapes as for `+`. Dropout is a product with a constant mask of 0 and 1 / (1 − p).
    public static func * (a: Variable, b: Variable) -> Variable {
        Variable(
            a.value.combined(.multiply, with: b.value), inputs: [a, b],
            rules: [
                { inputs, _, g in (g * inputs[1]).summed(like: inputs[0]) },
                { inputs, _, g in (g * inputs[0]).summed(like: inputs[1]) },
            ])
    }

    /// Element by element; shapes as for `+`.
    public static func / (a: Variable, b: Variable) -> Variable {
        Variable(
            a.value.combined(.divide, with: b.value), inputs: [a, b],
            rules: [
                { inputs, _, g in (g / inputs[1]).summed(like: inputs[0]) },
                { inputs, output, g in (-(g * output / inputs[1])).summed(like: inputs[1]) },
            ])
    }

    /// The negative of every element.
    public static prefix func - (a: Variable) -> Variable { -1 * a }

    /// A number times every element.
    public static func * (factor: Float, a: Variable) -> Variable {
        Variable(a.value.scaled(by: factor), inputs: [a], rules: [{ _, _, g in factor * g }])
    }

    /// A number added to every element.
    public static func + (a: Variable, number: Float) -> Variable { a + Variable.constant(number) }

    /// A number taken from every element.
    public static func - (a: Variable, number: Float) -> Variable { a + Variable.constant(-number) }

    /// Every element taken from a number.
    public static func - (number: Float, a: Variable) -> Variable { Variable.constant(number) - a }

    /// Every element divided by a number.
    public static func / (a: Variable, number: Float) -> Variable { a / Variable.constant(number) }

    /// A number divided by every element.
    public static func / (number: Float, a: Variable) -> Variable { Variable.constant(number) / a }

    /// Sums the sides that are 1 in the target shape; see `Matrix.summed(toRows:columns:)`.
    public func summed(toRows rows: Int, columns: Int) -> Variable {
        if rows == self.rows && columns == self.columns { return self }
        return Variable(
            value.summed(toRows: rows, columns: columns), inputs: [self],
            rules: [{ inputs, _, g in g.repeated(toRows: inputs[0].rows, columns: inputs[0].columns) }])
    }

    /// Repeats sides of length 1 to the target shape; see `Matrix.repeated(toRows:columns:)`.
    public func repeated(toRows rows: Int, columns: Int) -> Variable {
        if rows == self.rows && columns == self.columns { return self }
        return Variable(
            value.repeated(toRows: rows, columns: columns), inputs: [self],
            rules: [{ inputs, _, g in g.summed(like: inputs[0]) }])
    }

    private func summed(like other: Variable) -> Variable { summed(toRows: other.rows, columns: other.columns) }

    /// The sum of all elements, `[1, 1]`.
    public func sum() -> Variable { summed(toRows: 1, columns: 1) }

    /// The sum of the rows, `[1, columns]`.
    public func sumOverRows() -> Variable { summed(toRows: 1, columns: columns) }

    /// The sum of each row, `[rows, 1]`.
    public func sumOverColumns() -> Variable { summed(toRows: rows, columns: 1) }

    /// The mean of all elements, `[1, 1]`; there must be one.
    public func mean() -> Variable { (1 / Float(value.count)) * sum() }

    /// The mean of the rows, `[1, columns]`; there must be one.
    public func meanOverRows() -> Variable { (1 / Float(rows)) * sumOverRows() }

    /// The mean of each row, `[rows, 1]`; there must be a column.
    public func meanOverColumns() -> Variable { (1 / Float(columns)) * sumOverColumns() }
}
