import ContentModel
import MetaLearning
import Tensors

/// What a model needs to adapt to new categories: vectors by content, and where adaptations start.
public struct CategoryKit: Sendable, Equatable {
    /// History rows are the model's.
    public var factors: ContentFactors
    /// Where each way of adapting starts.
    public var starts: CategoryStarts
    /// What categories are values of: `categories`, or an attribute of items.
    public var field: String

    /// Makes a kit of parts that were learned together.
    public init(factors: ContentFactors, starts: CategoryStarts, field: String) {
        self.factors = factors
        self.starts = starts
        self.field = field
    }

    private static let version = 1
    private static let fieldName = "field"

    /// The kit as tensors.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.texts[Self.fieldName] = field
        part.add(factors.encoded(), under: "factors")
        part.add(starts.encoded(), under: "starts")
        return part
    }

    /// A kit from its tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        let reader = try PartReader(part.without(["factors", "starts"]), of: "the adaptation", version: Self.version)
        let field = try reader.text(Self.fieldName)
        try reader.end()
        self.init(
            factors: try ContentFactors(encoded: part.under("factors")), starts: try CategoryStarts(encoded: part.under("starts")),
            field: field)
        guard starts.meta[1].columns == factors.rank else { throw reader.failure("has starts and factors of different ranks") }
    }
}
