import Interactions

/// A schema of Avro, checked and made ready for ``AvroDecoder``: types by number, names resolved.
///
/// Immutable, so that threads may share it.
public final class AvroSchema: Sendable {
    /// The largest schema, in bytes of its JSON text; of those that it refers to, each.
    public static let textBytesLimit = 1 << 20
    /// The most types of a schema and those that it refers to.
    public static let typesLimit = 20_000
    /// The deepest nesting of objects and arrays in a schema's text.
    public static let textDepthLimit = 128
    /// The largest `fixed`, in bytes.
    public static let fixedBytesLimit = 1 << 20

    /// A type.
    enum Shape: Sendable {
        case null, boolean, int, long, float, double, bytes, string
        /// Bytes of one length.
        case fixed(Int)
        /// Its symbols are a range of ``symbols``.
        case enumeration(Range<Int>)
        /// Its fields are a range of ``fields``.
        case record(Range<Int>)
        case array(Int)
        case map(Int)
        /// Its branches are a range of ``branches``.
        case union(Range<Int>)
    }

    /// A type with what its schema says beyond it.
    struct TypeNode: Sendable {
        var shape: Shape
        var meaning = ValueMeaning.plain
        /// Whether 16 bytes are a UUID.
        var isUUID = false
    }

    /// A field of a record.
    struct Field: Sendable {
        /// The name in quotes and a colon, as JSON.
        var opening: [UInt8]
        var type: Int
    }

    /// By number; the schema itself is the first.
    let types: [TypeNode]
    let fields: [Field]
    /// In quotes, as JSON.
    let symbols: [[UInt8]]
    let branches: [Int]

    /// Reads a schema.
    ///
    /// - Parameters:
    ///   - text: JSON.
    ///   - references: schemas whose names it may use, each after those that it uses itself.
    /// - Throws: ``AvroProblem`` that says what is wrong with it.
    /// - Complexity: O(bytes).
    public init(_ text: String, references: [String] = []) throws(AvroProblem) {
        var parser = AvroSchemaParser()
        for reference in references { _ = try parser.parse(reference) }
        // The schema itself stands first, whatever it refers to.
        let root = try parser.parse(text)
        parser.types[0] = parser.types[root]
        types = parser.types
        fields = parser.fields
        symbols = parser.symbols
        branches = parser.branches
    }
}

/// What is wrong with a schema or with bytes by it: a piece of a sentence, such as `has no type`.
public struct AvroProblem: Error, Sendable, Equatable {
    /// What kind of problem it is.
    public enum Code: Sendable, Equatable {
        /// The schema is none, or is larger than is read.
        case schema
        /// The bytes are none of the schema.
        case bytes
        /// What the bytes hold is larger, or deeper, than is read.
        case tooLarge
    }

    /// What kind of problem it is.
    public let code: Code
    /// The piece of a sentence.
    public let detail: String
}
