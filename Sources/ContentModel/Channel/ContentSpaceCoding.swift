import Tensors

extension ContentSpace {
    private static let version = 1

    /// The space as tensors: its tables in 16 bits a number.
    func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("mean", mean)
        part.add("lengths", [factorLength, meanLength])
        part.add("rows", .int32(rows))
        part.add("tokens", rounding: tokens, columns: dimension)
        part.add("numbers", rounding: numbers, columns: dimension)
        part.add("factors", rounding: factors, columns: dimension)
        part.add("trained", .uint64(trained))
        return part
    }

    /// A space from its tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    init(encoded part: PartTensors, tokenCount: Int) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the content space", version: Self.version)
        let mean = try reader.floats("mean"), dimension = mean.count
        guard 1...Self.dimensionLimit ~= dimension, dimension.isMultiple(of: 16) else {
            throw reader.failure("has \(dimension) components, which no training makes")
        }
        let lengths = try reader.floats("lengths", count: 2)
        let tokens = try reader.halves("tokens", columns: dimension)
        let numbers = try reader.halves("numbers", columns: dimension, rows: ContentNumbers.count)
        let trained = try reader.hashes("trained")
        let factors = try reader.halves("factors", columns: dimension, rows: trained.count)
        // A row below the table's, or none.
        let rows = try reader.int32("rows", count: tokenCount, in: -1...(tokens.count / dimension - 1))
        try reader.end()
        self.init(
            dimension: dimension, rows: rows, tokens: tokens, numbers: numbers, mean: mean, trained: trained, factors: factors,
            factorLength: lengths[0], meanLength: lengths[1])
    }
}
