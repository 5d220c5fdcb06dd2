import Recommending
import Testing
import VectorIndex

/// The filter comes before the cut: whatever it takes away, the best of what is left are found.
struct FilterTests {
    private func kinds(_ table: [Float]) throws -> [ItemIndex] {
        try [IndexKind.flat, .graph(nil), .lists(nil), .lists(ListSettings(code: .bfloat16, lists: 1))].map {
            try ItemIndex.build(vectors: table, dimension: RecallTests.dimension, kind: $0)
        }
    }

    @Test func everyShareOfAdmittedRowsIsSearchedWell() throws {
        let (table, queries) = RecallTests.table(12_000, seed: 21)
        let exact = try FlatIndex(vectors: table, dimension: RecallTests.dimension)
        for index in try kinds(table) {
            for every in [2, 5, 20, 100, 1_000] {
                let recall = RecallTests.recall(
                    index, exact, Array(queries.prefix(40)), 50, admissible: 12_000 / every
                ) { Int($0 &* 7_919 % 12_007) % every == 0 }
                #expect(recall >= 0.93, "\(index.kind), one of \(every)")
            }
        }
    }

    @Test func asManyAreFoundAsThereAre() throws {
        let (table, queries) = RecallTests.table(3_000, seed: 22)
        for index in try kinds(table) {
            let sets: [Set<Int32>] = [[], [1_234], [5, 6, 2_999], Set((0..<30).map { $0 * 97 })]
            for admitted in sets {
                for query in queries.prefix(10) {
                    query.withUnsafeBufferPointer { query in
                        // Whether or not the number of admitted rows is known.
                        for admissible in [admitted.count, 3_000] {
                            let found = index.search(query, count: 40, admissible: admissible) { admitted.contains($0) }
                            #expect(Set(found.map(\.row)) == admitted, "\(index.kind)")
                        }
                        let few = index.search(query, count: 2, admissible: admitted.count) { admitted.contains($0) }
                        #expect(few.count == min(2, admitted.count))
                    }
                }
            }
        }
    }

    @Test func aCategoryFarFromTheQueryIsSearchedToo() throws {
        // Rows of the last clusters only, asked for by queries from the first.
        var random = Clusters(seed: 23)
        let dimension = RecallTests.dimension
        let centres = (0..<40).map { _ in random.unit(dimension) }
        var table: [Float] = []
        for row in 0..<12_000 { table += random.unit(dimension, around: centres[row / 300], spread: 0.1) }
        let queries = (0..<30).map { _ in random.unit(dimension, around: centres[0], spread: 0.1) }
        let exact = try FlatIndex(vectors: table, dimension: dimension)
        for index in try kinds(table) {
            let recall = RecallTests.recall(index, exact, queries, 50, admissible: 3_000) { $0 >= 9_000 }
            // Centres tell little of the order of rows that are all far away.
            #expect(recall >= 0.65, "\(index.parameters)")
        }
    }

    @Test func theBestOfGivenRowsAreExactlyThose() throws {
        let (table, queries) = RecallTests.table(4_000, seed: 24)
        let index = try ListIndex(vectors: table, dimension: RecallTests.dimension)
        let rows = (0..<500).map { Int32($0 * 7) } + [7, 7, -1, 4_000]
        for query in queries.prefix(10) {
            query.withUnsafeBufferPointer { query in
                let among = index.search(query, count: 20, among: rows)
                let all = index.search(query, count: 4_000, probes: index.listCount).filter { $0.row < 3_500 && $0.row % 7 == 0 }
                #expect(among == Array(all.prefix(20)))
                #expect(index.search(query, count: 9_999, among: rows).count == 500)
                #expect(index.search(query, count: 0, among: rows).isEmpty)
            }
        }
    }
}
