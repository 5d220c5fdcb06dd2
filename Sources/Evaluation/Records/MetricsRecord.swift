/// What a model or a rival achieved on the questions, as the registry and `--json` have it.
public struct MetricsRecord: Codable, Sendable, Equatable {
    /// The metrics with their standard errors and slices. Of slices that were read from a record only the means are known.
    public var report: MetricsReport
    /// The 95 % interval of NDCG@10 over users; nil in records from before there was one.
    public var interval: Interval?

    /// Two ends.
    public struct Interval: Sendable, Equatable {
        /// The lower end.
        public var low: Double
        /// The upper end.
        public var high: Double
    }

    /// A report as it is, without an interval.
    public init(_ report: MetricsReport) { self.report = report }

    /// A report with the interval of NDCG@10 that resampling its users gives.
    ///
    /// - Parameter perUser: NDCG@10 of each user.
    public init(_ report: MetricsReport, perUser: [Double]) {
        self.report = report
        let found = BootstrapInterval(ofMean: perUser)
        interval = Interval(low: found.lower, high: found.upper)
    }

    private static let errorEnding = "_se", low = "NDCG@10_low", high = "NDCG@10_high", coverage = "Coverage@10", gini = "Gini@10"
    private static let users = "users", truthPairs = "truth_pairs", catalogue = "catalogue"
    private static let lists = "top_tens"

    /// A number by the name that it has in the record, such as `NDCG@10`, `NDCG@10_se`, `Coverage@10`; nil where it was not measured.
    public subscript(_ name: String) -> Double? {
        switch name {
        case Self.users: return Double(report.users)
        case Self.coverage: return report.coverageAt10
        case Self.gini: return report.giniAt10
        case Self.low: return interval?.low
        case Self.high: return interval?.high
        default:
            if let value = report.metrics[name] { return value.mean }
            return name.hasSuffix(Self.errorEnding) ? report.metrics[String(name.dropLast(Self.errorEnding.count))]?.standardError : nil
        }
    }

    /// Writes an object: counts, each metric with its standard error, coverage, slices, the shares of the lists, the interval.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NameKey.self)
        func number(_ name: String, _ value: Double, _ container: inout KeyedEncodingContainer<NameKey>) throws {
            try container.encode(value, forKey: NameKey(name))
        }
        try container.encode(report.users, forKey: NameKey(Self.users))
        try container.encode(report.truthPairs, forKey: NameKey(Self.truthPairs))
        try container.encode(report.catalogueSize, forKey: NameKey(Self.catalogue))
        for (name, value) in report.metrics.sorted(by: { $0.key < $1.key }) {
            try number(name, value.mean, &container)
            try number(name + Self.errorEnding, value.standardError, &container)
        }
        try number(Self.coverage, report.coverageAt10, &container)
        if let gini = report.giniAt10 { try number(Self.gini, gini, &container) }
        for (name, slice) in report.slices.sorted(by: { $0.key < $1.key }) {
            var inner = container.nestedContainer(keyedBy: NameKey.self, forKey: NameKey(name))
            try inner.encode(slice.users, forKey: NameKey(Self.users))
            for (metric, value) in slice.metrics.sorted(by: { $0.key < $1.key }) { try number(metric, value.mean, &inner) }
        }
        try container.encodeIfPresent(report.concentration, forKey: NameKey(Self.lists))
        guard let interval else { return }
        try number(Self.low, interval.low, &container)
        try number(Self.high, interval.high, &container)
    }

    /// Reads what is there; what is missing or of another kind is left out.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: NameKey.self)
        func whole(_ name: String, _ container: KeyedDecodingContainer<NameKey>) -> Int {
            container.ifReadable(Double.self, NameKey(name)).flatMap { Int(exactly: $0.rounded()) } ?? 0
        }
        var report = MetricsReport(
            users: whole(Self.users, container), truthPairs: whole(Self.truthPairs, container),
            catalogueSize: whole(Self.catalogue, container), metrics: [:],
            coverageAt10: container.ifReadable(Double.self, NameKey(Self.coverage)) ?? 0,
            giniAt10: container.ifReadable(Double.self, NameKey(Self.gini)), slices: [:])
        report.concentration = container.ifReadable(ListConcentration.self, NameKey(Self.lists))
        let known: Set = [Self.lists, Self.users, Self.truthPairs, Self.catalogue, Self.coverage, Self.gini, Self.low, Self.high]
        for key in container.allKeys where !known.contains(key.stringValue) {
            let name = key.stringValue
            if let mean = container.ifReadable(Double.self, key) {
                guard !name.hasSuffix(Self.errorEnding) else { continue }
                let error = container.ifReadable(Double.self, NameKey(name + Self.errorEnding)) ?? 0
                report.metrics[name] = MetricValue(mean: mean, standardError: error)
            } else if let inner = try? container.nestedContainer(keyedBy: NameKey.self, forKey: key) {
                var slice = MetricsReport.SliceReport(users: whole(Self.users, inner), metrics: [:])
                for metric in inner.allKeys where metric.stringValue != Self.users {
                    if let mean = inner.ifReadable(Double.self, metric) {
                        slice.metrics[metric.stringValue] = MetricValue(mean: mean, standardError: 0)
                    }
                }
                report.slices[name] = slice
            }
        }
        self.report = report
        if let low = container.ifReadable(Double.self, NameKey(Self.low)),
            let high = container.ifReadable(Double.self, NameKey(Self.high))
        {
            interval = Interval(low: low, high: high)
        }
    }
}
