import Recommending

/// Which kind of index to build.
public enum IndexKind: Sendable, Equatable {
    /// ``ItemIndex`` chooses by the number of vectors and what it measures.
    case automatic
    /// Every vector is compared, exactly.
    case flat
    /// A graph of neighbours with these settings. Nil: `efSearch` is chosen for the goal.
    case graph(HNSWSettings?)
    /// Lists of codes with these settings. Nil: everything is chosen for the goal.
    case lists(ListSettings?)
}

/// The index of a snapshot: exact for a small catalogue, lists of codes for a large one, a graph where it is asked for or where
/// lists would have to be looked at one and all.
public struct ItemIndex: CandidateIndex {
    /// Up to this many items an automatic index compares every vector.
    public static let flatUpToItems = 10_000
    /// What a vector that a graph visits costs beside one that is read in passing from a list: visits jump about in memory.
    private static let visitCost = 16
    /// Lists that would be looked at for more than this share of all vectors are no gain.
    private static let largestProbedShare = 0.5

    enum Form: Sendable {
        case flat(FlatIndex)
        case graph(HNSWIndex)
        case lists(ListIndex)
    }

    let form: Form
    /// The recall that was measured when it was built; 1 where search is exact, nil where nothing was measured.
    public internal(set) var measuredRecall: Double?

    init(_ form: Form, measuredRecall: Double? = nil) {
        self.form = form
        self.measuredRecall = measuredRecall
    }

    /// Builds the index that suits the vectors.
    ///
    /// - Parameters:
    ///   - vectors: `[count, dimension]`, row-major; the row of a vector is its place.
    ///   - threads: how many threads build at once. The call blocks until it is built.
    ///   - goal: what an approximate index shall reach, measured against exact search on held-out queries.
    public static func build(
        vectors: [Float], dimension: Int, threads: Int = 1, kind: IndexKind = .automatic, goal: IndexGoal = IndexGoal()
    ) throws(VectorIndexError) -> ItemIndex {
        let count = try VectorInput.checkedCount(vectors, dimension: dimension)
        switch kind {
        case .flat:
            return exact(try FlatIndex(vectors: vectors, dimension: dimension))
        case .graph(let settings?):
            return ItemIndex(.graph(try HNSWIndex(vectors: vectors, dimension: dimension, settings: settings, threads: threads)))
        case .lists(let settings?):
            return ItemIndex(.lists(try ListIndex(vectors: vectors, dimension: dimension, settings: settings, threads: threads)))
        case .automatic where count <= flatUpToItems:
            return exact(try FlatIndex(vectors: vectors, dimension: dimension))
        case .automatic, .lists, .graph:
            guard count > 0 else { return exact(try FlatIndex(vectors: vectors, dimension: dimension)) }
            let queries = try MeasuredQueries(goal, vectors: vectors, dimension: dimension, threads: threads)
            if case .graph = kind { return try tunedGraph(vectors, dimension, threads, goal, queries) }
            return try tunedLists(vectors, dimension, threads, goal, queries, mayBeGraph: kind == .automatic)
        }
    }

    private static func exact(_ index: FlatIndex) -> ItemIndex {
        ItemIndex(.flat(index), measuredRecall: 1)
    }

    /// Bytes where they are good enough, else the next longer code; flat codes where lists would be no gain.
    private static func tunedLists(
        _ vectors: [Float], _ dimension: Int, _ threads: Int, _ goal: IndexGoal, _ queries: MeasuredQueries, mayBeGraph: Bool
    ) throws(VectorIndexError) -> ItemIndex {
        for code in [VectorCode.int8, .bfloat16, .float32] {
            var index = try ListIndex(
                vectors: vectors, dimension: dimension, settings: ListSettings(code: code), threads: threads)
            // No number of probes mends what the codes lose.
            let most = max(1, Int(Double(index.listCount) * largestProbedShare))
            let found = queries.fewest(most, for: goal.recall) { probes in
                queries.recall { index.search($0, count: $1, probes: probes) }
            }
            if let (probes, recall) = found {
                index.settings.plan = try plan(index, probes, goal, vectors, threads)
                return ItemIndex(.lists(index), measuredRecall: recall)
            }
            let listCount = index.listCount
            let all = queries.recall { index.search($0, count: $1, probes: listCount) }
            guard all.mean >= goal.recall else { continue }
            if mayBeGraph, let graph = try quickGraph(vectors, dimension, threads, goal, queries) { return graph }
            index = try ListIndex(
                vectors: vectors, dimension: dimension, settings: ListSettings(code: code, lists: 1), threads: threads)
            return ItemIndex(.lists(index), measuredRecall: all.mean)
        }
        return exact(try FlatIndex(vectors: vectors, dimension: dimension))
    }

