import CFaiss

/// How an index stores the components of its vectors.
public enum VectorCode: Int32, Sendable, CaseIterable {
    /// As they are: scores are exact.
    case float32 = 0
    /// The upper half of a float: 8 significant bits, half the memory.
    case bfloat16 = 1
    /// One of 256 equal steps between the component's smallest and largest value: a quarter of the memory, and fastest.
    case int8 = 2

    /// For logs and statistics.
    public var name: String {
        switch self {
        case .float32: "float32"
        case .bfloat16: "bfloat16"
        case .int8: "int8"
        }
    }
}

/// What compares codes with a query. All give the same answers; byte codes give the same scores, bit for bit.
public enum VectorInstructions: Int32, Sendable, CaseIterable, Comparable {
    /// Plain C++: the reference.
    case scalar = 0
    case avx2 = 1
    /// AVX-512 with products of bytes.
    case avx512vnni = 2

    /// The best that the running processor has.
    public static var best: VectorInstructions { VectorInstructions(rawValue: vector_best_instructions()) ?? .scalar }

    public static func < (left: VectorInstructions, right: VectorInstructions) -> Bool { left.rawValue < right.rawValue }
}

/// What an index holds in memory, in bytes.
public struct IndexMemory: Sendable, Equatable {
    /// Codes of vectors, or the vectors themselves where the index searches these.
    public var codes = 0
    /// The row of each code.
    public var rows = 0
    /// Centres and sizes of lists.
    public var lists = 0
    /// Links of a graph.
    public var links = 0
    /// Where each row's code stands, for removal and for answers among given rows.
    public var places = 0

    /// All of it, in bytes.
    public var total: Int { codes + rows + lists + links + places }
}
