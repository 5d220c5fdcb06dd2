import Tensors

extension CandidateRanker {
    private static let version = 1
    private static let tablesPrefix = "tables", networkPrefix = "network"

    /// The ranker as tensors; tables are in their own rows.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("weights", [weights.horizonDays, weights.interest] + weights.goals)
        part.add("signals", list: CandidateSignal.allCases.map(\.name))
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
        try reader.end()
        weights = RankerWeights(
            network: network, interest: numbers[1], goals: Array(numbers.dropFirst(2)), horizonDays: numbers[0],
            usesTimes: tables.usesTimes)
    }
}
