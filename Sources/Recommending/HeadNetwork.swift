#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the heads say of one candidate.
public struct HeadOutput: Sendable, Equatable {
    /// The logit of a click, or of any interaction where the log has no impressions.
    public var click: Float
    /// The logit of a purchase after a click.
    public var conversion: Float
    /// The mean of ln(order value / mean order value), given a purchase.
    public var location: Float
    /// The natural logarithm of its standard deviation.
    public var logScale: Float

    /// Makes an output.
    public init(click: Float, conversion: Float, location: Float, logScale: Float) {
        self.click = click
        self.conversion = conversion
        self.location = location
        self.logScale = logScale
    }

    /// The probability of a click.
    public var clickProbability: Float { 1 / (1 + exp(-click)) }
    /// The probability of a purchase after a click; `clickProbability * conversionProbability` is that of both (ESMM, arXiv
    /// 1804.07931, eq. 1).
    public var conversionProbability: Float { 1 / (1 + exp(-conversion)) }
    /// ln of the expected order value given a purchase, relative to the mean order value: μ + σ²/2 (ZILN, arXiv 1912.07753, eq. 3).
    public var logValue: Float { location + exp(2 * logScale) / 2 }
}

/// A small network with a shared hidden layer, a direct path beside it and four outputs: see ``HeadOutput``.
///
/// Inputs are standardised first. With 23 features and ``width`` hidden units 300 candidates take some tens of microseconds.
public struct HeadNetwork: Sendable, Equatable {
    /// Hidden units.
    public static let width = 16
    static let outputs = 4
    /// ln of the standard deviation stays within these, so that one odd order cannot make values explode.
    static let logScaleRange: ClosedRange<Float> = -2...1

    /// Features are used as (x − mean) · scale.
    public internal(set) var mean: [Float]
    /// What each feature is multiplied by then.
    public internal(set) var scale: [Float]
    /// `[features + 1, width]` of the hidden layer, the bias last; then `[features + 1 + width, outputs]`: the direct path, its
    /// bias, and what hidden units count. Row-major.
    public internal(set) var parameters: [Float]

    /// Features that go in.
    public var featureCount: Int { mean.count }

    /// How many parameters a network with so many features has.
    public static func parameterCount(features: Int) -> Int {
        (features + 1) * width + (features + 1 + width) * outputs
    }

    /// Makes a network.
    public init(mean: [Float], scale: [Float], parameters: [Float]) {
        precondition(mean.count == scale.count, "\(mean.count) means and \(scale.count) scales")
        precondition(
            parameters.count == Self.parameterCount(features: mean.count), "\(parameters.count) parameters for \(mean.count) features")
        self.mean = mean
        self.scale = scale
        self.parameters = parameters
    }

    /// The outputs for candidates.
    ///
    /// - Parameter features: `[candidates, featureCount]`, row-major.
    public func outputs(_ features: UnsafeBufferPointer<Float>) -> [HeadOutput] {
        let count = featureCount
        precondition(count > 0 && features.count.isMultiple(of: count), "\(features.count) numbers are no rows of \(count) features")
        return parameters.withUnsafeBytes { bytes in
            // Lanes are loaded where they lie: a row of the hidden layer is one vector, a row of the outputs another.
            let tail = (count + 1) * Self.width * 4
            return (0..<features.count / count).map { candidate in
                var hidden = bytes.loadUnaligned(fromByteOffset: count * 64, as: SIMD16<Float>.self)
                var out = bytes.loadUnaligned(fromByteOffset: tail + count * 16, as: SIMD4<Float>.self)
                for place in 0..<count {
                    let x = (features[candidate * count + place] - mean[place]) * scale[place]
                    hidden += x * bytes.loadUnaligned(fromByteOffset: place * 64, as: SIMD16<Float>.self)
                    out += x * bytes.loadUnaligned(fromByteOffset: tail + place * 16, as: SIMD4<Float>.self)
                }
                hidden.replace(with: 0, where: hidden .< 0)
                for unit in 0..<Self.width {
                    out += hidden[unit] * bytes.loadUnaligned(fromByteOffset: tail + (count + 1 + unit) * 16, as: SIMD4<Float>.self)
                }
                return HeadOutput(click: out[0], conversion: out[1], location: out[2], logScale: Self.bounded(out[3]))
            }
        }
    }

    static func bounded(_ logScale: Float) -> Float { min(max(logScale, logScaleRange.lowerBound), logScaleRange.upperBound) }
}
