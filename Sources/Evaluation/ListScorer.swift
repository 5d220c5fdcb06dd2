#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Scores one ranked list against what was relevant: every metric that ``RankingMetrics`` reports, as one row of numbers.
///
/// Ranks are those in the full ranking of all candidates. Binary gains: the ideal list holds min(k, relevant) hits.
public struct ListScorer: Sendable {
    /// The cut-offs k, ascending and distinct.
    public let cutoffs: [Int]
    /// Where each kind of number stands in a row of scores.
    let layout: Layout

    private let partition: ItemSlices?
    private let discounts: [Double]
    private let ideals: [Double]

    /// Slices in reports: those of ``ItemSlice``, and mid and tail together.
    static let sliceNames = ItemSlice.allCases.map(\.name) + [ItemSlice.beyondHead]

    /// Prepares the discounts of every rank.
    ///
    /// - Parameters:
    ///   - cutoffs: the k of the metrics; at least one, all ≥ 1.
    ///   - slices: popularity bands of the item rows; without it no slices are scored.
    public init(cutoffs: [Int] = [1, 10, 20, 100], slices: ItemSlices? = nil) {
        let ordered = Set(cutoffs).sorted()
        precondition(!ordered.isEmpty && ordered[0] >= 1, "cut-offs must be whole numbers from 1, got \(cutoffs)")
        self.cutoffs = ordered
        partition = slices
        layout = Layout(cutoffs: ordered.count, slices: slices == nil ? 0 : Self.sliceNames.count)
        discounts = (0..<ordered[ordered.count - 1]).map { 1 / log2(Double($0 + 2)) }
        var ideals = [0.0]
        for discount in discounts { ideals.append(ideals[ideals.count - 1] + discount) }
        self.ideals = ideals
    }

    /// Numbers of a row, by place: for each cut-off recall, hit, NDCG and gain NDCG, then the reciprocal rank, then for each slice
    /// and cut-off recall and NDCG.
    struct Layout: Sendable {
        let cutoffs, slices: Int
        var count: Int { 4 * cutoffs + 1 + 2 * cutoffs * slices }
        func recall(_ k: Int) -> Int { 4 * k }
        func hit(_ k: Int) -> Int { 4 * k + 1 }
        func ndcg(_ k: Int) -> Int { 4 * k + 2 }
        func gainNDCG(_ k: Int) -> Int { 4 * k + 3 }
        var reciprocal: Int { 4 * cutoffs }
        func recall(slice: Int, _ k: Int) -> Int { 4 * cutoffs + 1 + 2 * (slice * cutoffs + k) }
        func ndcg(slice: Int, _ k: Int) -> Int { recall(slice: slice, k) + 1 }
    }

    /// What one list was worth.
    struct Scores {
        /// In the order of the layout; not a number where the list was not asked for anything of the slice.
        var values: [Double]
        /// The first ten rows, each once.
        var shown: [Int32]
        /// Distinct relevant rows.
        var relevant: Int
    }

    /// Scores a list; nil where nothing is relevant.
    ///
    /// A list is cleaned before it counts: repeats are dropped and the rows after them move up.
    func score(ranked: [Int32], relevant: [Int32], gains: [Double]? = nil) -> Scores? {
        precondition(
            gains == nil || gains?.count == relevant.count,
            "one gain per relevant item: \(gains?.count ?? 0) gains, \(relevant.count) items")
        guard !relevant.isEmpty else { return nil }
        var truth: [Int32: Double] = [:]
        for (index, row) in relevant.enumerated() {
            truth[row] = gains.map { (truth[row] ?? 0) + max(0, $0[index]) } ?? 1
        }
        var result = Scores(values: [Double](repeating: 0, count: layout.count), shown: [], relevant: truth.count)
        var seen = Set<Int32>()
        var hits: [(rank: Int, row: Int32)] = []
        let largest = cutoffs[cutoffs.count - 1]
        var place = 0
        for row in ranked where seen.insert(row).inserted {
            if place < 10 { result.shown.append(row) }
            if place < largest, truth[row] != nil { hits.append((place, row)) }
            place += 1
            if place >= max(largest, 10) { break }
        }
        if let first = hits.first { result.values[layout.reciprocal] = 1 / Double(first.rank + 1) }
        let best = truth.values.sorted(by: >)
        for (index, k) in cutoffs.enumerated() {
            let inside = hits.prefix { $0.rank < k }
            var ideal = 0.0
            for (rank, gain) in best.prefix(k).enumerated() { ideal += gain * discounts[rank] }
            guard !inside.isEmpty else { continue }
            result.values[layout.recall(index)] = Double(inside.count) / Double(truth.count)
            result.values[layout.hit(index)] = 1
            result.values[layout.ndcg(index)] = inside.reduce(0) { $0 + discounts[$1.rank] } / ideals[min(k, truth.count)]
            if ideal > 0 {
                result.values[layout.gainNDCG(index)] = inside.reduce(0) { $0 + (truth[$1.row] ?? 0) * discounts[$1.rank] } / ideal
            }
        }
        if let partition { score(hits: hits, truth: truth, by: partition, into: &result.values) }
        return result
    }

    /// NDCG of a list at the largest cut-off, and the same weighted by gains; nil where nothing is relevant.
    package func discounted(ranked: [Int32], relevant: [Int32], gains: [Double]? = nil) -> (ndcg: Double, gainNDCG: Double)? {
        score(ranked: ranked, relevant: relevant, gains: gains).map { scores in
            (scores.values[layout.ndcg(cutoffs.count - 1)], scores.values[layout.gainNDCG(cutoffs.count - 1)])
        }
    }

    private func score(hits: [(rank: Int, row: Int32)], truth: [Int32: Double], by partition: ItemSlices, into values: inout [Double]) {
        let beyondHead = ItemSlice.allCases.count
        var sizes = [Int](repeating: 0, count: layout.slices)
        for row in truth.keys {
            let slice = partition.slice(of: row)
            sizes[slice.rawValue] += 1
            if slice.isBeyondHead { sizes[beyondHead] += 1 }
        }
        for slice in 0..<layout.slices {
            let inSlice = hits.filter {
                let own = partition.slice(of: $0.row)
                return slice == beyondHead ? own.isBeyondHead : own.rawValue == slice
            }
            for (index, k) in cutoffs.enumerated() {
                guard sizes[slice] > 0 else {
                    values[layout.recall(slice: slice, index)] = .nan
                    values[layout.ndcg(slice: slice, index)] = .nan
                    continue
                }
                let inside = inSlice.prefix { $0.rank < k }
                values[layout.recall(slice: slice, index)] = Double(inside.count) / Double(sizes[slice])
                values[layout.ndcg(slice: slice, index)] =
                    inside.reduce(0) { $0 + discounts[$1.rank] } / ideals[min(k, sizes[slice])]
            }
        }
    }
}
