import Evaluation

#if canImport(Glibc)
    import Glibc
#endif

/// How much a network over counters counts beside the ranking so far: what answers held-out questions best, found for each half of the
/// users on the other.
package struct RankerMixing {
    /// What two rankings say of one question's candidates.
    package struct Answered {
        /// The ranking so far, one a candidate.
        package var interests: [Float]
        /// `[candidates, goals]` of the network.
        package var outputs: [Float]
        /// Outputs of the network.
        package var goals: Int
        /// 1 for what was taken, and what was paid for it, one a candidate.
        package var gains: [Float], values: [Float]
        /// How much was taken in all, and what was paid for each of it.
        package var relevant: Int, allValues: [Float]
        /// The half of the users that the question is of.
        package var half: Int

        /// All of it.
        package init(
            interests: [Float], outputs: [Float], goals: Int, gains: [Float], values: [Float], relevant: Int, allValues: [Float], half: Int
        ) {
            (self.interests, self.outputs, self.goals) = (interests, outputs, goals)
            (self.gains, self.values, self.relevant, self.allValues, self.half) = (gains, values, relevant, allValues, half)
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

    /// What was found for all, and for users of even and odd rows; nil where nothing was answered.
    package private(set) var mix: (all: Mix, halves: [Mix])?
    /// Mean NDCG@10 among candidates of the ranking so far, and of the mix, cross-fitted.
    package private(set) var alone = 0.0, mixed = 0.0

    /// Tries every share.
    ///
    /// - Parameter valueShare: what the second output, of values, counts beside the first.
    package init(_ answered: [Answered], valueShare: Float) {
        guard let first = answered.first else { return }
        let goals = first.goals
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
        let plain = answered.map { Self.ndcg($0, $0.interests) }
        let tried = Self.shares.map { share in answered.map { Self.ndcg($0, Self.scores($0, unit(share))) } }
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
        one.interests.indices.map { place in
            var score = mix.interest * one.interests[place]
            for goal in mix.goals.indices { score += mix.goals[goal] * one.outputs[place * one.goals + goal] }
            return score
        }
    }

    private static func deviation(_ values: [Float]) -> Float {
        let finite = values.lazy.filter(\.isFinite)
        let count = Double(max(1, finite.count)), mean = finite.reduce(0.0) { $0 + Double($1) } / count
        return Float((finite.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count).squareRoot())
    }

    private static func ndcg(_ one: Answered, _ scores: [Float]) -> Double {
        guard one.relevant > 0 else { return 0 }
        var gain = 0.0, ideal = 0.0
        for place in 0..<min(10, one.relevant) { ideal += 1 / log2(Double(place) + 2) }
        for (place, candidate) in topRows(10, of: scores).enumerated() where one.gains[Int(candidate)] > 0 {
            gain += 1 / log2(Double(place) + 2)
        }
        return gain / ideal
    }

    /// What scores are multiplied by so that they are logits: that under which what was taken is likeliest among the candidates.
    private static func scale(_ answered: [Answered], _ mix: Mix) -> Float {
        let told = answered.filter { $0.gains.contains { $0 > 0 } }.prefix(1_000).map { (scores: scores($0, mix), gains: $0.gains) }
        func loss(_ scale: Float) -> Double {
            told.reduce(0) { sum, one in
                let largest = one.scores.max() ?? 0
                var all = 0.0, taken = 0.0
                for (place, score) in one.scores.enumerated() {
                    let weight = exp(Double(scale * (score - largest)))
                    all += weight
                    if one.gains[place] > 0 { taken += weight }
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
