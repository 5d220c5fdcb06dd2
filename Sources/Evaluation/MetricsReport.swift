/// A mean over users with its standard error.
public struct MetricValue: Sendable, Equatable {
    /// The mean over users.
    public var mean: Double
    /// The standard error of the mean over users; 0 with fewer than two.
    public var standardError: Double

    /// Makes a value.
    public init(mean: Double, standardError: Double) {
        self.mean = mean
        self.standardError = standardError
    }
}

/// What a ranking run measured.
///
/// Names of metrics are `Recall@k`, `Hit@k`, `NDCG@k`, `gNDCG@k` (only where gains were given) and `MRR@K` with K the largest cut-off.
public struct MetricsReport: Sendable, Equatable {
    /// Users with at least one relevant item; those without a list count as zero.
    public var users: Int
    /// Relevant items over all users.
    public var truthPairs: Int
    /// Items that could be recommended.
    public var catalogueSize: Int
    /// Means over users by metric name.
    public var metrics: [String: MetricValue]
    /// The share of the catalogue found in at least one top 10.
    public var coverageAt10: Double
    /// Inequality of the top-10 places over the catalogue: 0 = equal, towards 1 = one item. `nil` where nothing was shown.
    public var giniAt10: Double?
    /// `Recall@k` and `NDCG@k` by slice name, over the users that have a relevant item in the slice: those of ``ItemSlice``, and
    /// ``ItemSlice/beyondHead``.
    public var slices: [String: SliceReport]
    /// How much the lists are one list; nil where nobody looked.
    public var concentration: ListConcentration?

    /// Makes a report of what was measured.
    public init(
        users: Int, truthPairs: Int, catalogueSize: Int, metrics: [String: MetricValue], coverageAt10: Double, giniAt10: Double?,
        slices: [String: SliceReport]
    ) {
        self.users = users
        self.truthPairs = truthPairs
        self.catalogueSize = catalogueSize
        self.metrics = metrics
        self.coverageAt10 = coverageAt10
        self.giniAt10 = giniAt10
        self.slices = slices
    }

    /// One slice of the relevant items.
    public struct SliceReport: Sendable, Equatable {
        /// Users with a relevant item in the slice.
        public var users: Int
        /// Means over those users by metric name.
        public var metrics: [String: MetricValue]

        /// Makes a slice.
        public init(users: Int, metrics: [String: MetricValue]) {
            self.users = users
            self.metrics = metrics
        }
    }

    /// The mean of a metric, 0 where it was not measured.
    public subscript(_ name: String) -> Double { metrics[name]?.mean ?? 0 }
}

/// Sums of a metric over users.
struct RunningMean: Sendable {
    var sum = 0.0
    var squares = 0.0
    var count = 0

    mutating func add(_ value: Double) {
        count += 1
        sum += value
        squares += value * value
    }

    /// The mean over `users`, counting those never added as zero.
    func value(users: Int) -> MetricValue {
        guard users > 0 else { return MetricValue(mean: 0, standardError: 0) }
        let n = Double(users)
        guard users > 1 else { return MetricValue(mean: sum / n, standardError: 0) }
        let variance = max(0, (squares - sum * sum / n) / (n - 1))
        return MetricValue(mean: sum / n, standardError: (variance / n).squareRoot())
    }
}

/// The Gini coefficient of `counts` over a catalogue of `size` items, those absent counting as zero; `nil` where all are zero.
public func giniCoefficient(of counts: [Int], catalogueSize size: Int) -> Double? {
    let sorted = counts.sorted()
    let total = sorted.reduce(0, +)
    guard total > 0, size > 0 else { return nil }
    let neverShown = size - sorted.count
    var weighted = 0.0
    for (index, count) in sorted.enumerated() { weighted += Double(neverShown + index + 1) * Double(count) }
    return 2 * weighted / (Double(size) * Double(total)) - Double(size + 1) / Double(size)
}
