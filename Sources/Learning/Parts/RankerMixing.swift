import CandidateRanking
import Evaluation

#if canImport(Glibc)
    import Glibc
#endif

/// How much a network over counters counts beside the ranking so far: what answers held-out questions best, found for each half of the
/// users on the other.
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
        /// The half of the users that the question is of.
        package var half: Int

        /// All of it.
        package init(rows: [Int32], interests: [Float], outputs: [Float], relevant: [Int32], half: Int) {
            (self.rows, self.interests, self.outputs) = (rows, interests, outputs)
            (self.relevant, self.half) = (relevant, half)
        }
    }

    /// What the ranking so far and each output are multiplied by.
    package struct Mix {
        /// Of a logit.
        package var interest: Float
        /// One an output.
        package var goals: [Float]
    }

    /// The share of the ranking so far that is best for all.
    package private(set) var share: Float = 1

    /// Shares of the ranking so far, in units of deviations; none is 0, since what is added to it later (a tail dial) must count.
    private static let shares: [Float] = [0.02, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9]

    /// Questions that a scale is fitted to, at most.
    private static let questionsOfScale = 1_000

    /// What was found for all, and for users of even and odd rows; nil where nothing was answered.
    package private(set) var mix: (all: Mix, halves: [Mix])?
    /// Mean NDCG@10 among candidates of the ranking so far, and of the mix, cross-fitted.
    package private(set) var alone = 0.0, mixed = 0.0

    /// Tries every share.
    ///
    /// - Parameters:
    ///   - goals: outputs of the network.
    ///   - valueShare: what the second output, of values, counts beside the first, where there is one.
    package init(_ answered: [Answered], goals: Int, valueShare: Float) {
        guard !answered.isEmpty else { return }
        let deviation = Self.deviation(answered.flatMap(\.interests))
        let outputDeviations = (0..<goals).map { goal in
            Self.deviation(answered.flatMap { one in stride(from: goal, to: one.outputs.count, by: goals).map { one.outputs[$0] } })
        }
        guard deviation > 0, outputDeviations[0] > 0 else { return }
        func unit(_ share: Float) -> Mix {
            let parts = goals > 1 ? [1 - valueShare, valueShare] : [1]
            return Mix(
                interest: share / deviation,
                goals: (0..<goals).map { (1 - share) * parts[$0] / max(outputDeviations[$0], 1e-9) })
        }
        let plain = Self.ndcg(answered) { $0.interests }
        let tried = Self.shares.map { share in Self.ndcg(answered) { Self.scores($0, unit(share)) } }
        func best(_ uses: (Answered) -> Bool) -> Int {
            let places = answered.indices.filter { uses(answered[$0]) }
            func sum(_ place: Int) -> Double { places.reduce(0) { $0 + tried[place][$1] } }
            return Self.shares.indices.max { sum($0) < sum($1) } ?? 0
        }
        let all = best { _ in true }, halves = [0, 1].map { half in best { $0.half != half } }
        let count = Double(answered.count)
        alone = plain.reduce(0, +) / count
        mixed = answered.indices.reduce(0) { $0 + tried[halves[answered[$1].half]][$1] } / count
        share = Self.shares[all]
        // A logit again, so that what new items and rare ones are given in logits means the same beside it.
        func scaled(_ place: Int, _ uses: (Answered) -> Bool) -> Mix {
            let mix = unit(Self.shares[place]), scale = Self.scale(answered.filter(uses), mix)
            return Mix(interest: scale * mix.interest, goals: mix.goals.map { scale * $0 })
        }
        mix = (scaled(all) { _ in true }, [0, 1].map { half in scaled(halves[half]) { $0.half != half } })
    }

    private static func scores(_ one: Answered, _ mix: Mix) -> [Float] {
        RankerWeights.scores(one.interests, outputs: one.outputs, interest: mix.interest, goals: mix.goals)
    }

    private static func deviation(_ values: [Float]) -> Float {
        let finite = values.lazy.filter(\.isFinite)
        let count = Double(max(1, finite.count)), mean = finite.reduce(0.0) { $0 + Double($1) } / count
        return Float((finite.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count).squareRoot())
    }

    /// NDCG@10 of each question.
    private static func ndcg(_ answered: [Answered], _ scores: (Answered) -> [Float]) -> [Double] {
        var metrics = RankingMetrics(cutoffs: [10], catalogueSize: 0)
        for one in answered {
            metrics.add(ranked: topRows(10, of: scores(one)).map { one.rows[Int($0)] }, relevant: one.relevant)
        }
        return metrics.perUserNDCG
    }

    /// What scores are multiplied by so that they are logits: that under which what was taken is likeliest among the candidates.
    private static func scale(_ answered: [Answered], _ mix: Mix) -> Float {
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
