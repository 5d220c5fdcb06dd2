import Tensors

extension ContentFactors {
    private static let version = 1
    private static let rankLimit = 1_024

    /// The factors as tensors.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("tokens", tokenRows, columns: rank + 1)
        part.add("numbers", numberRows, columns: rank + 1)
        part.add("mean", mean)
        part.add("history", historyRows, columns: rank)
        return part
    }

    /// The same factors with the history rows in another order: row i here is the former row `rows[i]`, or none.
    public func renumbered(_ rows: [Int?]) -> ContentFactors {
        var history = [Float](repeating: 0, count: rows.count * rank)
        for (new, old) in rows.enumerated() {
            if let old { for place in 0..<rank { history[new * rank + place] = historyRows[old * rank + place] } }
        }
        return ContentFactors(rank: rank, tokenRows: tokenRows, numberRows: numberRows, mean: mean, historyRows: history)
    }

    /// Factors from their tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the content factors", version: Self.version)
        let mean = try reader.floats("mean"), rank = mean.count - 1
        guard 1...Self.rankLimit ~= rank else { throw reader.failure("are of rank \(rank), which no training makes") }
        let tokens = try reader.floats("tokens", columns: rank + 1)
        let numbers = try reader.floats("numbers", count: ContentNumbers.count * (rank + 1), columns: rank + 1)
        let history = try reader.floats("history", columns: rank)
        try reader.end()
        self.init(rank: rank, tokenRows: tokens, numberRows: numbers, mean: mean, historyRows: history)
    }
}
