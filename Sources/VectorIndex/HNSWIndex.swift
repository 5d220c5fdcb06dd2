import CFaiss
import Recommending

/// How a graph is built and searched (Malkov and Yashunin 2016, arXiv 1603.09320).
public struct HNSWSettings: Sendable, Equatable {
    /// Links of a vector on each level above the lowest, which has twice as many.
    public var neighbours: Int
    /// How many candidates are looked at for the links of a new vector. More: a better graph, a longer build.
    public var efConstruction: Int
    /// How many candidates a search keeps. More: better recall, longer searches. A search for more items keeps as many.
    public var efSearch: Int

    /// Makes settings.
    public init(neighbours: Int = 32, efConstruction: Int = 64, efSearch: Int = 96) {
        self.neighbours = neighbours
        self.efConstruction = efConstruction
        self.efSearch = efSearch
    }
}

/// Approximate search in a graph of neighbours, by FAISS.
///
/// The graph never changes after it was built, and FAISS reads it without writing, so searches from several threads at once
/// are safe; each runs on its calling thread alone. With one thread the same vectors give the same graph.
///
/// `@unchecked Sendable`: the C handle is owned, set once, and freed with the last reference.
public final class HNSWIndex: CandidateIndex, @unchecked Sendable {
    /// A search that asks for more than this share of all vectors (1/8) compares every one instead: faster and exact.
    private static let exactShare = 8

    public let settings: HNSWSettings
    let table: VectorTable
    let graph: OpaquePointer

    /// Builds the graph of `vectors`, `[count, dimension]`, row-major, which are copied.
    ///
    /// - Parameter threads: how many threads build at once. The build blocks its caller.
    public convenience init(
        vectors: [Float], dimension: Int, settings: HNSWSettings = HNSWSettings(), threads: Int = 1
    ) throws(VectorIndexError) {
        try self.init(table: try VectorTable(vectors, dimension: dimension), settings: settings, threads: threads)
    }

    convenience init(table: VectorTable, settings: HNSWSettings, threads: Int) throws(VectorIndexError) {
        try Self.check(settings)
        let graph = try Self.call("build an index of \(table.count) vectors") { message, bytes, graph in
            vector_graph_build(
                table.start, Int64(table.count), Int32(table.dimension), Int32(settings.neighbours),
                Int32(settings.efConstruction), Int32(settings.efSearch), Int32(clamping: threads), &graph, message, bytes)
        }
        self.init(table: table, settings: settings, graph: graph)
    }

    /// Restores a graph from checked parts. `levels` has one element a vector.
    convenience init(
        table: VectorTable, settings: HNSWSettings, levels: UnsafePointer<Int32>, links: UnsafeBufferPointer<Int32>,
        entryPoint: Int32, maxLevel: Int32
    ) throws(VectorIndexError) {
        try Self.check(settings)
        var parts = vector_graph_parts(
            count: Int64(table.count), neighbours: Int32(settings.neighbours), entry_point: entryPoint,
            max_level: maxLevel, levels: levels, links: links.baseAddress, links_count: Int64(links.count))
        let graph = try Self.call("restore an index of \(table.count) vectors") { message, bytes, graph in
            vector_graph_restore(table.start, Int32(table.dimension), &parts, Int32(settings.efSearch), &graph, message, bytes)
        }
        self.init(table: table, settings: settings, graph: graph)
    }

    private init(table: VectorTable, settings: HNSWSettings, graph: OpaquePointer) {
        self.table = table
        self.settings = settings
        self.graph = graph
    }

    deinit {
        vector_graph_free(graph)
    }

    public var count: Int { table.count }
    public var dimension: Int { table.dimension }

    public func search(_ query: UnsafeBufferPointer<Float>, count wanted: Int) -> [Candidate] {
        guard wanted > 0, table.accepts(query), let start = query.baseAddress else { return [] }
        let k = min(wanted, count)
        if k > count / Self.exactShare { return table.exact(query, count: k) }
        let found = withUnsafeTemporaryAllocation(of: Int32.self, capacity: k) { rows in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: k) { scores -> [Candidate] in
                var found: Int32 = 0
                var message: CChar = 0
                let code = vector_graph_search(
                    graph, start, Int32(k), rows.baseAddress, scores.baseAddress, &found, &message, 1)
                guard code == VECTOR_GRAPH_OK else { return [] }
                return (0..<Int(found)).map { Candidate(row: rows[$0], score: scores[$0]) }
            }
        }
        // A graph may not reach every vector, and a search may fail for want of memory: then the exact search answers.
        guard found.count == k else { return table.exact(query, count: k) }
        return found.sorted { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }
    }

    private static func check(_ settings: HNSWSettings) throws(VectorIndexError) {
        guard 2...512 ~= settings.neighbours, 1...4_096 ~= settings.efConstruction, 1...65_536 ~= settings.efSearch else {
            throw VectorIndexError(
                .invalidInput,
                "\(settings): neighbours must be in 2...512, efConstruction in 1...4096 and efSearch in 1...65536.")
        }
    }

    private static func call(
        _ task: String, _ body: (UnsafeMutablePointer<CChar>?, Int, inout OpaquePointer?) -> Int32
    ) throws(VectorIndexError) -> OpaquePointer {
        var graph: OpaquePointer?
        var message = [CChar](repeating: 0, count: 512)
        let code = message.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count, &graph) }
        if code == VECTOR_GRAPH_OK, let graph { return graph }
        let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let detail = "Cannot \(task): \(String(decoding: text, as: UTF8.self))."
        switch code {
        case Int32(VECTOR_GRAPH_OUT_OF_MEMORY): throw VectorIndexError(.outOfMemory, detail)
        case Int32(VECTOR_GRAPH_INVALID): throw VectorIndexError(.invalidInput, detail)
        default: throw VectorIndexError(.failed, detail)
        }
    }
}
