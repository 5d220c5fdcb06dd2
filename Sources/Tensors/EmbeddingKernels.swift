import CKernels

// Loops over rows of embedding tables and of vectors made of them. Way forward and way back stand side by side.

extension Kernels {
    /// Asks the memory for `bytes` that will be read soon. A hint: any address will do.
    @inlinable public static func prefetch(_ start: UnsafeRawPointer, bytes: Int) { fk_prefetch(start, bytes) }

    /// Row i of `out` = row `indices[i]` of `table`. Indices are trusted.
    public static func gatherRows(
        _ table: UnsafePointer<Float>, stride strideTable: Int, indices: UnsafePointer<Int32>, rows: Int, columns: Int,
        into out: UnsafeMutablePointer<Float>, stride strideOut: Int
    ) { fk_gather_rows(table, strideTable, indices, rows, columns, out, strideOut) }

    /// Brings rows to one length, in place: `x = scale · x / max(|x|, epsilon)`; a row is its first `columns` numbers.
    ///
    /// - Parameter inverses: `[rows]`, written: 1 / max(|x|, epsilon), for the way back.
    public static func unitRows(
        rows: Int, columns: Int, _ x: UnsafeMutablePointer<Float>, stride: Int, epsilon: Float, scale: Float = 1,
        inverses: UnsafeMutablePointer<Float>
    ) { fk_unit_rows(rows, columns, x, stride, epsilon, scale, inverses) }

    /// The way back through `unitRows`: `gradient` holds the gradient of the result and becomes that of what it was made of.
    ///
    /// - Parameters:
    ///   - x, inverses, scale: the result of the way forward, and what it was made with.
    ///   - along: added to: Σ gradient · x over all rows, which is the gradient of ln scale; nil where not wanted.
    public static func unitRowsBackward(
        rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride strideX: Int, inverses: UnsafePointer<Float>, scale: Float = 1,
        gradient: UnsafeMutablePointer<Float>, stride strideGradient: Int, along: UnsafeMutablePointer<Float>? = nil
    ) { fk_unit_rows_slope(rows, columns, x, strideX, inverses, scale, gradient, strideGradient, along) }

    /// Row-wise Adagrad (``adagradRow(_:accumulator:gradient:count:learningRate:epsilon:)``) on the rows `indices` of a table, which are
    /// distinct and trusted.
    ///
    /// - Parameters:
    ///   - accumulators: one for each row of the table.
    ///   - used: by place; rows where it is false stay as they are; nil for none.
    ///   - gradients: row i is that of row `indices[i]`; multiplied with `gradientScale` first, and left so.
    public static func adagradRows(
        _ table: UnsafeMutablePointer<Float>, stride strideTable: Int, accumulators: UnsafeMutablePointer<Float>,
        indices: UnsafePointer<Int32>, used: UnsafePointer<Bool>?, rows: Int, columns: Int, gradients: UnsafeMutablePointer<Float>,
        stride strideGradients: Int, gradientScale: Float = 1, learningRate: Float, epsilon: Float = 1e-8
    ) {
        fk_adagrad_rows(
            table, strideTable, accumulators, indices, used, rows, columns, gradients, strideGradients, gradientScale, learningRate,
            epsilon)
    }

    /// Adds a weighted sum of rows to `out`: Σ over entries e of `weights[e]` · row `rows[e]` of `vectors`, in order, leaving out weights
    /// that are not above `least`. Rows are trusted.
    public static func poolRows(
        _ vectors: UnsafePointer<Float>, stride: Int, rows: UnsafePointer<Int32>, count: Int, weights: UnsafePointer<Float>,
        above least: Float, columns: Int, into out: UnsafeMutablePointer<Float>
    ) { fk_pool_rows(vectors, stride, rows, count, weights, least, columns, out) }

    /// The way back through several `poolRows` over the same entries.
    ///
    /// - Parameters:
    ///   - weights: `[pools, count]`; outer: the gradients of the sums, `[pools, columns]`.
    ///   - slopes: `[pools, count]`, overwritten: the gradients of the weights, 0 where a weight was left out.
    ///   - gradient: of `vectors`, with the same stride, added to.
    public static func poolRowsBackward(
        _ vectors: UnsafePointer<Float>, stride: Int, rows: UnsafePointer<Int32>, count: Int, pools: Int, weights: UnsafePointer<Float>,
        above least: Float, columns: Int, outer: UnsafePointer<Float>, slopes: UnsafeMutablePointer<Float>,
        into gradient: UnsafeMutablePointer<Float>
    ) { fk_pool_rows_slope(vectors, stride, rows, count, pools, weights, least, columns, outer, slopes, gradient) }
}
