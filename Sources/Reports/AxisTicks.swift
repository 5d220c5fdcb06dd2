/// Round numbers along an axis.
struct AxisTicks {
    /// Ascending; the first is at or below the smallest value, the last at or above the largest.
    let values: [Double]
    /// Decimals that tell neighbours apart.
    let decimals: Int

    /// About `count` steps of 1, 2 or 5 times a power of ten that cover the range.
    init(covering range: ClosedRange<Double>, count: Int = 5) {
        let low = range.lowerBound, high = max(range.upperBound, range.lowerBound + max(abs(range.lowerBound), 1) * 1e-6)
        let rough = (high - low) / Double(max(1, count))
        var power = 1.0, decimals = 0
        while power > rough, decimals < 12 {
            power /= 10
            decimals += 1
        }
        while power * 10 <= rough { power *= 10 }
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power * 10
        let first = (low / step).rounded(.down), last = (high / step).rounded(.up)
        values = stride(from: first, through: max(last, first + 1), by: 1).map { $0 * step }
        self.decimals = step >= power * 10 ? max(0, decimals - 1) : decimals
    }

    var range: ClosedRange<Double> { (values.first ?? 0)...(values.last ?? 1) }
}
