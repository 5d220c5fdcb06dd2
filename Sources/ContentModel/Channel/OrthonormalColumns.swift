import Tensors

/// Makes columns of a tall matrix orthonormal, for orthogonal iteration.
enum OrthonormalColumns {
    /// Makes the columns of `[items, dimension]` orthonormal (modified Gram-Schmidt) and returns the lengths taken off, one a column; a
    /// column that the earlier ones explain becomes 0.
    ///
    /// - Complexity: O(items · dimension²)
    @discardableResult
    static func make(_ values: inout [Float], items: Int, dimension: Int) -> [Float] {
        var lengths = [Float](repeating: 0, count: dimension)
        var columns = [Float](repeating: 0, count: values.count)
        values.withUnsafeMutableBufferPointer { values in
            columns.withUnsafeMutableBufferPointer { columns in
                guard let rows = values.baseAddress, let columns = columns.baseAddress, items > 0 else { return }
                Kernels.transpose(rows: items, columns: dimension, rows, stride: dimension, into: columns, stride: items)
                for place in 0..<dimension {
                    let own = columns + place * items
                    let before = Kernels.dot(own, own, count: items).squareRoot()
                    for earlier in 0..<place {
                        let other = columns + earlier * items
                        Kernels.axpy(-Kernels.dot(own, other, count: items), other, into: own, count: items)
                    }
                    let length = Kernels.dot(own, own, count: items).squareRoot()
                    lengths[place] = length > 1e-5 * before ? length : 0
                    Kernels.scale(lengths[place] > 0 ? 1 / length : 0, own, into: own, count: items)
                }
                Kernels.transpose(rows: dimension, columns: items, columns, stride: items, into: rows, stride: dimension)
            }
        }
        return lengths
    }
}
