#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What moves scores towards a better NDCG of the first places: LambdaRank (Burges 2010) as LightGBM has it.
///
/// With ranks r by score from 0, d(r) = 1 / log2(r + 2) and the ideal DCG of the best ``cutoff`` gains, each pair with y_i > y_j, of which
/// the better-placed one is among the first ``reach``, has w = |d(r_i) − d(r_j)| (y_i − y_j) / (ideal · (0.01 + |s_i − s_j|)) and
/// λ = w / (1 + e^(s_i − s_j)): s_i is to rise by λ and s_j to fall. All of a question is then multiplied with
/// log2(1 + Σ 2λ) / Σ 2λ, so that questions with many pairs don't drown the others.
package struct LambdaLoss {
    /// Places that count in the ideal DCG.
    package let cutoff: Int
    /// Of a pair one must stand among so many first.
    package let reach: Int
    private var discounts: [Float] = []
    private var order: [UInt64] = []
    private var ranked: [(score: Float, gain: Float)] = []
    private var moves: [Float] = []
    private var answers: [Int] = []

    /// A loss at a place of lists.
    package init(cutoff: Int = 10, reach: Int = 20) {
        (self.cutoff, self.reach) = (cutoff, reach)
    }

    /// By each score what a step down the loss takes from it; candidates of equal scores stand as they were given.
    ///
    /// - Parameters:
    ///   - scores, slopes: the candidates', `goals` apart; `slopes` are overwritten.
    ///   - gains: `[candidates]`, 0 or more, the largest of them 1.
    ///   - weight: what all of it is multiplied with.
    package mutating func slopes(
        _ scores: UnsafePointer<Float>, gains: UnsafePointer<Float>, candidates: Int, goals: Int, weight: Float,
        into slopes: UnsafeMutablePointer<Float>
    ) {
        rank(scores, gains, candidates, goals)
        let ideal = idealGain()
        var total: Float = 0
        for first in 0..<min(reach, candidates) where ideal > 0 {
            if ranked[first].gain == 0 {
                // Only the few that are worth something differ from it.
                for second in answers where second > first { total += 2 * move(first, second, ideal) }
            } else {
                for second in first + 1..<max(candidates, first + 1) where ranked[second].gain != ranked[first].gain {
                    total += 2 * move(first, second, ideal)
                }
            }
        }
        let scale = total > 0 ? weight * log2(1 + total) / total : 0
        for place in 0..<candidates { slopes[Int(truncatingIfNeeded: order[place] & 0xFFFF_FFFF) * goals] = scale * moves[place] }
    }

    /// Sets ``ranked`` by score, and where in it those stand that are worth something.
    private mutating func rank(_ scores: UnsafePointer<Float>, _ gains: UnsafePointer<Float>, _ candidates: Int, _ goals: Int) {
        while discounts.count < max(candidates, cutoff) { discounts.append(1 / log2(Float(discounts.count + 2))) }
        order.removeAll(keepingCapacity: true)
        for candidate in 0..<candidates {
            // Bits of a Float in an order that falls with it, then the candidate: sorting whole numbers is cheap.
            let bits = (scores[candidate * goals] + 0).bitPattern
            let rising = bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
            order.append(UInt64(~rising) << 32 | UInt64(candidate))
        }
        order.sort()
        ranked.removeAll(keepingCapacity: true)
        answers.removeAll(keepingCapacity: true)
        for place in 0..<candidates {
            let candidate = Int(truncatingIfNeeded: order[place] & 0xFFFF_FFFF)
            if gains[candidate] > 0 { answers.append(place) }
            ranked.append((scores[candidate * goals], gains[candidate]))
        }
        moves.removeAll(keepingCapacity: true)
        moves.append(contentsOf: repeatElement(0, count: candidates))
    }

    private func idealGain() -> Float {
        var sum: Float = 0
        for (place, gain) in answers.map({ ranked[$0].gain }).sorted(by: >).prefix(cutoff).enumerated() { sum += gain * discounts[place] }
        return sum
    }

    /// Moves the pair of places and returns its λ.
    private mutating func move(_ first: Int, _ second: Int, _ ideal: Float) -> Float {
        let isRight = ranked[first].gain > ranked[second].gain
        let (up, down) = isRight ? (first, second) : (second, first)
        let difference = ranked[up].score - ranked[down].score
        let weight =
            (discounts[first] - discounts[second]) * (ranked[up].gain - ranked[down].gain) / (ideal * (0.01 + abs(difference)))
        let lambda = weight / (1 + exp(difference))
        moves[up] -= lambda
        moves[down] += lambda
        return lambda
    }
}
