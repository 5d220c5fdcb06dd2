import Tensors

extension RankingHeads {
    private static let version = 1

    /// The heads as tensors; those of items are in the model's rows.
    public func encoded() -> PartTensors {
        let declared = tables.declared
        var part = PartTensors(version: Self.version)
        part.add("powers", [weights.powers.click, weights.powers.conversion, weights.powers.value])
        part.add(
            "calibration", [weights.click.slope, weights.click.offset, weights.conversion.slope, weights.conversion.offset])
        part.add("ranks_by_click_head", .uint8([weights.ranksByClickHead ? 1 : 0]))
        part.add("network.mean", weights.mean)
        part.add("network.scale", weights.scale)
        part.add("network.parameters", weights.parameters)
        part.add("mean_amount", [tables.meanAmountMinor])
        part.add("median_price", [tables.medianPriceMicros])
        part.add("value", tables.value)
        part.add("category", .int32(tables.category))
        part.add("declared.names", list: declared.names)
        part.add("declared.starts", .int32(declared.starts))
        part.add("declared.categories", .int32(declared.categories))
        part.add("declared.lifts", declared.lifts)
        part.add("declared.spending", declared.spending)
        return part
    }

    /// Heads from their tensors.
    ///
    /// - Throws: ``PartFormatError`` where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the ranking heads", version: Self.version)
        let powers = try reader.floats("powers", count: 3), calibration = try reader.floats("calibration", count: 4)
        let ranks = try reader.flags("ranks_by_click_head", count: 1)[0]
        let mean = try reader.floats("network.mean")
        guard mean.count == HeadFeature.count else {
            throw PartFormatError(
                "the ranking heads have \(mean.count) features and this program knows \(HeadFeature.count). Train again.")
        }
        let scale = try reader.floats("network.scale", count: mean.count)
        let parameters = try reader.floats("network.parameters", count: HeadNetwork.parameterCount(features: mean.count))
        let amount = try reader.floats("mean_amount", count: 1)[0], price = try reader.floats("median_price", count: 1)[0]
        let value = try reader.floats("value")
        let category = try reader.int32("category", count: value.count, in: -1...Int(Int32.max))
        let declared = try DeclaredValues(from: &reader)
        try reader.end()
        self.init(
            weights: HeadWeights(
                HeadNetwork(mean: mean, scale: scale, parameters: parameters),
                click: Calibration(slope: calibration[0], offset: calibration[1]),
                conversion: Calibration(slope: calibration[2], offset: calibration[3]),
                powers: ObjectivePowers(click: powers[0], conversion: powers[1], value: powers[2]), ranksByClickHead: ranks),
            tables: HeadTables(
                value: value, category: category, meanAmountMinor: amount, medianPriceMicros: price, declared: declared))
    }
}

extension DeclaredValues {
    fileprivate init(from reader: inout PartReader) throws(PartFormatError) {
        let names = try reader.list("declared.names")
        let categories = try reader.int32("declared.categories", in: -1...Int(Int32.max))
        let starts = try reader.int32("declared.starts", count: names.count + 1, in: 0...categories.count)
        let lifts = try reader.floats("declared.lifts", count: categories.count)
        let spending = try reader.floats("declared.spending", count: names.count)
        guard zip(names, names.dropFirst()).allSatisfy(<), starts.first == 0, starts.last.map(Int.init) == categories.count,
            zip(starts, starts.dropFirst()).allSatisfy(<=)
        else { throw reader.failure("holds categories or names that cannot be") }
        self.init(names: names, starts: starts, categories: categories, lifts: lifts, spending: spending)
    }
}
