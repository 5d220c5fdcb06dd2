import CFaiss
import Recommending

/// How an index of lists is built (inverted file: Jégou, Douze and Schmid 2011, doi 10.1109/TPAMI.2010.57).
public struct ListSettings: Sendable, Equatable {
    /// How vectors are stored.
    public var code: VectorCode
    /// Lists, one for each centre of k-means. 1 is a flat index of codes. Nil: 4 · √count.
    public var lists: Int?
    /// Lists that a search looks at. ``ItemIndex`` chooses them for a stated recall.
    public var plan: ProbePlan
    /// Vectors that k-means looks at for each list.
    public var sampleVectorsPerList: Int
    /// How often k-means looks at them.
    public var rounds: Int
    /// Of the sample.
    public var seed: UInt64

    /// Makes settings.
    public init(
        code: VectorCode = .int8, lists: Int? = nil, plan: ProbePlan = ProbePlan([]), sampleVectorsPerList: Int = 39,
        rounds: Int = 8, seed: UInt64 = 1
    ) {
        self.code = code
        self.lists = lists
        self.plan = plan
        self.sampleVectorsPerList = sampleVectorsPerList
        self.rounds = rounds
        self.seed = seed
    }

    /// 4 · √count, at least 16 vectors a list.
    static func lists(for count: Int) -> Int {
        max(1, min(Int(4 * Double(count).squareRoot()), count / 16))
    }
}

/// The C handle of an index of lists, freed with the last reference.
///
/// `@unchecked Sendable`: the handle is owned, set once and never changed; the library lets several threads read it at once.
final class ListHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        vector_lists_free(pointer)
    }

    /// The index's arrays, valid as long as the handle.
    var parts: vector_lists_parts {
        var parts = vector_lists_parts()
        vector_lists_view(pointer, &parts)
        return parts
    }
}

/// Approximate search in lists of codes: the query is compared with all centres, then with the codes of the nearest lists.
///
/// The vectors themselves are not kept. The same vectors and seed give the same index for any number of threads. Searches
/// from several threads at once are safe; each runs on its calling thread alone.
public struct ListIndex: CandidateIndex {
    /// How the lists are built and searched.
    public internal(set) var settings: ListSettings
    public let count: Int
    /// The length of each vector.
    public let dimension: Int
    /// Lists that were made.
    public let listCount: Int
    let fingerprint: UInt64
    let handle: ListHandle

    /// Builds the index of `vectors`, `[count, dimension]`, row-major. The call blocks until it is built.
    public init(
        vectors: [Float], dimension: Int, settings: ListSettings = ListSettings(), threads: Int = 1
    ) throws(VectorIndexError) {
        let count = try VectorInput.checkedCount(vectors, dimension: dimension)
        let lists = settings.lists ?? ListSettings.lists(for: count)
        guard 1...65_536 ~= settings.rounds, 1...65_536 ~= settings.sampleVectorsPerList else {
            throw VectorIndexError(.invalidInput, "\(settings): rounds and sampleVectorsPerList must be in 1...65536.")
        }
        var shape = vector_lists_settings(
            code: settings.code.rawValue, lists: Int32(clamping: lists),
            sample_per_list: Int32(clamping: settings.sampleVectorsPerList), rounds: Int32(clamping: settings.rounds),
            seed: settings.seed, threads: Int32(clamping: threads))
        var built: OpaquePointer?
        try ShimCall.run("build an index of \(count) vectors in \(lists) lists") { message, bytes in
            vectors.withUnsafeBufferPointer {
                vector_lists_build($0.baseAddress, Int64(count), Int32(dimension), nil, &shape, &built, message, bytes)
            }
        }
        let fingerprint = vectors.withUnsafeBytes {
            VectorInput.fingerprint($0, count: count, dimension: dimension)
        }
        try self.init(taking: built, settings: settings, fingerprint: fingerprint)
    }

    /// Takes the handle over.
    init(taking pointer: OpaquePointer?, settings: ListSettings, fingerprint: UInt64) throws(VectorIndexError) {
        guard let pointer else { throw VectorIndexError(.failed, "The index of lists was not made.") }
        handle = ListHandle(pointer)
        self.settings = settings
        self.fingerprint = fingerprint
        let parts = handle.parts
        count = Int(parts.count)
        dimension = Int(parts.dimension)
        listCount = Int(parts.lists)
    }

    public var scoresAreExact: Bool { settings.code == .float32 }

