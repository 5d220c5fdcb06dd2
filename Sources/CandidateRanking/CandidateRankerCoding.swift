import Tensors

extension CandidateRanker {
    private static let version = 1
    /// Lengths of history with weights of their own: a part with more is none.
    private static let newcomersLimit = 16, newcomers = "newcomers"
    private static let tablesPrefix = "tables", networkPrefix = "network"

    /// The ranker as tensors; tables are in their own rows.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("weights", [weights.horizonDays, weights.interest] + weights.goals)
        part.add("signals", list: CandidateSignal.allCases.map(\.name))
        // Absent where there are none, as in parts of before there were any.
        for own in weights.newcomers {
            part.add("\(Self.newcomers).\(own.historyLimitEvents)", [own.interest] + own.goals)
        }
        if !weights.newcomers.isEmpty { part.add(Self.newcomers, integers: weights.newcomers.map(\.historyLimitEvents)) }
        part.add(tables.encoded(), under: Self.tablesPrefix)
        part.add(weights.network.encoded(), under: Self.networkPrefix)
        return part
    }

    /// A ranker from its tensors.
    ///
    /// - Throws: ``PartFormatError`` where one is missing, unknown, of another version or length, or holds numbers that cannot be, and
    ///   where it was trained with other signals.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        tables = try CandidateTables(encoded: part.under(Self.tablesPrefix))
        let network = try CandidateNetwork(encoded: part.under(Self.networkPrefix))
        var reader = try PartReader(
            part.without([Self.tablesPrefix, Self.networkPrefix]), of: "the ranker", version: Self.version)
        let names = try reader.list("signals")
        guard names == CandidateSignal.allCases.map(\.name), network.width == names.count else {
            throw PartFormatError("the ranker was trained with other signals than this program knows. Train again.")
        }
        let numbers = try reader.floats("weights", count: network.goals + 2)
        weights = RankerWeights(
            network: network, interest: numbers[1], goals: Array(numbers.dropFirst(2)), horizonDays: numbers[0],
            usesTimes: tables.usesTimes)
        if reader.has(Self.newcomers) {
            let limits = try reader.integers(Self.newcomers, in: 0...Int(Int32.max))
            guard limits.count <= Self.newcomersLimit, zip(limits, limits.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw reader.failure("holds lengths of history that cannot be")
            }
            for limit in limits {
                let own = try reader.floats("\(Self.newcomers).\(limit)", count: network.goals + 1)
                weights.newcomers.append(
                    RankerWeights.Newcomer(historyLimitEvents: limit, interest: own[0], goals: Array(own.dropFirst())))
            }
        }
        try reader.end()
    }
}
