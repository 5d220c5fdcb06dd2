import CKernels

/// A sparse matrix of `[rows, columns]` in compressed rows: what bags of words or of tags are to a table of embeddings.
///
/// Row r holds the entries `offsets[r]..<offsets[r + 1]`; entry e is `weights[e]` in column `indices[e]`. A column may appear
/// more than once in a row; then its weights add.
public struct SparseRows: Sendable, Equatable {
    /// Number of columns: rows of the table that `times` multiplies.
    public let columns: Int
    /// `rows + 1` entry numbers, from 0, never falling.
    public let offsets: [Int32]
    /// The column of each entry, in `0..<columns`.
    public let indices: [Int32]
    /// The weight of each entry.
    public let weights: [Float]

    /// Number of rows.
    public var rows: Int { offsets.count - 1 }

    /// A matrix from its parts; `weights` nil means that every row is the mean of its entries: 1 / length each.
    public init(columns: Int, offsets: [Int32], indices: [Int32], weights: [Float]? = nil) {
        precondition(
            offsets.first == 0 && offsets.last == Int32(indices.count) && zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 },
            "offsets of sparse rows rise from 0 to the number of indices, \(indices.count)")
        precondition(
            indices.allSatisfy { $0 >= 0 && $0 < columns }, "an index of sparse rows lies outside of its \(columns) columns")
        precondition(
            weights == nil || weights?.count == indices.count,
            "\(weights?.count ?? 0) weights for \(indices.count) entries of sparse rows")
        self.columns = columns
        self.offsets = offsets
        self.indices = indices
        self.weights = weights ?? SparseRows.meanWeights(offsets: offsets, count: indices.count)
    }

    /// Bags given one by one, each the mean of its members; an empty bag is a row of zeros.
    public init(columns: Int, bags: [[Int32]]) {
        var offsets: [Int32] = [0]
        for bag in bags { offsets.append(offsets[offsets.count - 1] + Int32(bag.count)) }
        self.init(columns: columns, offsets: offsets, indices: Array(bags.joined()))
    }

    private static func meanWeights(offsets: [Int32], count: Int) -> [Float] {
        var weights = [Float](repeating: 0, count: count)
        for (from, to) in zip(offsets, offsets.dropFirst()) {
            for entry in Int(from)..<Int(to) { weights[entry] = 1 / Float(to - from) }
        }
        return weights
    }

    /// This matrix times a dense one, `[rows, table.columns]`: the embedding bag. `table` is `[columns, d]`.
    public func times(_ table: Matrix, threads: Int = Threads.current) -> Matrix {
        precondition(table.rows == columns, "sparse [\(rows), \(columns)] times \(table.shape)")
        let d = table.columns
        return Matrix(rows: rows, columns: d) { target in
            target.update(repeating: 0)
            guard let to = target.baseAddress else { return }
            table.withUnsafePointer { from in
                parallelFor(count: rows, threads: threads, minimumChunk: 256) { range, _ in
                    for r in range {
                        for entry in Int(offsets[r])..<Int(offsets[r + 1]) {
                            fk_axpy(weights[entry], from + Int(indices[entry]) * d, to + r * d, d)
                        }
                    }
                }
            }
        }
    }

    /// The transpose of this matrix times a dense one, `[columns, x.columns]`: the gradient of `times`. `x` is `[rows, d]`.
    public func transposedTimes(_ x: Matrix) -> Matrix {
        precondition(x.rows == rows, "the transpose of sparse [\(rows), \(columns)] times \(x.shape)")
        let d = x.columns
        return Matrix(rows: columns, columns: d) { target in
            target.update(repeating: 0)
            guard let to = target.baseAddress else { return }
            x.withUnsafePointer { from in
                for r in 0..<rows {
                    for entry in Int(offsets[r])..<Int(offsets[r + 1]) {
                        fk_axpy(weights[entry], from + r * d, to + Int(indices[entry]) * d, d)
                    }
                }
            }
        }
    }
}
