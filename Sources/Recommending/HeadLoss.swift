#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Something that was shown, or that stands for it, and what came of it.
public struct HeadExample: Sendable, Equatable {
    /// How much a click counts, from 0 (none) to 1.
    public var click: Float
    /// Whether it was bought.
    public var isBought: Bool
    /// What was paid over the mean order value; 0 where nothing was or nothing is known.
    public var value: Float
    /// How much the example counts.
    public var weight: Float

    /// Makes an example.
    public init(click: Float, isBought: Bool, value: Float = 0, weight: Float = 1) {
        self.click = click
        self.isBought = isBought
        self.value = value
        self.weight = weight
    }
}

/// The losses of the heads with their derivatives by the outputs.
///
/// Click and conversion are ESMM's (arXiv 1804.07931, eq. 3): cross-entropies of p and of p·q over *all* examples, so that the
/// conversion head q has no bias from being seen on clicks only. Value is ZILN's (arXiv 1912.07753, eq. 6), whose chance of any value is
/// p·q here: what is left of it is the log-normal likelihood of what was paid.
public struct HeadLoss: Sendable, Equatable {
    /// The losses: click, click and purchase, value.
    public static let names = ["click", "conversion", "value"]
    private static let leastProbability: Float = 1e-7

    /// What each loss counts.
    public var weights: [Float]

    /// Makes a loss.
    public init(weights: [Float] = [1, 1, 1]) {
        precondition(weights.count == Self.names.count, "\(weights.count) weights for \(Self.names.count) losses")
        self.weights = weights
    }

    /// The three losses of an example, and the derivative of their weighted sum by click, conversion, location and logScale.
    public func evaluate(_ output: HeadOutput, _ example: HeadExample) -> (losses: SIMD3<Float>, slope: SIMD4<Float>) {
        let p = output.clickProbability, q = output.conversionProbability
        let least = Self.leastProbability
        let both = min(max(p * q, least), 1 - least)
        let bought: Float = example.isBought ? 1 : 0
        var losses = SIMD3<Float>(
            -example.click * log(max(p, least)) - (1 - example.click) * log(max(1 - p, least)),
            -bought * log(both) - (1 - bought) * log(1 - both), 0)
        var slope = SIMD4<Float>(repeating: 0)
        slope[0] = weights[0] * (p - example.click) + weights[1] * (both - bought) * (1 - p) / (1 - both)
        slope[1] = weights[1] * (both - bought) * (1 - q) / (1 - both)
        if example.isBought, example.value > 0 {
            let logarithm = log(example.value), spread = exp(output.logScale)
            let distance = (logarithm - output.location) / spread
            losses[2] = logarithm + output.logScale + 0.918_938_5 + distance * distance / 2
            slope[2] = -weights[2] * distance / spread
            slope[3] = weights[2] * (1 - distance * distance)
        }
        return (example.weight * losses, example.weight * slope)
    }
}
