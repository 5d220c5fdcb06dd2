/// How much each ranking signal counts, as ``BlendFit`` finds it.
public struct BlendWeights: Sendable, Equatable, Codable {
    /// One weight a ``RankingFeature``.
    public var values: [Float]
    /// The pauses that the fit met, as ``UserSignals/returning``; a shorter or longer one counts as the nearest of them, since nothing
    /// was learned about it. From 0 to 1.
    public var shortestPause: Float
    /// The longest pause that training met, on the same scale.
    public var longestPause: Float
    /// ``TailDial/lift``; no training fits it.
    public var tailLift: Float = 0
    /// Weights in place of ``values`` for users of whom little is known, the shortest histories first; empty where ``values`` serve
    /// them too.
    public var newcomers: [Newcomer] = []

    /// Weights for users with short histories: the less is known of somebody, the less the towers say, and the more what many choose.
    public struct Newcomer: Sendable, Equatable, Codable {
        /// Users with at most so many interactions.
        public var historyLimitEvents: Int
        /// One weight a ``RankingFeature``.
        public var values: [Float]

        /// Makes weights; `values.count` is ``RankingFeature/count``.
        public init(historyLimitEvents: Int, values: [Float]) {
            precondition(values.count == RankingFeature.count, "\(values.count) weights for \(RankingFeature.count) features")
            self.historyLimitEvents = max(historyLimitEvents, 0)
            self.values = values
        }
    }

    /// Makes weights; `values.count` is ``RankingFeature/count``.
    public init(_ values: [Float], pauses: ClosedRange<Float> = 0...1) {
        precondition(values.count == RankingFeature.count, "\(values.count) weights for \(RankingFeature.count) features")
        self.values = values
        shortestPause = min(max(pauses.lowerBound, 0), 1)
        longestPause = min(max(pauses.upperBound, 0), 1)
    }

    /// The towers alone.
    public static let towersAlone = BlendWeights(RankingFeature.allCases.map { $0 == .tower ? 1 : 0 })

    /// The same weights with a tail dial beside what they have; see ``TailDial``.
    public func dialled(_ dial: TailDial) -> BlendWeights {
        var weights = self
        weights.values[RankingFeature.popularity.rawValue] -= dial.lambda
        weights.tailLift += dial.lift
        for place in weights.newcomers.indices { weights.newcomers[place].values[RankingFeature.popularity.rawValue] -= dial.lambda }
        return weights
    }

    /// The place in ``newcomers`` of the weights for a user with a history of so many events; nil where ``values`` serve them.
    func newcomer(historyEvents: Int) -> Int? { newcomers.firstIndex { historyEvents <= $0.historyLimitEvents } }

    /// One weight a ``RankingFeature`` for a user with a history of so many events.
    func values(historyEvents: Int) -> [Float] { newcomer(historyEvents: historyEvents).map { newcomers[$0].values } ?? values }

    /// The weight of a feature.
    public subscript(_ feature: RankingFeature) -> Float { values[feature.rawValue] }
}
