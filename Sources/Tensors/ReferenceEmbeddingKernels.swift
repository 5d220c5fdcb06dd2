// The plain forms of the loops over rows of tables: one row each, in Double.
extension ReferenceKernels {
    /// A row brought to the length `scale`, and 1 / max(|x|, epsilon).
    public static func unitRow(_ x: [Float], epsilon: Float, scale: Float) -> (row: [Float], inverse: Float) {
        let length = x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot(), inverse = 1 / Swift.max(length, Double(epsilon))
        return (x.map { Float(Double(scale) * inverse * Double($0)) }, Float(inverse))
    }

    /// From `outer`, the gradient of a row u = scale · x / |x|, that of x, and that of ln scale.
    public static func unitRowBackward(_ x: [Float], scale: Float, outer: [Float]) -> (gradient: [Float], along: Float) {
        let length = x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot(), s = Double(scale)
        let along = zip(outer, x).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / length
        return (zip(outer, x).map { Float(s / length * (Double($0) - along * Double($1) / length)) }, Float(s * along))
    }

    /// Σ weights[e] · rows[e] over entries whose weight is above `least`; `width` columns.
    public static func pool(_ rows: [[Float]], weights: [Float], above least: Float, width: Int) -> [Float] {
        var sum = [Double](repeating: 0, count: width)
        for (row, weight) in zip(rows, weights) where weight > least { for i in 0..<width { sum[i] += Double(weight) * Double(row[i]) } }
        return sum.map { Float($0) }
    }
}
