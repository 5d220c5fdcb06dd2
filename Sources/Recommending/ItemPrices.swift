import Tensors

/// What items cost in a ranking, so that none of them fills everybody's list: subtracted from the final score of those that have one.
///
/// Prices are few, and in units of the scores of the model that they were learned with. A request with an objective of its own has scores
/// of another scale, and pays none.
public struct ItemPrices: Sendable, Equatable, Codable {
    /// By item id, finite and above 0.
    public let byID: [String: Float]

    private static let version = 1

    /// Prices; those that are no finite number above 0 are none.
    public init(_ byID: [String: Float] = [:]) { self.byID = byID.filter { $0.value.isFinite && $0.value > 0 } }

    /// Whether nothing costs anything.
    public var isEmpty: Bool { byID.isEmpty }

    /// The prices as tensors in the rows of a model; items that the model does not know lose theirs. Nil where none is left.
    func encoded(_ itemIDs: [String]) -> PartTensors? {
        let rows = itemIDs.indices.filter { byID[itemIDs[$0]] != nil }
        guard !rows.isEmpty else { return nil }
        var part = PartTensors(version: Self.version)
        part.add("rows", .int32(rows.map { Int32($0) }))
        part.add("prices", rows.map { byID[itemIDs[$0]] ?? 0 })
        return part
    }

    /// Prices from their tensors.
    ///
    /// - Throws: ``PartFormatError`` where rows are none of the model's or a price is none.
    init(encoded part: PartTensors, _ itemIDs: [String]) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the prices of items", version: Self.version)
        let rows = try reader.int32("rows", in: 0...max(0, itemIDs.count - 1)), prices = try reader.floats("prices", count: rows.count)
        guard rows.allSatisfy({ Int($0) < itemIDs.count }), Set(rows).count == rows.count, prices.allSatisfy({ $0.isFinite && $0 > 0 })
        else {
            throw reader.failure("holds rows or prices that cannot be")
        }
        try reader.end()
        byID = Dictionary(zip(rows.map { itemIDs[Int($0)] }, prices)) { first, _ in first }
    }
}
