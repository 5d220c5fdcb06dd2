import Tensors

extension CandidateNetwork {
    private static let version = 1
    /// No fit gets near it; beyond it sums could overflow.
    private static let largestParameter: Float = 1e6

    /// The network as tensors.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("scaling.mean", scaling.mean)
        part.add("scaling.scale", scaling.scale)
        // Only where it is so: a program that does not know it refuses the file instead of taking logarithms.
        if scaling.isPlain { part.add("scaling.plain", .uint8([1])) }
        part.add("hidden", integers: hidden)
        part.add("goals", integers: [goals])
        part.add("parameters", parameters)
        return part
    }

    /// A network from its tensors.
    ///
    /// - Throws: ``PartFormatError`` where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the network that orders candidates", version: Self.version)
        let mean = try reader.floats("scaling.mean")
        let scale = try reader.floats("scaling.scale", count: mean.count)
        let isPlain = reader.has("scaling.plain") ? try reader.flags("scaling.plain", count: 1)[0] : false
        let hidden = try reader.integers("hidden", in: Self.unitGroup...Self.maxUnits)
        let goals = try reader.integer("goals", in: 1...Self.maxGoals)
        guard Self.areSizesPossible(width: mean.count, hidden: hidden, goals: goals) else {
            throw reader.failure("has \(mean.count) signals and layers of \(hidden) units, which cannot be")
        }
        let count = Self.parameterCount(width: mean.count, hidden: hidden, goals: goals)
        let parameters = try reader.floats("parameters", count: count)
        try reader.end()
        guard scale.allSatisfy({ $0 >= 0 }), parameters.allSatisfy({ abs($0) <= Self.largestParameter }) else {
            throw reader.failure("holds scales or parameters that cannot be")
        }
        self.init(scaling: SignalScaling(mean: mean, scale: scale, isPlain: isPlain), hidden: hidden, goals: goals, parameters: parameters)
    }
}
