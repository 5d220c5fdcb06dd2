/// Rows drawn in proportion to their weights: appending is O(1), drawing O(log rows).
struct WeightedRows: Sendable {
    private(set) var rows: [Int] = []
    private var cumulative: [Double] = []

    var isEmpty: Bool { rows.isEmpty }

    mutating func append(_ row: Int, weight: Double) {
        rows.append(row)
        cumulative.append((cumulative.last ?? 0) + weight)
    }

    func draw(_ random: inout SplitMix64) -> Int? {
        guard let total = cumulative.last else { return nil }
        let wanted = random.unit() * total
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] <= wanted { low = middle + 1 } else { high = middle }
        }
        return rows[low]
    }
}
