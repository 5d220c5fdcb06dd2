import COpenBLAS

extension Matrix {
    /// The inverse of a symmetric positive definite matrix `[n, n]`, by its Cholesky factor; nil where it is not positive definite.
    ///
    /// Only the elements on and right of the diagonal are read. One thread. The result is symmetric to the last bit.
    /// - Complexity: `n³` operations; the memory of one more matrix of the shape.
    public func inverseOfSymmetric() -> Matrix? {
        precondition(rows == columns && rows <= Int(Int32.max), "only a square matrix has an inverse, not one of shape \(shape)")
        guard rows > 0 else { return self }
        _ = Threads.prepared
        var inverse = self
        let count = rows
        let isPositiveDefinite = inverse.withUnsafeMutablePointer { elements -> Bool in
            // LAPACK counts by columns: what lies right of our diagonal is its lower part.
            var lower = CChar(UInt8(ascii: "L")), size = Int32(count), info: Int32 = 0
            spotrf_(&lower, &size, elements, &size, &info, 1)
            guard info == 0 else { return false }
            spotri_(&lower, &size, elements, &size, &info, 1)
            guard info == 0 else { return false }
            for row in 0..<count {
                for column in row + 1..<max(row + 1, count) { elements[column * count + row] = elements[row * count + column] }
            }
            return true
        }
        return isPositiveDefinite ? inverse : nil
    }
}
