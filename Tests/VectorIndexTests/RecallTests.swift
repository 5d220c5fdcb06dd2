import Recommending
import Testing
import VectorIndex

/// What an approximate index finds of what there is.
struct RecallTests {
    static let dimension = 32

    /// Overlapping clusters: the best hundred are spread over many lists.
    static func table(_ count: Int, seed: UInt64) -> ([Float], [[Float]]) {
        var random = Clusters(seed: seed)
        let centres = (0..<max(4, count / 300)).map { _ in random.unit(dimension) }
        var table: [Float] = []
        for row in 0..<count { table += random.unit(dimension, around: centres[row * 31 % centres.count], spread: 0.2) }
        let queries = (0..<100).map { random.unit(dimension, around: centres[$0 * 17 % centres.count], spread: 0.2) }
        return (table, queries)
    }

    static func recall(
        _ index: some CandidateIndex, _ exact: FlatIndex, _ queries: [[Float]], _ count: Int,
        admissible: Int = .max, admits: (Int32) -> Bool = { _ in true }
    ) -> Double {
        var hits = 0
        var wanted = 0
        for query in queries {
            query.withUnsafeBufferPointer { query in
                let truth = Set(exact.search(query, count: count, admissible: admissible, admits: admits).map(\.row))
                let found = index.search(query, count: count, admissible: admissible, admits: admits)
                hits += found.filter { truth.contains($0.row) }.count
                wanted += truth.count
                #expect(found.count == truth.count)
                #expect(Set(found.map(\.row)).count == found.count)
            }
        }
        return Double(hits) / Double(wanted)
    }

    @Test(arguments: [0.8, 0.95, 0.99])
    func aTunedIndexReachesItsGoalOnNewQueries(goal: Double) throws {
        let (table, queries) = Self.table(12_000, seed: 1)
        let exact = try FlatIndex(vectors: table, dimension: Self.dimension)
        for kind in [IndexKind.lists(nil), .graph(nil)] {
            let index = try ItemIndex.build(
                vectors: table, dimension: Self.dimension, kind: kind, goal: IndexGoal(recall: goal))
            let measured = try #require(index.measuredRecall)
            #expect(measured >= goal)
            // New queries are other queries: three standard errors of about half a percent.
            #expect(Self.recall(index, exact, queries, 100) >= goal - 0.015, "\(index.parameters)")
        }
    }

    @Test func aLowerGoalIsSearchedWithLess() throws {
        let (table, _) = Self.table(12_000, seed: 2)
        func probes(_ recall: Double) throws -> Int {
            let index = try ItemIndex.build(
                vectors: table, dimension: Self.dimension, kind: .lists(nil), goal: IndexGoal(recall: recall))
            // "lists=… probes=N@100,…"
            let text = index.parameters.split(separator: "=").dropFirst(2).first?.prefix { $0 != "@" } ?? ""
            return try #require(Int(text))
        }
        #expect(try probes(0.7) < probes(0.9))
        #expect(try probes(0.9) < probes(0.98))
    }

    @Test func aGoalBeyondBytesTakesALongerCode() throws {
        // One large component takes all of the scale: bytes cannot tell the vectors apart.
        var random = Clusters(seed: 3)
        var table: [Float] = []
        for row in 0..<12_000 {
            table += random.unit(7).map { $0 * 0.01 }
            table.append(row == 0 ? 1_000 : Float(row % 2))
        }
        var queries: [Float] = []
        for _ in 0..<50 { queries += random.unit(7) + [1] }
        let index = try ItemIndex.build(
            vectors: table, dimension: 8, threads: 2, goal: IndexGoal(recall: 0.999, count: 20, queries: queries))
        #expect(index.code != .int8)
        #expect(index.measuredRecall ?? 0 >= 0.999)
    }

    @Test func theGoalsOwnQueriesAreUsed() throws {
        let (table, queries) = Self.table(12_000, seed: 4)
        let index = try ItemIndex.build(
            vectors: table, dimension: Self.dimension, threads: 2,
            goal: IndexGoal(recall: 0.97, count: 50, queries: queries.flatMap { $0 }))
        let exact = try FlatIndex(vectors: table, dimension: Self.dimension)
        let here = Self.recall(index, exact, queries, 50)
        #expect(abs(here - (index.measuredRecall ?? 0)) < 1e-9)
        #expect {
            _ = try ItemIndex.build(
                vectors: table, dimension: Self.dimension, goal: IndexGoal(queries: [1, 2, 3]))
        } throws: { ($0 as? VectorIndexError)?.code == .invalidInput }
    }

    @Test(arguments: VectorCode.allCases)
    func theSameSeedGivesTheSameIndexForAnyNumberOfThreads(code: VectorCode) throws {
        let (table, queries) = Self.table(6_000, seed: 5)
        func build(_ threads: Int, seed: UInt64 = 9) throws -> ListIndex {
            try ListIndex(
                vectors: table, dimension: Self.dimension, settings: ListSettings(code: code, seed: seed), threads: threads)
        }
        func answers(_ index: ListIndex) -> [[Candidate]] {
            queries.map { $0.withUnsafeBufferPointer { index.search($0, count: 40, probes: 3) } }
        }
        let first = try answers(build(1))
        #expect(try answers(build(1)) == first)
        #expect(try answers(build(3)) == first)
        #expect(try answers(build(1, seed: 10)) != first)
    }

    @Test func concurrentSearchesOfListsAgreeWithSequentialOnes() async throws {
        let (table, queries) = Self.table(6_000, seed: 6)
        let index = try ListIndex(vectors: table, dimension: Self.dimension)
        let expected = queries.map { $0.withUnsafeBufferPointer { index.search($0, count: 20) } }
        let wrong = await withTaskGroup(of: Bool.self) { group in
            for round in 0..<600 {
                group.addTask {
                    let query = queries[round % queries.count]
                    return query.withUnsafeBufferPointer { index.search($0, count: 20) } != expected[round % queries.count]
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
    }
}
