import Recommending

/// The index of a snapshot: exact for a small catalogue, a graph for a large one.
public struct ItemIndex: CandidateIndex {
    /// From this many items on a graph is used.
    public static let graphFromItems = 20_000

    enum Form: Sendable {
        case flat(FlatIndex)
        case graph(HNSWIndex)
    }

    let form: Form

    init(_ form: Form) {
        self.form = form
    }

    /// Builds the index that suits the number of vectors.
    ///
    /// - Parameters:
    ///   - vectors: `[count, dimension]`, row-major; the row of a vector is its place.
    ///   - threads: how many threads build a graph at once. The call blocks until it is built.
    public static func build(
        vectors: [Float], dimension: Int, threads: Int = 1, settings: HNSWSettings = HNSWSettings()
    ) throws(VectorIndexError) -> ItemIndex {
        let table = try VectorTable(vectors, dimension: dimension)
        guard table.count >= graphFromItems else { return ItemIndex(.flat(FlatIndex(table: table))) }
        return ItemIndex(.graph(try HNSWIndex(table: table, settings: settings, threads: threads)))
    }

    public var count: Int { table.count }
    public var dimension: Int { table.dimension }

    /// `flat` or `hnsw`: for logs and statistics.
    public var kind: String {
        switch form {
        case .flat: "flat"
        case .graph: "hnsw"
        }
    }

    public func search(_ query: UnsafeBufferPointer<Float>, count: Int) -> [Candidate] {
        switch form {
        case .flat(let index): index.search(query, count: count)
        case .graph(let index): index.search(query, count: count)
        }
    }

    var table: VectorTable {
        switch form {
        case .flat(let index): index.table
        case .graph(let index): index.table
        }
    }
}
