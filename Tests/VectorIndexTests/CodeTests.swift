import Recommending
import Testing
import VectorIndex

/// Codes and the kernels that compare them.
struct CodeTests {
    private func search(
        _ index: ListIndex, _ query: [Float], _ count: Int, _ instructions: VectorInstructions = .best
    ) -> [Candidate] {
        query.withUnsafeBufferPointer {
            index.search($0, count: count, probes: index.listCount, instructions: instructions)
        }
    }

    @Test(arguments: [1, 3, 4, 5, 16, 63, 64, 65, 130, 600], [1, 15, 16, 17, 90, 2_100])
    func allInstructionsGiveTheSameScoresOfBytes(dimension: Int, count: Int) throws {
        var random = Clusters(seed: UInt64(dimension * 7 + count))
        let table = random.table(count, dimension, centres: 5)
        let index = try ListIndex(vectors: table, dimension: dimension, settings: ListSettings(lists: min(3, count)))
        for _ in 0..<3 {
            let query = random.unit(dimension)
            let reference = search(index, query, count, .scalar)
            #expect(reference.count == count)
            for instructions in VectorInstructions.allCases where instructions <= .best {
                #expect(search(index, query, count, instructions) == reference, "\(instructions)")
            }
        }
    }

    @Test(arguments: [1, 3, 16, 65, 600], [1, 17, 90])
    func bfloat16KernelsAgreeWithTheirReference(dimension: Int, count: Int) throws {
        var random = Clusters(seed: UInt64(dimension * 11 + count))
        let table = random.table(count, dimension, centres: 5)
        let settings = ListSettings(code: .bfloat16, lists: 1)
        let index = try ListIndex(vectors: table, dimension: dimension, settings: settings)
        let query = random.unit(dimension)
        let reference = search(index, query, count, .scalar).sorted { $0.row < $1.row }
        let fast = search(index, query, count).sorted { $0.row < $1.row }
        #expect(reference.count == count)
        for (left, right) in zip(reference, fast) {
            #expect(left.row == right.row)
            #expect(abs(left.score - right.score) < 1e-5)
        }
    }

    @Test(arguments: VectorCode.allCases)
    func scoresAreThoseOfTheDecodedVectors(code: VectorCode) throws {
        var random = Clusters(seed: 3)
        let dimension = 45
        let table = random.table(500, dimension, centres: 10)
        let index = try ListIndex(vectors: table, dimension: dimension, settings: ListSettings(code: code, lists: 7))
        #expect(index.scoresAreExact == (code == .float32))
        let bound: Double = [.float32: 1e-5, .bfloat16: 0.01, .int8: 0.01][code] ?? 0
        let query = random.unit(dimension)
        let found = search(index, query, 500)
        #expect(found.count == 500)
        for candidate in found {
            let decoded = try #require(index.vector(of: candidate.row))
            let original = Array(table[Int(candidate.row) * dimension..<(Int(candidate.row) + 1) * dimension])
            let expected = zip(decoded, query).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let exact = zip(original, query).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(Double(candidate.score) - expected) < 2e-4)
            #expect(abs(Double(candidate.score) - exact) < bound)
        }
        #expect(index.vector(of: 500) == nil)
        #expect(index.vector(of: -1) == nil)
    }

    @Test func codesTakeTheMemoryThatTheyPromise() throws {
        var random = Clusters(seed: 4)
        let table = random.table(1_600, 64, centres: 10)
        var bytes: [VectorCode: Int] = [:]
        for code in VectorCode.allCases {
            let index = try ListIndex(vectors: table, dimension: 64, settings: ListSettings(code: code, lists: 1))
            bytes[code] = index.memory.codes
            #expect(index.memory.rows == 1_600 * 4)
            #expect(index.memory.total == index.memory.codes + index.memory.rows + index.memory.lists + index.memory.places)
        }
        #expect(bytes == [.int8: 1_600 * 64, .bfloat16: 1_600 * 128, .float32: 1_600 * 256])
    }

    @Test(arguments: VectorCode.allCases)
    func oddInputsAreSearchedLikeAnyOther(code: VectorCode) throws {
        let one = try ListIndex(vectors: [1, 2, 3], dimension: 3, settings: ListSettings(code: code))
        #expect(search(one, [1, 0, 0], 10).map(\.row) == [0])
        #expect(abs((search(one, [1, 0, 0], 10).first?.score ?? 0) - 1) < 0.01)

        // A thousand equal vectors: by row. Zeros: a score of 0.
        let equal = try ListIndex(
            vectors: [Float](repeating: 0.25, count: 4 * 1_000), dimension: 4, settings: ListSettings(code: code, lists: 10))
        #expect(search(equal, [1, 1, 1, 1], 5) == (0..<5).map { Candidate(row: $0, score: 1) })
        let zeros = try ListIndex(
            vectors: [Float](repeating: 0, count: 4 * 100), dimension: 4, settings: ListSettings(code: code, lists: 6))
        #expect(search(zeros, [1, -1, 1, 0.5], 3) == (0..<3).map { Candidate(row: $0, score: 0) })
        #expect(search(equal, [0, 0, 0, 0], 3) == (0..<3).map { Candidate(row: $0, score: 0) })

        // Components of very different sizes, and one that never changes.
        let wide = try ListIndex(
            vectors: [1e-6, 5, 1_000, 2e-6, 5, -1_000, 3e-6, 5, 0], dimension: 3, settings: ListSettings(code: code, lists: 1))
        #expect(search(wide, [0, 0, 1], 3).map(\.row) == [0, 2, 1])
        #expect(search(wide, [1, 0, 0], 3).map(\.row) == [2, 1, 0])
    }

    @Test func badInputIsRefusedByName() {
        func code(_ body: () throws -> Void) -> VectorIndexError.Code? {
            do {
                try body()
                return nil
            } catch {
                return (error as? VectorIndexError)?.code
            }
        }
        #expect(code { _ = try ListIndex(vectors: [], dimension: 4) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2, .nan, 4], dimension: 2) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2, .infinity, 4], dimension: 2) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2, 3], dimension: 2) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2], dimension: 0) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2], dimension: 2, settings: ListSettings(lists: 2)) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2], dimension: 2, settings: ListSettings(lists: 0)) } == .invalidInput)
        #expect(code { _ = try ListIndex(vectors: [1, 2], dimension: 2, settings: ListSettings(rounds: 0)) } == .invalidInput)
        // In a long table, too, the place is named.
        var random = Clusters(seed: 5)
        var table = random.table(1_000, 10, centres: 5)
        table[7_654] = .nan
        #expect { _ = try ItemIndex.build(vectors: table, dimension: 10) } throws: { error in
            (error as? VectorIndexError)?.message.contains("Row 765, element 4") == true
        }
    }
}
