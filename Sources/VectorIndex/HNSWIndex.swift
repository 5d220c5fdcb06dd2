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

/// The C handle of a graph, freed with the last reference.
///
/// `@unchecked Sendable`: the handle is owned, set once and never changed; the library lets several threads read it at once.
final class GraphHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        vector_graph_free(pointer)
    }

    /// The graph's arrays, valid as long as the handle.
    var parts: vector_graph_parts {
        var parts = vector_graph_parts()
        vector_graph_view(pointer, &parts)
        return parts
    }
}

/// Approximate search in a graph of neighbours, by FAISS.
///
/// The graph never changes after it was built, and FAISS reads it without writing, so searches from several threads at once
/// are safe; each runs on its calling thread alone. With one thread the same vectors give the same graph.
public struct HNSWIndex: CandidateIndex {
    /// A search that asks for more than this share of all vectors (1/8) compares every one instead: faster and exact.
    private static let exactShare = 8

    /// How the graph is built and searched.
    public internal(set) var settings: HNSWSettings
    let table: VectorTable
    let graph: GraphHandle

    /// Builds the graph of `vectors`, `[count, dimension]`, row-major, which are copied.
    ///
    /// - Parameter threads: how many threads build at once. The build blocks its caller.
    public init(
        vectors: [Float], dimension: Int, settings: HNSWSettings = HNSWSettings(), threads: Int = 1
    ) throws(VectorIndexError) {
        let table = try VectorTable(vectors, dimension: dimension)
        try Self.check(settings)
        graph = try Self.call("build a graph of \(table.count) vectors") { message, bytes, graph in
            vector_graph_build(
                table.start, Int64(table.count), Int32(table.dimension), Int32(settings.neighbours),
                Int32(settings.efConstruction), Int32(clamping: threads), &graph, message, bytes)
        }
        self.table = table
        self.settings = settings
    }

    /// Restores a graph from checked parts. `levels` has one element a vector.
    init(
        table: VectorTable, settings: HNSWSettings, levels: UnsafePointer<Int32>, links: UnsafeBufferPointer<Int32>,
        entryPoint: Int32, maxLevel: Int32
    ) throws(VectorIndexError) {
        try Self.check(settings)
        var parts = vector_graph_parts(
            count: Int64(table.count), neighbours: Int32(settings.neighbours), entry_point: entryPoint,
            max_level: maxLevel, levels: levels, links: links.baseAddress, links_count: Int64(links.count))
        graph = try Self.call("restore a graph of \(table.count) vectors") { message, bytes, graph in
            vector_graph_restore(table.start, Int32(table.dimension), &parts, &graph, message, bytes)
        }
        self.table = table
        self.settings = settings
    }

    public var count: Int { table.count }
    /// The length of each vector.
    public var dimension: Int { table.dimension }

    /// What it holds: the vectors, and the levels and links of the graph.
    public var memory: IndexMemory {
        let parts = graph.parts
        var memory = table.memory
        // A level and an offset a vector.
        memory.links = Int(parts.links_count) * 4 + Int(parts.count) * 12
        return memory
    }

    /// A graph cannot pass over rows: it is asked for as many more as the filter is likely to take away, then for four times
    /// as many, and where that is a large share of all, every vector is compared.
    public func search(
        _ query: UnsafeBufferPointer<Float>, count wanted: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate] {
        guard wanted > 0, table.accepts(query) else { return [] }
        let share = Double(min(max(admissible, 1), count)) / Double(count)
        var asked = Int(min(Double(count), Double(wanted + wanted / 4 + 32) / share))
        while asked <= count / Self.exactShare {
            let found = search(query, count: asked).filter { admits($0.row) }
            if found.count >= wanted { return Array(found.prefix(wanted)) }
            asked *= 4
        }
        return table.exact(query, count: wanted, admits: admits)
    }

    public func search(_ query: UnsafeBufferPointer<Float>, count wanted: Int) -> [Candidate] {
        search(query, count: wanted, efSearch: settings.efSearch)
    }

    /// A search that keeps another number of candidates than the settings say.
    public func search(_ query: UnsafeBufferPointer<Float>, count wanted: Int, efSearch: Int) -> [Candidate] {
        guard wanted > 0, table.accepts(query), let start = query.baseAddress else { return [] }
        let k = min(wanted, count)
        if k > count / Self.exactShare { return table.exact(query, count: k) }
        let found = withUnsafeTemporaryAllocation(of: Int32.self, capacity: k) { rows in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: k) { scores -> [Candidate] in
                var found: Int32 = 0
                var message: CChar = 0
                let code = vector_graph_search(
                    graph.pointer, start, Int32(k), Int32(clamping: max(efSearch, 1)), rows.baseAddress, scores.baseAddress, &found,
                    &message, 1)
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
        _ task: @autoclosure () -> String, _ body: (UnsafeMutablePointer<CChar>?, Int, inout OpaquePointer?) -> Int32
    ) throws(VectorIndexError) -> GraphHandle {
        var graph: OpaquePointer?
        try ShimCall.run(task()) { body($0, $1, &graph) }
        guard let graph else { throw VectorIndexError(.failed, "Cannot \(task()).") }
        return GraphHandle(graph)
    }
}
