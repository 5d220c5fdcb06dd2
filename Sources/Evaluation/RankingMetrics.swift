#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Collects ranking metrics user by user: NDCG, recall and hit rate at several cut-offs, MRR, coverage, Gini, and slices.
///
/// Ranks are those in the full ranking of all candidates. Binary gains: the ideal list holds min(k, relevant) hits.
/// A list is cleaned before it counts: repeats are dropped and the items after them move up. Candidates and items that a
/// user had are the caller's to leave out.
public struct RankingMetrics: Sendable {
    /// The cut-offs k, ascending and distinct.
    public let cutoffs: [Int]
    /// Items that could be recommended.
    public let catalogueSize: Int
    /// NDCG at ``pairedCutoff`` of every added user, in the order of addition: what ``PromotionGate`` compares.
    public private(set) var perUserNDCG: [Double] = []
    /// The cut-off of ``perUserNDCG``: 10 where it is one of the cut-offs, else the largest.
    public let pairedCutoff: Int

    private let partition: ItemSlices?
    private let inCatalogue: (@Sendable (Int32) -> Bool)?
    private let discounts: [Double]
    private let ideals: [Double]
    private var users = 0
    private var truthPairs = 0
    private var sawGains = false
    private var recall, hit, ndcg, gainNDCG: [RunningMean]
    private var reciprocal = RunningMean()
    private var sliceUsers = [0, 0, 0]
    private var sliceRecall, sliceNDCG: [[RunningMean]]
    private var shown: [Int32: Int] = [:]

    /// Prepares an empty collection.
    ///
    /// - Parameters:
    ///   - cutoffs: the k of the metrics; at least one, all ≥ 1.
    ///   - catalogueSize: items that could be recommended.
    ///   - slices: head, tail and cold of the item rows; without it no slices are reported.
    ///   - inCatalogue: whether a row counts for coverage and Gini; by default all do.
    public init(
        cutoffs: [Int] = [1, 10, 20, 100], catalogueSize: Int, slices: ItemSlices? = nil,
        inCatalogue: (@Sendable (Int32) -> Bool)? = nil
    ) {
        let ordered = Set(cutoffs).sorted()
        precondition(!ordered.isEmpty && ordered[0] >= 1, "cut-offs must be whole numbers from 1, got \(cutoffs)")
        self.cutoffs = ordered
        self.catalogueSize = catalogueSize
        self.partition = slices
        self.inCatalogue = inCatalogue
        pairedCutoff = ordered.contains(10) ? 10 : ordered[ordered.count - 1]
        let largest = ordered[ordered.count - 1]
        discounts = (0..<largest).map { 1 / log2(Double($0 + 2)) }
        var ideals = [0.0]
        for discount in discounts { ideals.append(ideals[ideals.count - 1] + discount) }
        self.ideals = ideals
        let zeros = [RunningMean](repeating: RunningMean(), count: ordered.count)
        recall = zeros
        hit = zeros
        ndcg = zeros
        gainNDCG = zeros
        sliceRecall = [zeros, zeros, zeros]
        sliceNDCG = [zeros, zeros, zeros]
    }

    /// Adds one user: the ranked item rows, best first, against the relevant ones.
    ///
    /// - Parameters:
    ///   - ranked: item rows, best first; empty for a user who got no list, which counts as zero.
    ///   - relevant: the rows to be found; repeats are merged. A user without any is ignored.
    ///   - gains: one gain per relevant row for `gNDCG`; negative ones count as zero, those of repeats add up.
    public mutating func add(ranked: [Int32], relevant: [Int32], gains: [Double]? = nil) {
        precondition(gains == nil || gains?.count == relevant.count, "one gain per relevant item: \(gains?.count ?? 0) gains, \(relevant.count) items")
        guard !relevant.isEmpty else { return }
        var truth: [Int32: Double] = [:]
        for (index, row) in relevant.enumerated() {
            truth[row] = gains.map { (truth[row] ?? 0) + max(0, $0[index]) } ?? 1
        }
        users += 1
        truthPairs += truth.count

        var seen = Set<Int32>()
        var hits: [(rank: Int, row: Int32)] = []
        let largest = cutoffs[cutoffs.count - 1]
        var place = 0
        for row in ranked where seen.insert(row).inserted {
            if place < 10 { shown[row, default: 0] += 1 }
            if place < largest, truth[row] != nil { hits.append((place, row)) }
            place += 1
            if place >= max(largest, 10) { break }
        }
        addMeans(hits: hits, relevant: truth.count)
        if gains != nil { addGains(hits: hits, truth: truth) }
        addSlices(hits: hits, truth: truth)
    }

