import Recommending
import Testing
import VectorIndex

struct SearchTests {
    private func search(_ index: some CandidateIndex, _ query: [Float], _ count: Int) -> [Candidate] {
        query.withUnsafeBufferPointer { index.search($0, count: count) }
    }

    @Test(arguments: [1, 3, 16, 31, 32, 33, 64, 100])
    func flatSearchIsExactInEveryDimension(dimension: Int) throws {
        var random = Clusters(seed: UInt64(dimension))
        let table = random.table(1_500, dimension, centres: 20)
        let index = try FlatIndex(vectors: table, dimension: dimension)
        for _ in 0..<5 {
            let query = random.unit(dimension)
            let found = search(index, query, 10)
            let expected = exactRows(table, dimension, query, 10)
            // Rows may change places only where their scores are equal to rounding.
            for (candidate, row) in zip(found, expected) where candidate.row != row {
                let (a, b) = (score(table, dimension, candidate.row, query), score(table, dimension, row, query))
                #expect(abs(a - b) < 1e-6)
            }
            #expect(found.count == 10)
        }
    }

    private func score(_ table: [Float], _ dimension: Int, _ row: Int32, _ query: [Float]) -> Double {
        (0..<dimension).reduce(0) { $0 + Double(table[Int(row) * dimension + $1]) * Double(query[$1]) }
    }

    @Test func graphFindsNearlyAllOfTheBestTen() throws {
        var random = Clusters(seed: 7)
        let dimension = 32
        let table = random.table(6_000, dimension, centres: 60)
        let index = try HNSWIndex(vectors: table, dimension: dimension, threads: 2)
        var hits = 0
        for place in 0..<100 {
            let start = place * 57 % 6_000 * dimension
            let query = random.unit(dimension, around: Array(table[start..<start + dimension]), spread: 0.05)
            let expected = Set(exactRows(table, dimension, query, 10))
            hits += search(index, query, 10).filter { expected.contains($0.row) }.count
        }
        #expect(hits >= 950)
    }

    @Test func answersAreInOrderWithTheirTrueScores() throws {
        var random = Clusters(seed: 8)
        let dimension = 24
        let table = random.table(3_000, dimension, centres: 30)
        let indexes: [any CandidateIndex] = [
            try FlatIndex(vectors: table, dimension: dimension), try HNSWIndex(vectors: table, dimension: dimension),
        ]
        for index in indexes {
            let query = random.unit(dimension)
            let found = search(index, query, 50)
            #expect(found.count == 50)
            #expect(Set(found.map(\.row)).count == 50)
            for (left, right) in zip(found, found.dropFirst()) {
                #expect(left.score > right.score || (left.score == right.score && left.row < right.row))
            }
            for candidate in found {
                #expect(abs(Double(candidate.score) - score(table, dimension, candidate.row, query)) < 1e-5)
            }
        }
    }

    @Test func equalVectorsAreOrderedByRow() throws {
        let index = try FlatIndex(vectors: [Float](repeating: 0.5, count: 4 * 2_000), dimension: 4)
        #expect(search(index, [1, 1, 1, 1], 5).map(\.row) == [0, 1, 2, 3, 4])
    }

    @Test func anEmptyIndexFindsNothing() throws {
        let index = try ItemIndex.build(vectors: [], dimension: 8)
        #expect(index.count == 0)
        #expect(search(index, [Float](repeating: 1, count: 8), 10).isEmpty)
    }

    @Test func askingForMoreThanThereIsGivesAll() throws {
        var random = Clusters(seed: 9)
        let table = random.table(300, 8, centres: 3)
        let flat = try FlatIndex(vectors: table, dimension: 8)
        let graph = try HNSWIndex(vectors: table, dimension: 8)
        let query = random.unit(8)
        #expect(Set(search(flat, query, 1_000).map(\.row)) == Set(0..<300))
        #expect(search(graph, query, 1_000) == search(flat, query, 1_000))
        #expect(search(flat, query, 0).isEmpty)
        #expect(search(graph, query, 0).isEmpty)
    }

    @Test func aQueryThatIsNotFiniteOrNotOfTheDimensionFindsNothing() throws {
        var random = Clusters(seed: 10)
        let table = random.table(2_000, 8, centres: 3)
        let indexes: [any CandidateIndex] = [
            try FlatIndex(vectors: table, dimension: 8), try HNSWIndex(vectors: table, dimension: 8),
        ]
        for index in indexes {
            var query = random.unit(8)
            query[3] = .nan
            #expect(search(index, query, 5).isEmpty)
            query[3] = .infinity
            #expect(search(index, query, 5).isEmpty)
            #expect(search(index, random.unit(7), 5).isEmpty)
            #expect(search(index, [], 5).isEmpty)
        }
    }

    @Test func badVectorsAreRefusedByName() {
        #expect { _ = try FlatIndex(vectors: [1, 2, 3], dimension: 2) } throws: { error in
            (error as? VectorIndexError)?.code == .invalidInput
        }
        #expect { _ = try ItemIndex.build(vectors: [1, 2, .nan, 4], dimension: 2) } throws: { error in
            (error as? VectorIndexError)?.message.contains("Row 1, element 0") == true
        }
        #expect { _ = try HNSWIndex(vectors: [], dimension: 2) } throws: { error in
            (error as? VectorIndexError)?.code == .invalidInput
        }
        #expect {
            _ = try HNSWIndex(vectors: [1, 2], dimension: 2, settings: HNSWSettings(neighbours: 0))
        } throws: { error in
            (error as? VectorIndexError)?.code == .invalidInput
        }
    }

    @Test func concurrentSearchesAgreeWithSequentialOnes() async throws {
        var random = Clusters(seed: 11)
        let dimension = 16
        let table = random.table(4_000, dimension, centres: 40)
        let index = try HNSWIndex(vectors: table, dimension: dimension)
        let queries = (0..<64).map { _ in random.unit(dimension) }
        let expected = queries.map { search(index, $0, 20) }
        let answers = await withTaskGroup(of: (Int, [Candidate]).self) { group in
            for round in 0..<512 {
                group.addTask {
                    (round % 64, queries[round % 64].withUnsafeBufferPointer { index.search($0, count: 20) })
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 512)
        for (place, answer) in answers { #expect(answer == expected[place]) }
    }

    @Test func oneThreadBuildsTheSameGraphTwice() throws {
        var random = Clusters(seed: 12)
        let table = random.table(2_000, 16, centres: 20)
        let first = try HNSWIndex(vectors: table, dimension: 16)
        let second = try HNSWIndex(vectors: table, dimension: 16)
        for _ in 0..<20 {
            let query = random.unit(16)
            #expect(search(first, query, 15) == search(second, query, 15))
        }
    }

    @Test func theKindFollowsTheNumberOfItems() throws {
        let small = try ItemIndex.build(vectors: [Float](repeating: 0, count: 2 * 100), dimension: 2)
        #expect(small.kind == "flat")
        #expect(small.scoresAreExact)
        #expect(small.measuredRecall == 1)
        var random = Clusters(seed: 13)
        let large = try ItemIndex.build(
            vectors: random.table(ItemIndex.flatUpToItems + 1, 16, centres: 100), dimension: 16, threads: 2)
        #expect(large.kind == "ivf")
        #expect(large.code == .int8)
        #expect(large.count == ItemIndex.flatUpToItems + 1)
    }
}
