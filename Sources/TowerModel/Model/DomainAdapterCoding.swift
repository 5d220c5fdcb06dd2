import Tensors

extension DomainAdapters {
    private static let version = 1
    private static let sizeRange = 0...65_536

    /// The adapters as tensors.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("domains", list: tokens)
        part.add("dimension", integers: [dimension])
        part.add("rank", integers: [rank])
        part.add("values", values, columns: Self.width(dimension: dimension, rank: rank))
        return part
    }

    /// Adapters from their tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the domain adapters", version: Self.version)
        let tokens = try reader.list("domains")
        let dimension = try reader.integer("dimension", in: Self.sizeRange), rank = try reader.integer("rank", in: Self.sizeRange)
        let values = try reader.floats("values", columns: Self.width(dimension: dimension, rank: rank))
        try reader.end()
        do throws(ModelError) {
            try self.init(tokens: tokens, dimension: dimension, rank: rank, values: values)
        } catch {
            throw reader.failure("do not fit each other: \(error)")
        }
    }
}
