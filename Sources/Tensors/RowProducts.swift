import CKernels

/// What becomes of a product of ``Kernels/rowProduct(_:rows:columns:inner:_:strides:_:stride:into:stride:extra:extraStride:sums:)``
/// before it is stored.
public enum RowProductKind: Sendable {
    /// `out = a·b`
    case plain
    /// `out += a·b`
    case add
    /// `out = a·b + extra`, `extra` `[n]`
    case bias
    /// `out = max(0, a·b + extra)`
    case biasRelu
    /// `out = a·b` where `extra` `[m, n]` is above 0, else 0: the way back through `biasRelu`.
    case reluSlope
    /// `out = 2^(a·b + extra)`, `extra` `[n]`; the sums of rows, in 16 lanes, are added to `sums` `[m, 16]`. Exponents must lie
    /// in [−125, 125].
    case exponentials

    @usableFromInline var code: fk_product_kind {
        switch self {
        case .plain: FK_PRODUCT_PLAIN
        case .add: FK_PRODUCT_ADD
        case .bias: FK_PRODUCT_BIAS
        case .biasRelu: FK_PRODUCT_BIAS_RELU
        case .reluSlope: FK_PRODUCT_RELU_SLOPE
        case .exponentials: FK_PRODUCT_EXP2
        }
    }
}

/// Loops for tiles that stay in the first two caches. Widths are multiples of 16.
extension Kernels {
    /// A product on one thread whose right side is a block of rows. For tiles of up to about 128 inner steps it runs at the rate of the
    /// multiply-adds, since nothing is packed and what follows the product happens while the result is in registers.
    ///
    /// - Parameters:
    ///   - m: rows of `out`; n: columns, a multiple of 16; k: length of the inner sums.
    ///   - a: element (i, l) at `i · strides.row + l · strides.inner`: either may be 1, so a transpose costs nothing.
    ///   - b: `[k, n]` with `strideB` floats from row to row.
    ///   - extra, sums: as ``RowProductKind`` says.
    @inlinable public static func rowProduct(
        _ kind: RowProductKind, rows m: Int, columns n: Int, inner k: Int, _ a: UnsafePointer<Float>,
        strides: (row: Int, inner: Int), _ b: UnsafePointer<Float>, stride strideB: Int, into out: UnsafeMutablePointer<Float>,
        stride strideOut: Int, extra: UnsafePointer<Float>? = nil, extraStride: Int = 0, sums: UnsafeMutablePointer<Float>? = nil
    ) {
        fk_row_product(kind.code, m, n, k, a, strides.row, strides.inner, b, strideB, out, strideOut, extra, extraStride, sums)
    }

    /// `out[j, i] = x[i, j]` for `x` `[m, n]`.
    @inlinable public static func transpose(
        rows m: Int, columns n: Int, _ x: UnsafePointer<Float>, stride: Int, into out: UnsafeMutablePointer<Float>, stride strideOut: Int
    ) { fk_transpose(m, n, x, stride, out, strideOut) }

    /// Asks for large pages under memory that is not yet touched; large tables are met row by row in no order. A hint.
    @inlinable public static func preferLargePages(_ start: UnsafeMutableRawPointer, bytes: Int) { fk_prefer_large_pages(start, bytes) }
}
