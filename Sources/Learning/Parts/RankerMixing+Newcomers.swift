import Evaluation

extension RankerMixing {
    /// Questions of a length of history below which everybody's mix serves it.
    private static let leastNewcomerQuestions = 100

    /// What was found for users with short histories.
    package struct Newcomers {
        /// The longest history that it is for, in events.
        package var historyLimitEvents: Int
        /// Questions of so short histories.
        package var questions: Int
        /// The share of the ranking so far.
        package var share: Float
        /// Mean NDCG@10 among candidates under everybody's mix and, cross-fitted, under this one.
        package var everybody: Double, newcomers: Double
        /// The mix, and those for users of even and odd rows.
        package var mix: (all: Mix, halves: [Mix])
        /// Whether it is another one than everybody's, and answers better.
        package var isKept: Bool
    }

    /// The mix for a length of history: of those that chance does not tell from the best one on its questions the one nearest to
    /// everybody's, so that what speaks for another one is more than chance. The network may count for nothing there.
    ///
    /// - Parameters:
    ///   - answered: questions of users with so short histories.
    ///   - limit: the longest of them, in events.
    /// - Returns: nil where there are too few questions, or no mix for everybody.
    package func newcomers(_ answered: [Answered], historyLimitEvents limit: Int) -> Newcomers? {
        guard let units, let everybody = mix, answered.count >= Self.leastNewcomerQuestions else { return nil }
        let wanted = Shares(ranking: share, value: valueShare)
        let tried = (Self.shares + [1]).map { Shares(ranking: $0, value: valueShare) }
        let measured = tried.map { shares in Self.measure(answered) { Self.scores($0, units.mix(shares)) } }
        let taken = measured.map(\.ndcg), paid = measured.map(\.gainNDCG)
        let all = Array(answered.indices), halves = [0, 1].map { half in all.filter { answered[$0].half != half } }
        func chosen(_ places: [Int]) -> Int { Self.nearest(to: wanted, of: tried, worth(taken, paid, places)) }
        let best = chosen(all), others = halves.map(chosen)
        let before = Self.measure(answered) { Self.scores($0, everybody.halves[$0.half]) }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(answered.count) }
        func crossed(_ rows: [[Double]]) -> Double { mean(answered.indices.map { rows[others[answered[$0].half]][$0] }) }
        func relative(_ new: Double, _ old: Double) -> Double { new / max(old, 1e-12) - 1 }
        let (now, then, earned) = (crossed(taken), mean(before.ndcg), mean(before.gainNDCG))
        let weight = earned > 0 ? valueWeight : 0
        let gain = (1 - weight) * relative(now, then) + weight * relative(crossed(paid), earned)
        func scaled(_ chosen: Int, _ places: [Int]) -> Mix { Self.logit(units.mix(tried[chosen]), places.map { answered[$0] }) }
        return Newcomers(
            historyLimitEvents: limit, questions: answered.count, share: tried[best].ranking, everybody: then, newcomers: now,
            mix: (scaled(best, all), [0, 1].map { scaled(others[$0], halves[$0]) }), isKept: tried[best].ranking != share && gain > 0)
    }
}