    /// The report over all users added so far.
    public func report() -> MetricsReport {
        var metrics: [String: MetricValue] = [:]
        for (index, k) in cutoffs.enumerated() {
            metrics["Recall@\(k)"] = recall[index].value(users: users)
            metrics["Hit@\(k)"] = hit[index].value(users: users)
            metrics["NDCG@\(k)"] = ndcg[index].value(users: users)
            if sawGains { metrics["gNDCG@\(k)"] = gainNDCG[index].value(users: users) }
        }
        metrics["MRR@\(cutoffs[cutoffs.count - 1])"] = reciprocal.value(users: users)
        var slices: [String: MetricsReport.SliceReport] = [:]
        if partition != nil {
            for slice in ItemSlice.allCases where sliceUsers[slice.rawValue] > 0 {
                let count = sliceUsers[slice.rawValue]
                var values: [String: MetricValue] = [:]
                for (index, k) in cutoffs.enumerated() {
                    values["Recall@\(k)"] = sliceRecall[slice.rawValue][index].value(users: count)
                    values["NDCG@\(k)"] = sliceNDCG[slice.rawValue][index].value(users: count)
                }
                slices[slice.name] = .init(users: count, metrics: values)
            }
        }
        let counted = shown.filter { inCatalogue?($0.key) ?? true }
        return MetricsReport(
            users: users, truthPairs: truthPairs, catalogueSize: catalogueSize, metrics: metrics,
            coverageAt10: catalogueSize > 0 ? Double(counted.count) / Double(catalogueSize) : 0,
            giniAt10: giniCoefficient(of: Array(counted.values), catalogueSize: catalogueSize), slices: slices)
    }

    private mutating func addMeans(hits: [(rank: Int, row: Int32)], relevant: Int) {
        var paired = 0.0
        for (index, k) in cutoffs.enumerated() {
            let inside = hits.filter { $0.rank < k }
            guard !inside.isEmpty else { continue }
            recall[index].add(Double(inside.count) / Double(relevant))
            hit[index].add(1)
            let value = inside.reduce(0) { $0 + discounts[$1.rank] } / ideals[min(k, relevant)]
            ndcg[index].add(value)
            if k == pairedCutoff { paired = value }
        }
        if let first = hits.first { reciprocal.add(1 / Double(first.rank + 1)) }
        perUserNDCG.append(paired)
    }

    private mutating func addGains(hits: [(rank: Int, row: Int32)], truth: [Int32: Double]) {
        sawGains = true
        let best = truth.values.sorted(by: >)
        for (index, k) in cutoffs.enumerated() {
            var ideal = 0.0
            for (rank, gain) in best.prefix(k).enumerated() { ideal += gain * discounts[rank] }
            guard ideal > 0 else { continue }
            let value = hits.reduce(0) { $1.rank < k ? $0 + (truth[$1.row] ?? 0) * discounts[$1.rank] : $0 }
            gainNDCG[index].add(value / ideal)
        }
    }

    private mutating func addSlices(hits: [(rank: Int, row: Int32)], truth: [Int32: Double]) {
        guard let partition else { return }
        var sizes = [0, 0, 0]
        for row in truth.keys { sizes[partition.slice(of: row).rawValue] += 1 }
        for slice in ItemSlice.allCases where sizes[slice.rawValue] > 0 {
            sliceUsers[slice.rawValue] += 1
            let inSlice = hits.filter { partition.slice(of: $0.row) == slice }
            for (index, k) in cutoffs.enumerated() {
                let inside = inSlice.filter { $0.rank < k }
                guard !inside.isEmpty else { continue }
                sliceRecall[slice.rawValue][index].add(Double(inside.count) / Double(sizes[slice.rawValue]))
                let value = inside.reduce(0) { $0 + discounts[$1.rank] } / ideals[min(k, sizes[slice.rawValue])]
                sliceNDCG[slice.rawValue][index].add(value)
            }
        }
    }
}
