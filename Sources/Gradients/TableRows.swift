import Tensors

/// The rows of an embedding table that a graph uses, as one parameter: its gradient has a row for each of them instead of one for each
/// row of the table.
///
/// Gather what a batch needs, build the graph on `rows` through `gathering` and `embeddingBag`, differentiate by `rows`, and hand the
/// gradient to `SparseRowGradient`. Derivatives of every order work, because `rows` is an ordinary parameter.
public struct TableRows {
    /// The rows of the table that are used, each once, ascending.
    public let indices: [Int32]
    /// Their values, `[indices.count, columns]`: the parameter to differentiate by.
    public let rows: Variable
    /// Rows of the whole table.
    public let tableRows: Int

    /// The rows of `table` that `used` names, in any order and any number of times.
    public init(of table: Matrix, used: [Int32]) {
        indices = Array(Set(used)).sorted()
        rows = Variable(table.gatheringRows(indices))
        tableRows = table.rows
    }

    /// The rows of `table` that these bags use.
    public init(of table: Matrix, bags: SparseRows) {
        precondition(bags.columns == table.rows, "bags over \(bags.columns) rows and a table of \(table.shape)")
        self.init(of: table, used: bags.indices)
    }

    /// The table's rows named by `indices`, `[indices.count, columns]`; all must be among those in use.
    public func gathering(_ indices: [Int32]) -> Variable { rows.gatheringRows(indices.map(place)) }

    /// `bags · table`, each row a weighted sum of the table's rows that its bag names; all must be among those in use.
    public func embeddingBag(_ bags: SparseRows) -> Variable {
        precondition(bags.columns == tableRows, "bags over \(bags.columns) rows and a table of \(tableRows)")
        return .embeddingBag(
            SparseRows(columns: indices.count, offsets: bags.offsets, indices: bags.indices.map(place), weights: bags.weights), rows)
    }

    /// The gradient of the table, from that of `rows`.
    public func gradient(_ rowsGradient: Matrix) -> SparseRowGradient {
        SparseRowGradient(indices: indices, values: rowsGradient, tableRows: tableRows)
    }

    private func place(_ index: Int32) -> Int32 {
        var (low, high) = (0, indices.count)
        while low < high {
            let middle = (low + high) / 2
            if indices[middle] < index { low = middle + 1 } else { high = middle }
        }
        precondition(low < indices.count && indices[low] == index, "row \(index) of the table is not among the \(indices.count) in use")
        return Int32(low)
    }
}

/// The gradient of a table of which most rows take none: the rows that do.
public struct SparseRowGradient: Sendable, Equatable {
    /// Rows of the table, ascending, each once.
    public let indices: [Int32]
    /// Their gradients, `[indices.count, columns]`.
    public let values: Matrix
    /// Rows of the whole table.
    public let tableRows: Int

    /// A gradient from its parts.
    public init(indices: [Int32], values: Matrix, tableRows: Int) {
        precondition(values.rows == indices.count, "\(indices.count) rows of a table with gradients of \(values.shape)")
        precondition(
            zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 } && indices.allSatisfy { $0 >= 0 && $0 < tableRows },
            "rows of a sparse gradient rise and lie within the table's \(tableRows)")
        self.indices = indices
        self.values = values
        self.tableRows = tableRows
    }

    /// The whole gradient, `[tableRows, columns]`: zeros but for the rows in use.
    public var dense: Matrix {
        var result = Matrix(rows: tableRows, columns: values.columns)
        add(to: &result)
        return result
    }

    /// `table += alpha · gradient`, only where there is one: a step of gradient descent with a negative `alpha`.
    public func add(to table: inout Matrix, scaledBy alpha: Float = 1) {
        precondition(table.rows == tableRows, "a gradient of \(tableRows) rows added to \(table.shape)")
        table.scatterAddRows(indices, from: values, scaledBy: alpha)
    }
}
