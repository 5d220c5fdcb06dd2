/// Collects ranking metrics user by user: NDCG, recall and hit rate at several cut-offs, MRR, coverage, Gini, and slices.
///
/// Lists are scored by ``ListScorer``. Candidates and items that a user had are the caller's to leave out.
public struct RankingMetrics: Sendable {
    /// Items that could be recommended.
    public let catalogueSize: Int
    /// NDCG at ``pairedCutoff`` of every added user, in the order of addition: what ``PromotionGate`` compares.
    public private(set) var perUserNDCG: [Double] = []
    /// The cut-off of ``perUserNDCG``: 10 where it is one of the cut-offs, else the largest.
    public let pairedCutoff: Int

    private let scorer: ListScorer
    private let inCatalogue: (@Sendable (Int32) -> Bool)?
    private var users = 0
    private var truthPairs = 0
    private var sawGains = false
    /// By the scorer's layout.
    private var sums: [RunningMean]
    private var shown: [Int32: Int] = [:]

    /// The cut-offs k, ascending and distinct.
    public var cutoffs: [Int] { scorer.cutoffs }

    /// Prepares an empty collection.
    ///
    /// - Parameters:
    ///   - cutoffs: the k of the metrics; at least one, all ≥ 1.
    ///   - catalogueSize: items that could be recommended.
    ///   - slices: popularity bands of the item rows; without it no slices are reported.
    ///   - inCatalogue: whether a row counts for coverage and Gini; by default all do.
    public init(
        cutoffs: [Int] = [1, 10, 20, 100], catalogueSize: Int, slices: ItemSlices? = nil,
        inCatalogue: (@Sendable (Int32) -> Bool)? = nil
    ) {
        scorer = ListScorer(cutoffs: cutoffs, slices: slices)
        self.catalogueSize = catalogueSize
        self.inCatalogue = inCatalogue
        let ordered = scorer.cutoffs
        pairedCutoff = ordered.contains(10) ? 10 : ordered[ordered.count - 1]
        sums = [RunningMean](repeating: RunningMean(), count: scorer.layout.count)
    }

    /// Adds one user: the ranked item rows, best first, against the relevant ones.
    ///
    /// - Parameters:
    ///   - ranked: item rows, best first; empty for a user who got no list, which counts as zero.
    ///   - relevant: the rows to be found; repeats are merged. A user without any is ignored.
    ///   - gains: one gain per relevant row for `gNDCG`, 1 where none are given; negative ones count as zero, those of repeats
    ///     add up.
    public mutating func add(ranked: [Int32], relevant: [Int32], gains: [Double]? = nil) {
        guard let scores = scorer.score(ranked: ranked, relevant: relevant, gains: gains) else { return }
        sawGains = sawGains || gains != nil
        truthPairs += scores.relevant
        for row in scores.shown { shown[row, default: 0] += 1 }
        add(scores.values)
    }

    /// Adds one user whose lists were scored before: `values` by the scorer's layout, means over the lists.
    private mutating func add(_ values: [Double]) {
        users += 1
        for (place, value) in values.enumerated() where !value.isNaN { sums[place].add(value) }
        perUserNDCG.append(values[scorer.layout.ndcg(cutoffs.firstIndex(of: pairedCutoff) ?? 0)])
    }

    /// Adds one user with several lists: each metric counts with its mean over the lists that were asked for it.
    public mutating func add(_ user: ListScoreSums) {
        guard user.lists > 0 else { return }
        truthPairs += user.truthPairs
        sawGains = sawGains || user.sawGains
        for (row, count) in user.shown { shown[row, default: 0] += count }
        add(user.means)
    }

    /// The report over all users added so far.
    public func report() -> MetricsReport {
        let layout = scorer.layout
        var metrics: [String: MetricValue] = [:]
        for (index, k) in cutoffs.enumerated() {
            metrics["Recall@\(k)"] = sums[layout.recall(index)].value(users: users)
            metrics["Hit@\(k)"] = sums[layout.hit(index)].value(users: users)
            metrics["NDCG@\(k)"] = sums[layout.ndcg(index)].value(users: users)
            if sawGains { metrics["gNDCG@\(k)"] = sums[layout.gainNDCG(index)].value(users: users) }
        }
        metrics["MRR@\(cutoffs[cutoffs.count - 1])"] = sums[layout.reciprocal].value(users: users)
        var slices: [String: MetricsReport.SliceReport] = [:]
        for slice in 0..<layout.slices {
            let count = sums[layout.recall(slice: slice, 0)].count
            guard count > 0 else { continue }
            var values: [String: MetricValue] = [:]
            for (index, k) in cutoffs.enumerated() {
                values["Recall@\(k)"] = sums[layout.recall(slice: slice, index)].value(users: count)
                values["NDCG@\(k)"] = sums[layout.ndcg(slice: slice, index)].value(users: count)
            }
            slices[ListScorer.sliceNames[slice]] = .init(users: count, metrics: values)
        }
        let counted = shown.filter { inCatalogue?($0.key) ?? true }
        return MetricsReport(
            users: users, truthPairs: truthPairs, catalogueSize: catalogueSize, metrics: metrics,
            coverageAt10: catalogueSize > 0 ? Double(counted.count) / Double(catalogueSize) : 0,
            giniAt10: giniCoefficient(of: Array(counted.values), catalogueSize: catalogueSize), slices: slices)
    }
}

/// The lists of one user, scored one after the other, for protocols that ask a user more than once.
public struct ListScoreSums: Sendable {
    /// Lists with something to find.
    public private(set) var lists = 0
    private(set) var truthPairs = 0
    private(set) var sawGains = false
    private(set) var shown: [Int32: Int] = [:]
    private var sums: [Double] = []
    private var counts: [Int32] = []

    /// No list yet.
    public init() {}

    /// Adds a list. One without anything relevant is ignored.
    public mutating func add(_ scorer: ListScorer, ranked: [Int32], relevant: [Int32], gains: [Double]? = nil) {
        guard let scores = scorer.score(ranked: ranked, relevant: relevant, gains: gains) else { return }
        if sums.isEmpty {
            sums = [Double](repeating: 0, count: scores.values.count)
            counts = [Int32](repeating: 0, count: scores.values.count)
        }
        precondition(sums.count == scores.values.count, "one user's lists are scored by one scorer")
        lists += 1
        truthPairs += scores.relevant
        sawGains = sawGains || gains != nil
        for row in scores.shown { shown[row, default: 0] += 1 }
        for (place, value) in scores.values.enumerated() where !value.isNaN {
            sums[place] += value
            counts[place] += 1
        }
    }

    /// By the scorer's layout; not a number where no list was asked for it.
    var means: [Double] { zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : .nan } }
}