    /// What it holds.
    public var memory: IndexMemory {
        let bytes = vector_lists_bytes(handle.pointer)
        return IndexMemory(
            codes: Int(bytes.code_bytes), rows: Int(bytes.row_bytes), lists: Int(bytes.list_bytes),
            places: Int(bytes.place_bytes))
    }

    public func search(_ query: UnsafeBufferPointer<Float>, count wanted: Int) -> [Candidate] {
        search(query, count: wanted, probes: settings.plan.probes(depth: Double(wanted), lists: listCount))
    }

    /// A search with other settings than those of the index.
    public func search(
        _ query: UnsafeBufferPointer<Float>, count wanted: Int, probes: Int, instructions: VectorInstructions = .best
    ) -> [Candidate] {
        run(query, wanted, probes: probes, goal: 0, instructions: instructions, admits: nil)
    }

    /// Looks at more lists the fewer rows are admitted: see ``ProbePlan``.
    ///
    /// Rows that are few may all stand far from the query. So where less than half are admitted, lists are looked at until
    /// as many admitted rows were compared as would have been, were they everywhere.
    public func search(
        _ query: UnsafeBufferPointer<Float>, count wanted: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate] {
        let share = Double(min(max(admissible, 1), count)) / Double(count)
        let probes = settings.plan.probes(depth: Double(wanted) / share, lists: listCount)
        let isEverywhere = share >= Self.everywhereShare || probes == listCount
        let goal = isEverywhere ? 0 : Int64(share * Double(count) * Double(probes) / Double(listCount)) + 1
        return withoutActuallyEscaping(admits) {
            run(query, wanted, probes: probes, goal: goal, instructions: .best, admits: $0)
        }
    }

    private static let everywhereShare = 0.5

    /// The best of the given rows, best first: every one of them is compared.
    ///
    /// - Complexity: O(rows)
    public func search(_ query: UnsafeBufferPointer<Float>, count wanted: Int, among rows: [Int32]) -> [Candidate] {
        guard wanted > 0, VectorInput.accepts(query, dimension: dimension) else { return [] }
        var scores = [Float](repeating: .nan, count: rows.count)
        var seen = Set<Int32>()
        var message: CChar = 0
        _ = rows.withUnsafeBufferPointer { rows in
            scores.withUnsafeMutableBufferPointer { scores in
                vector_lists_scores(
                    handle.pointer, query.baseAddress, rows.baseAddress, Int64(rows.count), scores.baseAddress, &message, 1)
            }
        }
        var top = TopRows(limit: wanted)
        for (row, score) in zip(rows, scores) where top.wouldKeep(score) && seen.insert(row).inserted {
            top.offer(row, score)
        }
        return top.sorted()
    }

    /// The vector of a row as its code has it; nil where there is no such row.
    public func vector(of row: Int32) -> [Float]? {
        var vector = [Float](repeating: 0, count: dimension)
        return vector.withUnsafeMutableBufferPointer { vector_lists_decode(handle.pointer, row, $0.baseAddress) } ? vector : nil
    }

    /// A filter at an address.
    private struct Admission {
        let admits: (Int32) -> Bool
    }

    private func run(
        _ query: UnsafeBufferPointer<Float>, _ wanted: Int, probes: Int, goal: Int64, instructions: VectorInstructions,
        admits: ((Int32) -> Bool)?
    ) -> [Candidate] {
        guard wanted > 0, VectorInput.accepts(query, dimension: dimension) else { return [] }
        let k = min(wanted, count)
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: k) { rows in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: k) { scores -> [Candidate] in
                var request = vector_lists_query(
                    query: query.baseAddress, k: Int32(k), probes: Int32(clamping: max(probes, 1)), admitted_goal: goal,
                    admits: nil, context: nil, instructions: instructions.rawValue)
                var outcome = vector_lists_outcome()
                var message: CChar = 0
                let code: Int32
                if let admits {
                    code = withUnsafePointer(to: Admission(admits: admits)) { admission in
                        request.context = UnsafeRawPointer(admission)
                        request.admits = { context, row in
                            context?.assumingMemoryBound(to: Admission.self).pointee.admits(row) ?? true
                        }
                        return vector_lists_search(
                            handle.pointer, &request, rows.baseAddress, scores.baseAddress, &outcome, &message, 1)
                    }
                } else {
                    code = vector_lists_search(
                        handle.pointer, &request, rows.baseAddress, scores.baseAddress, &outcome, &message, 1)
                }
                // It fails for want of memory only.
                guard code == VECTOR_LISTS_OK else { return [] }
                return (0..<Int(outcome.found)).map { Candidate(row: rows[$0], score: scores[$0]) }
            }
        }
    }
}
