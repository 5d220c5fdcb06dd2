import CandidateRanking
import Evaluation

#if canImport(Glibc)
    import Glibc
#endif

/// How much a network over counters counts beside the ranking so far, and of it what orders are worth beside whether there are any: what
/// answers held-out questions best, found for each half of the users on the other.
package struct RankerMixing {
    /// What two rankings say of one question's candidates.
    package struct Answered {
        /// The candidates.
        package var rows: [Int32]
        /// The ranking so far, one a candidate.
        package var interests: [Float]
        /// `[candidates, goals]` of the network.
        package var outputs: [Float]
        /// What is to be found.
        package var relevant: [Int32]
        /// What was paid for each of them; empty where nothing is known of it.
        package var values: [Double]
        /// The half of the users that the question is of.
        package var half: Int

        /// All of it.
        package init(rows: [Int32], interests: [Float], outputs: [Float], relevant: [Int32], values: [Double] = [], half: Int) {
            (self.rows, self.interests, self.outputs) = (rows, interests, outputs)
            (self.relevant, self.values, self.half) = (relevant, values, half)
        }
    }

    /// What the ranking so far and each output are multiplied by.
    package struct Mix {
        /// Of a logit.
        package var interest: Float
        /// One an output.
        package var goals: [Float]
    }

    /// What a mix is made of.
    struct Shares {
        /// Of the ranking so far, in units of deviations; never 0, since what is added to it later (a tail dial) must count.
        var ranking: Float
        /// Of what is left that of the second output, of values.
        var value: Float
    }

    /// Deviations of what is mixed.
    struct Units {
        /// Of the ranking so far.
        var interest: Float
        /// Of each output of the network.
        var outputs: [Float]

        init(_ answered: [Answered], goals: Int) {
            interest = RankerMixing.deviation(answered.flatMap(\.interests))
            outputs = (0..<goals).map { goal in
                RankerMixing.deviation(
                    answered.flatMap { one in stride(from: goal, to: one.outputs.count, by: goals).map { one.outputs[$0] } })
            }
        }

        /// What some shares multiply.
        func mix(_ shares: Shares) -> Mix {
            let parts = outputs.count > 1 ? [1 - shares.value, shares.value] : [1]
            return Mix(
                interest: shares.ranking / interest,
                goals: outputs.indices.map { (1 - shares.ranking) * parts[$0] / max(outputs[$0], 1e-9) })
        }
    }

    /// The share of the ranking so far that is best for all.
    package private(set) var share: Float = 1
    /// What the worth of orders counts beside whether there are any; 0 where there is one goal.
    package private(set) var valueShare: Float = 0
    /// Of the best NDCG@10, and of the best revenue-weighted one, that any mix has the share that the chosen one keeps, cross-fitted; nil
    /// where values were not asked for.
    package private(set) var kept: (taken: Double, value: Double)?

    static let shares: [Float] = [0.02, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9]
    private static let valueShares: [Float] = [0, 0.2, 0.35, 0.5, 0.65, 0.8]

    /// Questions that a scale is fitted to, at most.
    private static let questionsOfScale = 1_000

    /// The units that shares are in, and what revenue weighs in the choice of one.
    private(set) var units: Units?, valueWeight = 0.0

    /// What was found for all, and for users of even and odd rows; nil where nothing was answered.
    package private(set) var mix: (all: Mix, halves: [Mix])?
    /// Mean NDCG@10 among candidates of the ranking so far, and of the mix, cross-fitted.
    package private(set) var alone = 0.0, mixed = 0.0
    /// The same weighted by revenue; 0 where there is one goal.
    package private(set) var aloneOfValue = 0.0, mixedOfValue = 0.0

    /// Tries every share.
    ///
    /// - Parameters:
    ///   - goals: outputs of the network.
    ///   - valueShare: what the second output, of values, counts beside the first, where there is one; nil: so much that NDCG@10 and its
    ///     revenue-weighted form together lose least against the best of each.
    package init(_ answered: [Answered], goals: Int, valueShare: Float?) {
        guard !answered.isEmpty else { return }
        let units = Units(answered, goals: goals)
        guard units.interest > 0, units.outputs[0] > 0 else { return }
        self.units = units
        let unit = units.mix
        let values = goals > 1 ? valueShare.map { [$0] } ?? Self.valueShares : [0]
        let tried = values.flatMap { value in Self.shares.map { Shares(ranking: $0, value: value) } }
        let asksValues = values.count > 1
        let measured = tried.map { shares in Self.measure(answered) { Self.scores($0, unit(shares)) } }
        let taken = measured.map(\.ndcg), paid = measured.map(\.gainNDCG)
        let all = Array(answered.indices), halves = [0, 1].map { half in all.filter { answered[$0].half != half } }
        valueWeight = goals > 1 ? Double(valueShare ?? 0.5) : 0
        func chosen(_ places: [Int]) -> Int {
            Self.nearest(to: Shares(ranking: 0.5, value: 0.5), of: tried, worth(taken, paid, places))
        }
        let best = chosen(all), others = halves.map(chosen)
        let count = Double(answered.count)
        let plain = Self.measure(answered) { $0.interests }
        func crossed(_ rows: [[Double]]) -> Double { answered.indices.reduce(0) { $0 + rows[others[answered[$1].half]][$1] } / count }
        (alone, mixed) = (plain.ndcg.reduce(0, +) / count, crossed(taken))
        if goals > 1 { (aloneOfValue, mixedOfValue) = (plain.gainNDCG.reduce(0, +) / count, crossed(paid)) }
        if asksValues, mixed <= alone {
            // A compromise that finds less than the ranking alone is none.
            self = RankerMixing(answered, goals: goals, valueShare: 0)
            return
        }
        (share, self.valueShare) = (tried[best].ranking, tried[best].value)
        if asksValues {
            func most(_ rows: [[Double]]) -> Double { max(rows.map { $0.reduce(0, +) / count }.max() ?? 0, 1e-12) }
            kept = (mixed / most(taken), mixedOfValue / most(paid))
        }
        func scaled(_ chosen: Int, _ places: [Int]) -> Mix { Self.logit(unit(tried[chosen]), places.map { answered[$0] }) }
        mix = (scaled(best, all), [0, 1].map { scaled(others[$0], halves[$0]) })
    }

    /// A mix as a logit again, so that what new items and rare ones are given in logits means the same beside it.
    static func logit(_ mix: Mix, _ answered: [Answered]) -> Mix {
        let scale = scale(answered, mix)
        return Mix(interest: scale * mix.interest, goals: mix.goals.map { scale * $0 })
    }

    /// What questions at some places are worth under each mix: their shares of the best means of both measures, as what is asked for
    /// weighs them.
    func worth(_ taken: [[Double]], _ paid: [[Double]], _ places: [Int]) -> [[Double]] {
        zip(Self.relative(taken, places), Self.relative(paid, places)).map { zip($0, $1).map { (1 - valueWeight) * $0 + valueWeight * $1 } }
    }

    /// The rows of each mix at some places, as shares of the best mean among the mixes.
    private static func relative(_ rows: [[Double]], _ places: [Int]) -> [[Double]] {
        let chosen = rows.map { row in places.map { row[$0] } }
        let most = chosen.map { $0.reduce(0, +) / Double(max(1, $0.count)) }.max() ?? 0
        return most > 0 ? chosen.map { row in row.map { $0 / most } } : chosen
    }

    /// Of all mixes that are not worse than the best one by more than a standard error of the paired difference the one nearest to a
    /// given one, by its place: which of them is best on these questions is chance. Two rankings that know different things go best in
    /// equal parts.
    static func nearest(to wanted: Shares, of tried: [Shares], _ worth: [[Double]]) -> Int {
        let sums = worth.map { $0.reduce(0, +) }
        guard let best = sums.indices.max(by: { sums[$0] < sums[$1] }), worth[best].count > 1 else { return 0 }
        let alike = tried.indices.filter { place in
            let paired = PairedComparison(candidate: worth[best], other: worth[place], confidence: 0.9)
            return paired.difference <= paired.standardError
        }
        func distance(_ place: Int) -> Float { abs(tried[place].ranking - wanted.ranking) + abs(tried[place].value - wanted.value) }
        return alike.min { distance($0) < distance($1) } ?? best
    }

    static func scores(_ one: Answered, _ mix: Mix) -> [Float] {
        RankerWeights.scores(one.interests, outputs: one.outputs, interest: mix.interest, goals: mix.goals)
    }

    static func deviation(_ values: [Float]) -> Float {
        let finite = values.lazy.filter(\.isFinite)
        let count = Double(max(1, finite.count)), mean = finite.reduce(0.0) { $0 + Double($1) } / count
        return Float((finite.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count).squareRoot())
    }

    /// NDCG@10 of each question, and the revenue-weighted one.
    static func measure(_ answered: [Answered], _ scores: (Answered) -> [Float]) -> (ndcg: [Double], gainNDCG: [Double]) {
        let scorer = ListScorer(cutoffs: [10])
        let found = answered.map { one in
            scorer.discounted(
                ranked: topRows(10, of: scores(one)).map { one.rows[Int($0)] }, relevant: one.relevant,
                gains: one.values.isEmpty ? nil : one.values)
        }
        return (found.map { $0?.ndcg ?? 0 }, found.map { $0?.gainNDCG ?? 0 })
    }

    /// What scores are multiplied by so that they are logits: that under which what was taken is likeliest among the candidates.
    static func scale(_ answered: [Answered], _ mix: Mix) -> Float {
        let told = answered.lazy.map { one in
            let relevant = Set(one.relevant)
            return (scores: scores(one, mix), isTaken: one.rows.map(relevant.contains))
        }.filter { $0.isTaken.contains(true) }.prefix(questionsOfScale).map(\.self)
        func loss(_ scale: Float) -> Double {
            told.reduce(0) { sum, one in
                let largest = one.scores.max() ?? 0
                var all = 0.0, taken = 0.0
                for (place, score) in one.scores.enumerated() {
                    let weight = exp(Double(scale * (score - largest)))
                    all += weight
                    if one.isTaken[place] { taken += weight }
                }
                return sum + log(all) - log(max(taken, 1e-300))
            }
        }
        // Convex enough in the logarithm of the scale: golden section.
        var low: Float = log(0.05), high: Float = log(20)
        let ratio: Float = 0.618_034
        guard !told.isEmpty else { return 1 }
        for _ in 0..<25 {
            let left = high - ratio * (high - low), right = low + ratio * (high - low)
            if loss(exp(left)) < loss(exp(right)) { high = right } else { low = left }
        }
        return exp((low + high) / 2)
    }
}
