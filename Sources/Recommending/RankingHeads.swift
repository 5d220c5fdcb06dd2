/// How much each goal counts in the score: `click · ln pCTR + conversion · ln pCVR + value · ln E[value]`.
public struct ObjectivePowers: Sendable, Equatable, Codable {
    /// What ln pCTR is multiplied by.
    public var click: Float
    /// What ln pCVR is multiplied by.
    public var conversion: Float
    /// What ln E[value] is multiplied by.
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
    /// The mean of each feature, which is subtracted.
    public var mean: [Float]
    /// What each feature is multiplied by then.
    public var scale: [Float]
    /// All weights, layer after layer.
    public var parameters: [Float]
    /// Makes a probability of a click's logit.
    public var click: Calibration
    /// Makes a probability of a purchase's logit.
    public var conversion: Calibration
    /// What each goal counts for where nobody asks for another mix.
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
    /// What was learned.
    public var weights: HeadWeights
    /// What the signals read of the past.
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
