extension CandidateNetwork: Codable {
    private enum Key: String, CodingKey {
        case mean, scale, plain, hidden, goals, parameters
    }

    /// Writes the network as plain numbers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(scaling.mean, forKey: .mean)
        try container.encode(scaling.scale, forKey: .scale)
        if scaling.isPlain { try container.encode(true, forKey: .plain) }
        try container.encode(hidden, forKey: .hidden)
        try container.encode(goals, forKey: .goals)
        try container.encode(parameters, forKey: .parameters)
    }

    /// Reads a network.
    ///
    /// - Throws: where numbers are missing, are not finite, or are not as many as the sizes ask for.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let mean = try container.decode([Float].self, forKey: .mean), scale = try container.decode([Float].self, forKey: .scale)
        let isPlain = try container.decodeIfPresent(Bool.self, forKey: .plain) ?? false
        let hidden = try container.decode([Int].self, forKey: .hidden), goals = try container.decode(Int.self, forKey: .goals)
        let parameters = try container.decode([Float].self, forKey: .parameters)
        guard mean.count == scale.count, Self.areSizesPossible(width: mean.count, hidden: hidden, goals: goals),
            parameters.count == Self.parameterCount(width: mean.count, hidden: hidden, goals: goals),
            (mean + scale + parameters).allSatisfy(\.isFinite)
        else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "the sizes of a network do not fit its numbers"))
        }
        self.init(scaling: SignalScaling(mean: mean, scale: scale, isPlain: isPlain), hidden: hidden, goals: goals, parameters: parameters)
    }
}
