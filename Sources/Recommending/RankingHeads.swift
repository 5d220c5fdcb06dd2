/// How much each goal counts in the score: `click · ln pCTR + conversion · ln pCVR + value · ln E[value]`.
public struct ObjectivePowers: Sendable, Equatable, Codable {
    public var click: Float
    public var conversion: Float
    public var value: Float

    /// Makes powers; by default only interest counts, as without heads.
    public init(click: Float = 1, conversion: Float = 0, value: Float = 0) {
        self.click = click
        self.conversion = conversion
        self.value = value
    }
}

/// What heads learn and carry to the model that is published.
public struct HeadWeights: Sendable, Equatable, Codable {
    public var mean: [Float]
    public var scale: [Float]
    public var parameters: [Float]
    public var click: Calibration
    public var conversion: Calibration
    public var powers: ObjectivePowers
    /// Whether the click head's probability takes the place of the blend's score, since it answers better.
    public var ranksByClickHead: Bool

    /// Makes weights.
    public init(
        _ network: HeadNetwork, click: Calibration = Calibration(), conversion: Calibration = Calibration(),
        powers: ObjectivePowers = ObjectivePowers(), ranksByClickHead: Bool = false
    ) {
        mean = network.mean
        scale = network.scale
        parameters = network.parameters
        self.click = click
        self.conversion = conversion
        self.powers = powers
        self.ranksByClickHead = ranksByClickHead
    }

    /// The network.
    public var network: HeadNetwork { HeadNetwork(mean: mean, scale: scale, parameters: parameters) }
}

/// The heads of the ranker: probability of a click, of a purchase after it, and what an order would be worth.
public struct RankingHeads: Sendable, Equatable {
    public var weights: HeadWeights
    public let tables: HeadTables
    let network: HeadNetwork

    /// Makes heads.
    public init(weights: HeadWeights, tables: HeadTables) {
        self.weights = weights
        self.tables = tables
        network = weights.network
    }

    /// Whether they change a ranking for which no request asks otherwise.
    public var isInUse: Bool { weights.powers != ObjectivePowers() || weights.ranksByClickHead }

    /// The same heads under other row numbers; see ``HeadTables/renumbered(_:itemCount:)``.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> RankingHeads {
        RankingHeads(weights: weights, tables: tables.renumbered(rows, itemCount: itemCount))
    }

    /// What the heads say of candidates, calibrated.
    ///
    /// - Parameter features: `[candidates, HeadFeature.count]`, row-major.
    public func outputs(_ features: UnsafeBufferPointer<Float>) -> [HeadOutput] {
        var outputs = network.outputs(features)
        for place in outputs.indices {
            outputs[place].click = weights.click.logit(outputs[place].click)
            outputs[place].conversion = weights.conversion.logit(outputs[place].conversion)
        }
        return outputs
    }

    /// The final score of a candidate under some powers, a logarithm.
    ///
    /// - Parameter interest: the blend's score: up to a constant of the user it is ln of the probability that the user's next choice is
    ///   the item, and so stands for ln pCTR where the click head does not do better.
    public func score(_ output: HeadOutput, interest: Float, powers: ObjectivePowers) -> Float {
        var score = powers.click * (weights.ranksByClickHead ? naturalLogarithm(max(output.clickProbability, 1e-9)) : interest)
        if powers.conversion != 0 { score += powers.conversion * naturalLogarithm(max(output.conversionProbability, 1e-9)) }
        if powers.value != 0 { score += powers.value * output.logValue }
        return score
    }
}

// Layout, little-endian: the 8 bytes "FRHEADS1"; 32-bit counts of features and items; powers of click, conversion and value; slope and
// offset of both calibrations; 1 or 0 for the click head; mean amount; median price; means, scales and parameters of the network; value
// by item; category by item.
extension RankingHeads {
    private static let magic = Array("FRHEADS1".utf8)

    /// The heads as bytes, for a file beside the model.
    public func encoded() -> [UInt8] {
        var bytes = Self.magic
        func append<Element: BitwiseCopyable>(_ values: [Element]) { values.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        append([UInt32(clamping: network.featureCount), UInt32(clamping: tables.itemCount)])
        append([weights.powers.click, weights.powers.conversion, weights.powers.value])
        append([weights.click.slope, weights.click.offset, weights.conversion.slope, weights.conversion.offset])
        append([weights.ranksByClickHead ? 1 : 0, tables.meanAmountMinor, tables.medianPriceMicros] as [Float])
        append(weights.mean)
        append(weights.scale)
        append(weights.parameters)
        append(tables.value)
        append(tables.category)
        return bytes
    }

    /// Heads from their bytes.
    ///
    /// - Throws: ``BlendFormatError`` where they are cut short, too long, of another version, or hold numbers that cannot be.
    public init(encoded bytes: UnsafeRawBufferPointer) throws(BlendFormatError) {
        var offset = 0
        func values<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) throws(BlendFormatError) -> [Element] {
            let stride = MemoryLayout<Element>.stride
            guard count <= (bytes.count - offset) / stride else {
                throw BlendFormatError(description: "the ranking heads are cut short. Restore the file, or train again.")
            }
            defer { offset += count * stride }
            return (0..<count).map { bytes.loadUnaligned(fromByteOffset: offset + $0 * stride, as: Element.self) }
        }
        func finite(_ count: Int) throws(BlendFormatError) -> [Float] {
            let numbers = try values(Float.self, count)
            guard numbers.allSatisfy(\.isFinite) else {
                throw BlendFormatError(description: "the ranking heads hold values that are not finite. Train again.")
            }
            return numbers
        }
        guard try values(UInt8.self, Self.magic.count) == Self.magic else {
            throw BlendFormatError(description: "these bytes are no ranking heads of this version. Train again.")
        }
        let counts = try values(UInt32.self, 2).map { Int($0) }
        guard counts[0] == HeadFeature.count else {
            throw BlendFormatError(
                description: "the ranking heads have \(counts[0]) features and this program knows \(HeadFeature.count). Train again.")
        }
        let powers = try finite(3), calibrations = try finite(4), others = try finite(3)
        let mean = try finite(counts[0]), scale = try finite(counts[0])
        let parameters = try finite(HeadNetwork.parameterCount(features: counts[0]))
        let value = try finite(counts[1])
        let category = try values(Int32.self, counts[1])
        guard offset == bytes.count, category.allSatisfy({ $0 >= -1 }) else {
            throw BlendFormatError(description: "the ranking heads hold more than they should. Restore the file, or train again.")
        }
        self.init(
            weights: HeadWeights(
                HeadNetwork(mean: mean, scale: scale, parameters: parameters),
                click: Calibration(slope: calibrations[0], offset: calibrations[1]),
                conversion: Calibration(slope: calibrations[2], offset: calibrations[3]),
                powers: ObjectivePowers(click: powers[0], conversion: powers[1], value: powers[2]), ranksByClickHead: others[0] != 0),
            tables: HeadTables(value: value, category: category, meanAmountMinor: others[1], medianPriceMicros: others[2]))
    }
}
