/// What was found on the held-out questions about items that are new there: the model, and rivals that know nothing but records.
public struct NewItemsRecord: Codable, Sendable, Equatable {
    /// The rivals, by the names under which they are kept.
    public enum ContentRival: String, CaseIterable, Sendable {
        /// The cosine between what a user had and the item.
        case contentCosine = "content_cosine"
        /// The same weighed by the popularity that such content has.
        case popularCosine = "content_cosine_popularity"
        /// That popularity alone: the same list for all.
        case popularity = "content_popularity"

        /// For people.
        public var title: String {
            switch self {
            case .contentCosine: "content cosine"
            case .popularCosine: "content cosine, weighed by popularity"
            case .popularity: "popularity by content"
            }
        }
    }

    /// One rival beside the model.
    public struct Row: Codable, Sendable, Equatable {
        /// As ``ContentRival`` names it.
        public var rival: String?
        /// What was set of it, in words.
        public var settings: String?
        /// What it achieved.
        public var metrics: MetricsRecord?
        /// The model's mean of NDCG@10 minus the rival's, and the ends of its paired interval, wide enough for all rows together.
        public var difference: Double?, low: Double?, high: Double?
        /// Whether the rival is better by more than chance, on enough questions.
        public var isBetter: Bool?

        private enum CodingKeys: String, CodingKey {
            case rival, settings, metrics, difference, low, high
            case isBetter = "better"
        }

        /// All of it; the interval by Student's t over users.
        ///
        /// - Parameters:
        ///   - model, other: NDCG@10 of each question.
        ///   - rivals: how many are compared.
        public init(
            _ rival: ContentRival, settings: String?, metrics: MetricsRecord, model: [Double], other: [Double], rivals: Int,
            minimumQuestions: Int
        ) {
            let paired = PairedComparison(candidate: model, other: other, confidence: 0.9)
            let interval = paired.interval(outside: RivalGate.outside / Double(max(1, rivals)))
            (self.rival, self.settings, self.metrics) = (rival.rawValue, settings, metrics)
            (difference, low, high) = (paired.difference, interval.low, interval.high)
            isBetter = model.count >= minimumQuestions && interval.high < 0
        }
    }

    /// Users who took a new item of which something is known, and such items.
    public var questions: Int?, items: Int?
    /// What the model answers as it serves, among these items.
    public var model: MetricsRecord?
    /// The rivals, in the order of ``ContentRival``.
    public var rivals: [Row]?

    /// Nothing found yet.
    public init() {}

    /// What is said where a rival is better by more than chance; nil where none is.
    public var warning: String? {
        let better = (rivals ?? []).filter { $0.isBetter == true }
        guard let best = better.max(by: { ($0.metrics?["NDCG@10"] ?? 0) < ($1.metrics?["NDCG@10"] ?? 0) }),
            let own = model?["NDCG@10"], let other = best.metrics?["NDCG@10"]
        else { return nil }
        let title = best.rival.flatMap(ContentRival.init)?.title ?? "a rival"
        return "Among the \(items ?? 0) new items of the held-out part \(title) has NDCG@10 \(decimal(other)), the model \(decimal(own)): "
            + "look at content.channel, train.content and what records say."
    }
}
