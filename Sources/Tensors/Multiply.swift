import CKernels
import COpenBLAS

/// The numbers that a matrix product multiplies. Sums are always float32.
public enum ProductPrecision: Sendable, Hashable, CaseIterable {
    /// Float32 throughout.
    case float32
    /// Both operands are rounded to bfloat16 first: 8 significant bits, to nearest, ties to even; subnormal numbers become zero.
    /// |error| ≤ (2⁻⁷ + 2⁻¹⁶) · Σ |a|·|b| beyond that of float32. Products run in float32 where the processor has no bfloat16
    /// instructions (see `Kernels.hasBFloat16`) and where fewer than 4 rows, 8 columns or 8 inner elements leave nothing to gain.
    case bfloat16
}

/// `c = alpha · op(a) · op(b) + beta · c`, where `op` transposes if asked.
///
/// - Parameters:
///   - a: `[m, k]`, or `[k, m]` with `transposeA`.
///   - b: `[k, n]`, or `[n, k]` with `transposeB`.
///   - c: `[m, n]`; with `beta` 0 its old content does not matter, not even NaN.
///   - threads: parts into which the larger side of `c` is split; small products are not split.
///   - precision: what the products are computed in.
/// - Complexity: `2·m·n·k` operations.
public func multiply(
    _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false, into c: inout Matrix,
    alpha: Float = 1, beta: Float = 0, threads: Int = Threads.current, precision: ProductPrecision = .float32
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
                    stride: b.columns, transposed: transposeB, beta: beta, into: c_, stride: n, threads: threads,
                    precision: precision)
            }
        }
    }
}

/// `op(a) · op(b)` as a new matrix; shapes as in `multiply(_:_:transposeA:transposeB:into:alpha:beta:threads:precision:)`.
public func product(
    _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false, threads: Int = Threads.current,
    precision: ProductPrecision = .float32
) -> Matrix {
    var c = Matrix(
        rows: transposeA ? a.columns : a.rows, columns: transposeB ? b.rows : b.columns, filledBy: { _ in })
    multiply(a, b, transposeA: transposeA, transposeB: transposeB, into: &c, threads: threads, precision: precision)
    return c
}

extension Kernels {
    /// The product on bare memory, for parts of matrices: `c[i, j] = alpha · Σ op(a)[i, l] · op(b)[l, j] + beta · c[i, j]`.
    ///
    /// On processors with AVX-512 loops of our own run wherever they are faster than OpenBLAS; elsewhere OpenBLAS runs. Infinities
    /// and NaN in an operand reach every sum that they are part of.
    ///
    /// - Parameters:
    ///   - m: rows of `c`.
    ///   - n: columns of `c`.
    ///   - k: length of the inner sums.
    ///   - strideA: elements between rows of `a` as stored, at least its stored row length; likewise for `b` and `c`.
    ///   - beta: with 0 the old content of `c` does not matter, not even NaN.
    ///   - precision: what the products are computed in.
    public static func multiply(
        rows m: Int, columns n: Int, inner k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, stride strideA: Int, transposed transposeA: Bool = false,
        _ b: UnsafePointer<Float>, stride strideB: Int, transposed transposeB: Bool = false,
        beta: Float = 0, into c: UnsafeMutablePointer<Float>, stride strideC: Int, threads: Int = Threads.current,
        precision: ProductPrecision = .float32
    ) {
        guard m > 0, n > 0 else { return }
        // The libraries want a stride of at least 1 even where they do not read, and may leave c alone where k is 0.
        guard k > 0 else {
            for i in 0..<m {
                for j in 0..<n { c[i * strideC + j] = beta == 0 ? 0 : beta * c[i * strideC + j] }
            }
            return
        }
        // Asked of the whole product, so that the number of threads does not change what computes it.
        let engine = ProductEngine.fastest(rows: m, columns: n, inner: k, transposeB: transposeB, precision: precision)
        let slots = m * n * k < smallestSplitProduct ? 1 : threads
        // Whole groups of 16 rows or columns, so that no part ends inside a tile of the BLAS kernel.
        if m >= n {
            parallelFor(count: (m + 15) / 16, threads: slots) { groups, _ in
                let from = groups.lowerBound * 16, to = min(m, groups.upperBound * 16)
                engine.multiply(
                    rows: to - from, columns: n, inner: k, alpha: alpha, a + (transposeA ? from : from * strideA), stride: strideA,
                    transposed: transposeA, b, stride: strideB, transposed: transposeB, beta: beta, into: c + from * strideC,
                    stride: strideC)
            }
        } else {
            parallelFor(count: (n + 15) / 16, threads: slots) { groups, _ in
                let from = groups.lowerBound * 16, to = min(n, groups.upperBound * 16)
                engine.multiply(
                    rows: m, columns: to - from, inner: k, alpha: alpha, a, stride: strideA, transposed: transposeA,
                    b + (transposeB ? from * strideB : from), stride: strideB, transposed: transposeB, beta: beta, into: c + from,
                    stride: strideC)
            }
        }
    }

    /// Multiply-adds below which a product stays on one thread: about 100 microseconds of work, twice what waking a thread costs.
    static let smallestSplitProduct = 1 << 23
}

/// What computes a product on one thread.
public enum ProductEngine: Sendable, Hashable, CaseIterable {
    /// OpenBLAS, in float32; everywhere.
    case openBLAS
    /// Our own loops in float32, on processors with AVX-512.
    case float32
    /// Our own loops on operands rounded to bfloat16, on processors with AVX-512 and its bfloat16 instructions.
    case bfloat16

    /// Whether the processor has what this engine needs.
    public var isAvailable: Bool {
        switch self {
        case .openBLAS: true
        case .float32: fk_product_supported(0) != 0
        case .bfloat16: fk_product_supported(1) != 0
        }
    }

    /// The engine that `Kernels.multiply` takes for a product of `[rows, inner]` and `[inner, columns]`.
    public static func fastest(
        rows: Int, columns: Int, inner: Int, transposeB: Bool, precision: ProductPrecision
    ) -> ProductEngine {
        if precision == .bfloat16 && fk_product_is_faster(1, rows, columns, inner, transposeB ? 1 : 0) != 0 { return .bfloat16 }
        return fk_product_is_faster(0, rows, columns, inner, transposeB ? 1 : 0) != 0 ? .float32 : .openBLAS
    }

    /// The product of `Kernels.multiply` by this engine, which must be available, on the calling thread. `k` > 0.
    public func multiply(
        rows m: Int, columns n: Int, inner k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, stride strideA: Int, transposed transposeA: Bool,
        _ b: UnsafePointer<Float>, stride strideB: Int, transposed transposeB: Bool,
        beta: Float = 0, into c: UnsafeMutablePointer<Float>, stride strideC: Int
    ) {
        if self != .openBLAS {
            let done = fk_product(
                self == .bfloat16 ? 1 : 0, m, n, k, alpha, a, strideA, transposeA ? 1 : 0, b, strideB, transposeB ? 1 : 0, beta, c,
                strideC)
            if done != 0 { return }
        }
        let limit = Int(Int32.max)
        precondition(
            m <= limit && n <= limit && k <= limit && strideA <= limit && strideB <= limit && strideC <= limit,
            "a product of [\(m), \(k)] and [\(k), \(n)] is too large: a side has at most \(limit) elements")
        _ = Threads.prepared
        cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans, blasint(m), blasint(n),
            blasint(k), alpha, a, blasint(strideA), b, blasint(strideB), beta, c, blasint(strideC))
    }
}