    /// Measures how many lists deeper searches need, with fewer queries the deeper they are.
    private static func plan(
        _ index: ListIndex, _ probes: Int, _ goal: IndexGoal, _ vectors: [Float], _ threads: Int
    ) throws(VectorIndexError) -> ProbePlan {
        var steps = [ProbePlan.Step(depth: goal.count, probes: probes)]
        for (factor, share) in [(8, 4), (64, 10)] where goal.count * factor <= index.count / 8 {
            var deeper = goal
            deeper.count = goal.count * factor
            deeper.maxQueries = max(1, goal.maxQueries / share)
            let queries = try MeasuredQueries(deeper, vectors: vectors, dimension: index.dimension, threads: threads)
            let found = queries.fewest(index.listCount, for: goal.recall) { probes in
                queries.recall { index.search($0, count: $1, probes: probes) }
            }
            steps.append(ProbePlan.Step(depth: deeper.count, probes: found?.0 ?? index.listCount))
        }
        return ProbePlan(steps)
    }

    /// A graph for the goal, where it visits so few vectors that it is quicker than reading every code.
    private static func quickGraph(
        _ vectors: [Float], _ dimension: Int, _ threads: Int, _ goal: IndexGoal, _ queries: MeasuredQueries
    ) throws(VectorIndexError) -> ItemIndex? {
        let links = 2 * HNSWSettings().neighbours
        // Even the least search visits as many as it is asked for; without that room the build would be for nothing.
        guard goal.count * links * visitCost < vectors.count / dimension else { return nil }
        let built = try tunedGraph(vectors, dimension, threads, goal, queries)
        guard case .graph(let index) = built.form,
            max(index.settings.efSearch, goal.count) * links * visitCost < index.count
        else { return nil }
        return built
    }

    private static func tunedGraph(
        _ vectors: [Float], _ dimension: Int, _ threads: Int, _ goal: IndexGoal, _ queries: MeasuredQueries
    ) throws(VectorIndexError) -> ItemIndex {
        var index = try HNSWIndex(vectors: vectors, dimension: dimension, threads: threads)
        // In steps of eight candidates.
        let found = queries.fewest(4_096 / 8, for: goal.recall) { [index] step in
            queries.recall { index.search($0, count: $1, efSearch: step * 8) }
        }
        guard let (steps, recall) = found else { return exact(FlatIndex(table: index.table)) }
        index.settings.efSearch = steps * 8
        return ItemIndex(.graph(index), measuredRecall: recall)
    }

    public var count: Int {
        switch form {
        case .flat(let index): index.count
        case .graph(let index): index.count
        case .lists(let index): index.count
        }
    }

    /// The length of each vector.
    public var dimension: Int {
        switch form {
        case .flat(let index): index.dimension
        case .graph(let index): index.dimension
        case .lists(let index): index.dimension
        }
    }

    /// `flat`, `hnsw`, `ivf` or, for a single list of codes, `flat-codes`: for logs and statistics.
    public var kind: String {
        switch form {
        case .flat: "flat"
        case .graph: "hnsw"
        case .lists(let index): index.listCount == 1 ? "flat-codes" : "ivf"
        }
    }

    /// How vectors are stored.
    public var code: VectorCode {
        if case .lists(let index) = form { index.settings.code } else { .float32 }
    }

    /// What the search was set to, for logs and statistics.
    public var parameters: String {
        switch form {
        case .flat: "exact"
        case .graph(let index):
            "neighbours=\(index.settings.neighbours) efConstruction=\(index.settings.efConstruction) efSearch=\(index.settings.efSearch)"
        case .lists(let index): 
            "lists=\(index.listCount) probes=\(index.settings.plan.steps.map { "\($0.probes)@\($0.depth)" }.joined(separator: ",")) "
                + "code=\(index.settings.code.name)"
        }
    }

    /// What it holds.
    public var memory: IndexMemory {
        switch form {
        case .flat(let index): index.memory
        case .graph(let index): index.memory
        case .lists(let index): index.memory
        }
    }

    public var scoresAreExact: Bool { code == .float32 }

    public func search(_ query: UnsafeBufferPointer<Float>, count: Int) -> [Candidate] {
        switch form {
        case .flat(let index): index.search(query, count: count)
        case .graph(let index): index.search(query, count: count)
        case .lists(let index): index.search(query, count: count)
        }
    }

    public func search(
        _ query: UnsafeBufferPointer<Float>, count: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate] {
        switch form {
        case .flat(let index): index.search(query, count: count, admissible: admissible, admits: admits)
        case .graph(let index): index.search(query, count: count, admissible: admissible, admits: admits)
        case .lists(let index): index.search(query, count: count, admissible: admissible, admits: admits)
        }
    }

    /// The vector of a row as the index has it: as it was given, or as its code says. Nil where there is no such row.
    public func vector(of row: Int32) -> [Float]? {
        switch form {
        case .flat(let index): index.table.vector(of: row)
        case .graph(let index): index.table.vector(of: row)
        case .lists(let index): index.vector(of: row)
        }
    }

    var fingerprint: UInt64 {
        switch form {
        case .flat(let index): index.table.fingerprint
        case .graph(let index): index.table.fingerprint
        case .lists(let index): index.fingerprint
        }
    }
}
