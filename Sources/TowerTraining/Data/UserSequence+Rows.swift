import TowerModel

extension UserSequence {
    /// The history that rows of interactions make: the newest `limit` of them, oldest first.
    ///
    /// - Parameters:
    ///   - rows: one user's, of the three columns.
    ///   - items: by row the item's row of `vectors`.
    ///   - vectors: `[items, dimension]`, row-major.
    public init(
        _ rows: Range<Int>, items: Column<Int32>, types: Column<UInt8>, times: Column<Int64>, vectors: UnsafeBufferPointer<Float>,
        dimension: Int, limit: Int
    ) {
        self.init(dimension: dimension, limit: limit)
        for row in rows.suffix(limit) {
            let start = Int(items[row]) * dimension
            append(vector: UnsafeBufferPointer(rebasing: vectors[start..<start + dimension]), type: types[row], time: times[row])
        }
    }
}
