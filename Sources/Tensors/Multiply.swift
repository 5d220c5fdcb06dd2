import COpenBLAS

/// `c = alpha · op(a) · op(b) + beta · c`, where `op` transposes if asked.
///
/// - Parameters:
///   - a: `[m, k]`, or `[k, m]` with `transposeA`.
///   - b: `[k, n]`, or `[n, k]` with `transposeB`.
///   - c: `[m, n]`; with `beta` 0 its old content does not matter, not even NaN.
///   - threads: parts into which the larger side of `c` is split; small products are not split.
/// - Complexity: `2·m·n·k` operations.
public func multiply(
    _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false, into c: inout Matrix,
    alpha: Float = 1, beta: Float = 0, threads: Int = Threads.current
) {
    let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let (innerB, n) = transposeB ? (b.columns, b.rows) : (b.rows, b.columns)
    precondition(
        k == innerB && c.rows == m && c.columns == n,
        "product of \(a.shape)\(transposeA ? "ᵀ" : "") and \(b.shape)\(transposeB ? "ᵀ" : "") into \(c.shape)")
    a.withUnsafePointer { a_ in
        b.withUnsafePointer { b_ in
            c.withUnsafeMutablePointer { c_ in
                Kernels.multiply(
                    rows: m, columns: n, inner: k, alpha: alpha, a_, stride: a.columns, transposed: transposeA, b_,
                    stride: b.columns, transposed: transposeB, beta: beta, into: c_, stride: n, threads: threads)
            }
        }
    }
}

/// `op(a) · op(b)` as a new matrix; shapes as in `multiply(_:_:transposeA:transposeB:into:alpha:beta:threads:)`.
public func product(
    _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false, threads: Int = Threads.current
) -> Matrix {
    var c = Matrix(
        rows: transposeA ? a.columns : a.rows, columns: transposeB ? b.rows : b.columns, filledBy: { _ in })
    multiply(a, b, transposeA: transposeA, transposeB: transposeB, into: &c, threads: threads)
    return c
}

extension Kernels {
    /// The product on bare memory, for parts of matrices: `c[i, j] = alpha · Σ op(a)[i, l] · op(b)[l, j] + beta · c[i, j]`.
    ///
    /// - Parameters:
    ///   - m: rows of `c`.
    ///   - n: columns of `c`.
    ///   - k: length of the inner sums.
    ///   - strideA: elements between rows of `a` as stored, at least its stored row length; likewise for `b` and `c`.
    public static func multiply(
        rows m: Int, columns n: Int, inner k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, stride strideA: Int, transposed transposeA: Bool = false,
        _ b: UnsafePointer<Float>, stride strideB: Int, transposed transposeB: Bool = false,
        beta: Float = 0, into c: UnsafeMutablePointer<Float>, stride strideC: Int, threads: Int = Threads.current
    ) {
        guard m > 0, n > 0 else { return }
        _ = Threads.prepared
        let limit = Int(Int32.max)
        precondition(
            m <= limit && n <= limit && k <= limit && strideA <= limit && strideB <= limit && strideC <= limit,
            "a product of [\(m), \(k)] and [\(k), \(n)] is too large: a side has at most \(limit) elements")
        // cblas wants a stride of at least 1 even where it does not read, and may leave c alone where k is 0.
        guard k > 0 else {
            for i in 0..<m {
                for j in 0..<n { c[i * strideC + j] = beta == 0 ? 0 : beta * c[i * strideC + j] }
            }
            return
        }
        let slots = m * n * k < smallestSplitProduct ? 1 : threads
        let ta = transposeA ? CblasTrans : CblasNoTrans
        let tb = transposeB ? CblasTrans : CblasNoTrans
        // Whole groups of 16 rows or columns, so that no part ends inside a tile of the BLAS kernel.
        if m >= n {
            parallelFor(count: (m + 15) / 16, threads: slots) { groups, _ in
                let from = groups.lowerBound * 16, to = min(m, groups.upperBound * 16)
                cblas_sgemm(
                    CblasRowMajor, ta, tb, blasint(to - from), blasint(n), blasint(k), alpha,
                    a + (transposeA ? from : from * strideA), blasint(strideA), b, blasint(strideB), beta,
                    c + from * strideC, blasint(strideC))
            }
        } else {
            parallelFor(count: (n + 15) / 16, threads: slots) { groups, _ in
                let from = groups.lowerBound * 16, to = min(n, groups.upperBound * 16)
                cblas_sgemm(
                    CblasRowMajor, ta, tb, blasint(m), blasint(to - from), blasint(k), alpha, a, blasint(strideA),
                    b + (transposeB ? from * strideB : from), blasint(strideB), beta, c + from, blasint(strideC))
            }
        }
    }

    /// Multiply-adds below which a product stays on one thread: about 100 microseconds of work, twice what waking a thread costs.
    static let smallestSplitProduct = 1 << 23
}
