/// Where scores of one kind lie on the scale of another: a line through the quantiles of items that have both.
///
/// It keeps order, and outside of what the items reach it goes on with the slope 1.
package struct QuantileMap {
    /// Both ascending and of one length.
    private let from, to: [Float]

    /// Pairs nothing but the places of the two: the smallest with the smallest, and so on. NaN is left out.
    package init(from: some Sequence<Float>, to: some Sequence<Float>) {
        let from = from.filter { !$0.isNaN }.sorted(), to = to.filter { !$0.isNaN }.sorted(), count = min(from.count, to.count)
        self.from = Array(from.prefix(count))
        self.to = Array(to.prefix(count))
    }

    /// The score on the other scale; the same number where there were no items.
    ///
    /// - Complexity: O(log items)
    package func callAsFunction(_ score: Float) -> Float {
        guard let first = from.first, let last = from.last else { return score }
        if score <= first { return to[0] + (score - first) }
        if score >= last { return to[to.count - 1] + (score - last) }
        var low = 0, high = from.count - 1
        // from[low] < score <= from[high]
        while high - low > 1 {
            let middle = (low + high) / 2
            if from[middle] < score { low = middle } else { high = middle }
        }
        let width = from[high] - from[low]
        return width > 0 ? to[low] + (to[high] - to[low]) * ((score - from[low]) / width) : to[high]
    }
}
