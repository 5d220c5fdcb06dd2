import TowerModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What an example weighs by how often its item occurs.
///
/// Both ways have mean 1 over events before they are clipped, so that they compare with weights by type and age.
enum ItemWeights {
    /// By item row; nil where all items weigh the same.
    ///
    /// - Parameter counts: events by item row.
    static func weights(counts: [Int], configuration: TowerConfiguration) -> [Float]? {
        let effective = effectiveNumber(counts, beta: configuration.examples.tailBeta)
        let inverse = inversePropensity(
            counts, power: configuration.examples.propensityPower, limit: configuration.examples.propensityLimit)
        guard let effective else { return inverse }
        return inverse.map { zip(effective, $0).map { $0 * $1 } } ?? effective
    }

    /// Effective-number weights (1 − β) / (1 − β^n), clipped to [0.2, 5] (Cui et al. 2019, equation 2).
    static func effectiveNumber(_ counts: [Int], beta: Float) -> [Float]? {
        guard beta > 0 else { return nil }
        let b = Double(beta)
        return scaled(counts.map { (1 - b) / (1 - pow(b, Double(max(1, $0)))) }, counts: counts, limit: 5)
    }

    /// Inverse propensities: an interaction is seen with a probability that grows with the item's popularity, so each stands for
    /// 1 / propensity of them. The propensity is estimated as (n / largest n)^power (Yang et al. 2018, section 4, whose power is (γ + 1) /
    /// 2; Saito et al. 2020, arXiv 1909.03601, take 1/2). Weights are clipped to [1 / limit, limit]: few events of rare items would
    /// otherwise decide the loss, and a clipped estimate trades that variance for bias.
    static func inversePropensity(_ counts: [Int], power: Float, limit: Float) -> [Float]? {
        guard power > 0 else { return nil }
        // The largest n cancels where the mean becomes 1.
        return scaled(counts.map { pow(Double(max(1, $0)), -Double(power)) }, counts: counts, limit: Double(limit))
    }

    /// Mean 1 over events, then clipped to [1 / limit, limit].
    private static func scaled(_ raw: [Double], counts: [Int], limit: Double) -> [Float] {
        let total = zip(raw, counts).reduce(0.0) { $0 + $1.0 * Double($1.1) }
        let mean = total / Double(max(1, counts.reduce(0, +)))
        return raw.map { Float(min(limit, max(1 / limit, $0 / mean))) }
    }
}

/// τ ln π: what a training adds to the score of each item, and serving does not (Menon et al. 2021, arXiv 2007.07314, equation 10). π is
/// the item's share of all examples, so scores learn what is left when popularity is known: with τ = 1 they rank as if all items were
/// equally frequent. By item row; nil where τ is 0.
///
/// - Parameters:
///   - shares: of all examples by item row; an item without an example counts as one of `examples`.
func logitAdjustments(shares: [Float], examples: Int, strength: Float) -> [Float]? {
    guard strength > 0 else { return nil }
    let least = 1 / Float(max(1, examples))
    return shares.map { strength * log(max($0, least)) }
}
