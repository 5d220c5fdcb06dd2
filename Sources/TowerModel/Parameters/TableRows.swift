/// Which rows of the tables a rank holds: of `size` ranks that share them, row r lies with rank r mod size, as its row r / size.
package struct RowShard: Sendable, Equatable {
    /// This rank, from 0, and how many share the tables.
    package let rank, size: Int

    /// All rows on one rank.
    package static let whole = RowShard(rank: 0, size: 1)

    /// The rows of one of so many ranks.
    package init(rank: Int, size: Int) { (self.rank, self.size) = (rank, size) }

    /// Whether all rows are here.
    package var isWhole: Bool { size == 1 }

    /// The rank that holds a row.
    @inlinable package func owner(of row: Int32) -> Int { Int(row) % size }

    /// Whether a row lies with this rank.
    @inlinable package func owns(_ row: Int32) -> Bool { owner(of: row) == rank }

    /// Where a row of this rank lies among them.
    @inlinable package func place(of row: Int) -> Int { row / size }

    /// This rank's rows of `rows`.
    package func count(of rows: Int) -> Int { (rows - rank + size - 1) / size }
}

/// The rows of a table that a step reads: in their order, or where `slots` says that they were put.
package struct TableRows {
    /// The first row; valid for as long as the table is.
    package let start: UnsafePointer<Float>
    /// Floats of a row.
    package let width: Int
    /// By row the place from ``start`` on, in rows; nil where rows lie in their order.
    package var slots: UnsafePointer<Int32>?

    /// Rows at an address, in their order or where `slots` says.
    package init(start: UnsafePointer<Float>, width: Int, slots: UnsafePointer<Int32>? = nil) {
        (self.start, self.width, self.slots) = (start, width, slots)
    }

    /// The floats of a row.
    @inlinable package subscript(row: Int32) -> UnsafePointer<Float> {
        start + (slots.map { Int($0[Int(row)]) } ?? Int(row)) * width
    }
}

extension TowerParameters {
    /// The rows of a table as a step reads them: all of them, or those that were fetched last.
    package func rows(_ table: TableParameter) -> TableRows {
        fetched?[table.rawValue] ?? TableRows(start: self.table(table).start, width: shape.dimension)
    }
}
