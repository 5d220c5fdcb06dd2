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

/// Loops for tiles that stay in the first two caches, and for embedding rows. Widths are multiples of 16.
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

    /// `out` `[count, d]` = the named rows of `table` `[_, d]`; zeros where a row is below 0.
    @inlinable public static func gatherRows(
        _ table: UnsafePointer<Float>, dimension d: Int, rows: UnsafePointer<Int32>, count: Int,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) { fk_gather_visible_rows(table, d, rows, count, out, stride) }

    /// `out` `[count, d]` = for each window `starts[i]..<ends[i]` of `sequence`, the mean of the rows of `table` that it names; zeros
    /// where it is empty.
    @inlinable public static func meansOfWindows(
        _ table: UnsafePointer<Float>, dimension d: Int, sequence: UnsafePointer<Int32>, starts: UnsafePointer<Int32>,
        ends: UnsafePointer<Int32>, count: Int, into out: UnsafeMutablePointer<Float>, stride: Int
    ) { fk_means_of_windows(table, d, sequence, starts, ends, count, out, stride) }

    /// `out` `[n]` += the sum of the rows of `x` `[m, n]`.
    @inlinable public static func addRows(
        rows m: Int, columns n: Int, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>
    ) { fk_add_rows(m, n, x, out) }

    /// Scales the rows of `x` `[m, d]` to length 1 and keeps 1 / length of each; `scaled` = `scale` · x.
    @inlinable public static func normaliseRows(
        rows m: Int, dimension d: Int, _ x: UnsafeMutablePointer<Float>, inverse: UnsafeMutablePointer<Float>, scale: Float,
        scaled: UnsafeMutablePointer<Float>
    ) { fk_normalise_rows(m, d, x, inverse, scale, scaled) }

    /// The way back through ``normaliseRows(rows:dimension:_:inverse:scale:scaled:)``, in place.
    @inlinable public static func normaliseRowsSlope(
        rows m: Int, dimension d: Int, _ x: UnsafePointer<Float>, inverse: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) { fk_normalise_rows_slope(m, d, x, inverse, gradient) }

    /// The softmax of a tile of users against candidates and its slope; see `RowProducts.h` for the shapes.
    ///
    /// - Returns: the loss: Σ share · ln(Σ exponentials / the target's).
    @inlinable public static func softmaxRowsSlope(
        rows m: Int, dimension d: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        targetShares: UnsafePointer<Float>, shares: UnsafePointer<Float>, slope: Float, sums: UnsafePointer<Float>,
        gradient: UnsafeMutablePointer<Float>, weighted: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        fk_softmax_rows_slope(m, d, users, items, targets, targetShares, shares, slope, sums, gradient, weighted, itemGradient)
    }

    /// Row-wise Adagrad on rows that several gradients meet: row `rows[i]` gets the sum of `gradients[places[p]]` for p in
    /// `starts[i]..<starts[i + 1]`. `d` is at most 512.
    @inlinable public static func adagradRows(
        _ table: UnsafeMutablePointer<Float>, accumulators: UnsafeMutablePointer<Float>, dimension d: Int, count: Int,
        rows: UnsafePointer<Int32>, starts: UnsafePointer<Int32>, places: UnsafePointer<Int32>, gradients: UnsafePointer<Float>,
        learningRate: Float
    ) { fk_adagrad_rows(table, accumulators, d, count, rows, starts, places, gradients, learningRate) }

    /// Asks for large pages under memory that is not yet touched; large tables are met row by row in no order. A hint.
    @inlinable public static func preferLargePages(_ start: UnsafeMutableRawPointer, bytes: Int) { fk_prefer_large_pages(start, bytes) }
}
