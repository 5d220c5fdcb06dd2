import ContentModel

// Layout, little-endian: the 8 bytes "FRHEADS2"; 32-bit counts of features, items, declared values, their categories in all and the bytes of their
// names; powers of click, conversion and value; slope and offset of both calibrations; 1 or 0 for the click head; mean amount; median
// price; means, scales and parameters of the network; value by item; category by item; the names, each ended by a zero byte; where each
// one's categories begin and the last end; categories; lifts; spending by name.
extension RankingHeads {
    private static let magic = Array("FRHEADS2".utf8)

    /// The heads as bytes, for a file beside the model.
    public func encoded() -> [UInt8] {
        var bytes = Self.magic
        func append<Element: BitwiseCopyable>(_ values: [Element]) { values.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        let declared = tables.declared
        var names: [UInt8] = []
        for name in declared.names { names += Array(name.utf8) + [0] }
        append([network.featureCount, tables.itemCount, declared.names.count, declared.categories.count, names.count].map { UInt32(clamping: $0) })
        append([weights.powers.click, weights.powers.conversion, weights.powers.value])
        append([weights.click.slope, weights.click.offset, weights.conversion.slope, weights.conversion.offset])
        append([weights.ranksByClickHead ? 1 : 0, tables.meanAmountMinor, tables.medianPriceMicros] as [Float])
        append(weights.mean)
        append(weights.scale)
        append(weights.parameters)
        append(tables.value)
        append(tables.category)
        append(names)
        append(declared.starts)
        append(declared.categories)
        append(declared.lifts)
        append(declared.spending)
        return bytes
    }

    /// Heads from their bytes.
    ///
    /// - Throws: ``BlendFormatError`` where they are cut short, too long, of another version, or hold numbers that cannot be.
    public init(encoded bytes: UnsafeRawBufferPointer) throws(BlendFormatError) {
        var reader = ColumnReader(bytes, of: "the ranking heads") { BlendFormatError(description: $0) }
        guard try reader.values(UInt8.self, Self.magic.count) == Self.magic else {
            throw BlendFormatError(description: "these bytes are no ranking heads of this version. Train again.")
        }
        let counts = try reader.values(UInt32.self, 5).map { Int($0) }
        guard counts[0] == HeadFeature.count else {
            throw BlendFormatError(
                description: "the ranking heads have \(counts[0]) features and this program knows \(HeadFeature.count). Train again.")
        }
        let powers = try reader.finite(3), calibrations = try reader.finite(4), others = try reader.finite(3)
        let mean = try reader.finite(counts[0]), scale = try reader.finite(counts[0])
        let parameters = try reader.finite(HeadNetwork.parameterCount(features: counts[0]))
        let value = try reader.finite(counts[1]), category = try reader.values(Int32.self, counts[1])
        let names = try reader.values(UInt8.self, counts[4]).split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
        let starts = try reader.values(Int32.self, counts[2] + 1), categories = try reader.values(Int32.self, counts[3])
        let lifts = try reader.finite(counts[3]), spending = try reader.finite(counts[2])
        try reader.end()
        guard category.allSatisfy({ $0 >= -1 }), names.count == counts[2], zip(names, names.dropFirst()).allSatisfy(<),
            starts.first == 0, starts.last.map(Int.init) == counts[3], zip(starts, starts.dropFirst()).allSatisfy(<=)
        else { throw BlendFormatError(description: "the ranking heads hold categories or names that cannot be. Train again.") }
        self.init(
            weights: HeadWeights(
                HeadNetwork(mean: mean, scale: scale, parameters: parameters),
                click: Calibration(slope: calibrations[0], offset: calibrations[1]),
                conversion: Calibration(slope: calibrations[2], offset: calibrations[3]),
                powers: ObjectivePowers(click: powers[0], conversion: powers[1], value: powers[2]), ranksByClickHead: others[0] != 0),
            tables: HeadTables(
                value: value, category: category, meanAmountMinor: others[1], medianPriceMicros: others[2],
                declared: DeclaredValues(names: names, starts: starts, categories: categories, lifts: lifts, spending: spending)))
    }
}
