/// Which rows of the tables a rank holds: of `size` ranks that share them, row r lies with rank r mod size, as its row r / size.
struct RowShard: Sendable, Equatable {
    let rank, size: Int

    /// All rows on one rank.
    static let whole = RowShard(rank: 0, size: 1)

    var isWhole: Bool { size == 1 }

    /// The rank that holds a row.
    func owner(of row: Int32) -> Int { Int(row) % size }

    func owns(_ row: Int32) -> Bool { owner(of: row) == rank }

    /// Where a row of this rank lies among them.
    func place(of row: Int) -> Int { row / size }

    /// This rank's rows of `rows`.
    func count(of rows: Int) -> Int { (rows - rank + size - 1) / size }
}

/// The rows of a table that a step reads: in their order, or where `slots` says that they were put.
struct TableRows {
    let start: UnsafePointer<Float>
    /// Floats of a row.
    let width: Int
    /// By row the place from ``start`` on, in rows; nil where rows lie in their order.
    var slots: UnsafePointer<Int32>?

    subscript(row: Int32) -> UnsafePointer<Float> {
        start + (slots.map { Int($0[Int(row)]) } ?? Int(row)) * width
    }
}

extension TowerParameters {
    /// The rows of a table as a step reads them: all of them, or those that were fetched last.
    func rows(_ table: TableParameter) -> TableRows {
        working?.rows(table) ?? TableRows(start: self.table(table).start, width: shape.dimension)
    }
}
