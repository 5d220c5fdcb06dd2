import Recommending
import Testing
import VectorIndex

struct LiveIndexTests {
    private let dimension = 16

    private func search(_ index: LiveIndex, _ query: [Float], _ count: Int) -> [Candidate] {
        query.withUnsafeBufferPointer { index.search($0, count: count) }
    }

    private func exact(_ rows: [Int32: [Float]], _ query: [Float], _ count: Int) -> [Int32] {
        let scores = rows.map { row, vector in (row, zip(vector, query).reduce(Float(0)) { $0 + $1.0 * $1.1 }) }
        return scores.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(count).map(\.0)
    }

    @Test func changesAndRebuildsAreFollowedExactly() throws {
        var random = Clusters(seed: 31)
        let table = random.table(900, dimension, centres: 20)
        var rows: [Int32: [Float]] = [:]
        for row in 0..<900 { rows[Int32(row)] = Array(table[row * dimension..<(row + 1) * dimension]) }
        let index = try LiveIndex(
            vectors: table, dimension: dimension, policy: RebuildPolicy(maxFreshItems: 300, maxRemovedShare: 0.3))
        var rebuilds = 0
        for round in 0..<40 {
            var changes: [IndexChange] = []
            for _ in 0..<30 {
                let row = Int32(random.next() % 1_500)
                if random.next() % 3 == 0 {
                    changes.append(.remove(row: row))
                    rows[row] = nil
                } else {
                    let vector = random.unit(dimension)
                    changes.append(.set(row: row, vector: vector))
                    rows[row] = vector
                }
            }
            try index.apply(changes)
            if try index.rebuildIfDue() { rebuilds += 1 }
            #expect(index.count == rows.count)
            #expect(!index.isRebuildDue)
            let query = random.unit(dimension)
            #expect(search(index, query, 25).map(\.row) == exact(rows, query, 25), "round \(round)")
            let filtered = query.withUnsafeBufferPointer { index.search($0, count: 25, admissible: 500) { $0 % 3 == 0 } }
            #expect(filtered.map(\.row) == exact(rows.filter { $0.key % 3 == 0 }, query, 25))
        }
        #expect(rebuilds >= 2)
    }

    @Test func whatComesWhileARebuildRunsIsInItsResult() throws {
        var random = Clusters(seed: 32)
        let table = random.table(500, dimension, centres: 20)
        let index = try LiveIndex(
            vectors: table, dimension: dimension, policy: RebuildPolicy(maxFreshItems: 0, maxRemovedShare: 1))
        let newcomer = random.unit(dimension)
        try index.apply([.set(row: 700, vector: newcomer)])
        var hasChanged = false
        let isBuilt = try index.rebuildIfDue { _ in
            if !hasChanged {
                hasChanged = true
                // Only one rebuild runs at a time; changes and searches do not wait for it.
                #expect((try? index.rebuildIfDue()) == false)
                try? index.apply([.remove(row: 3), .set(row: 701, vector: newcomer.map { $0 * 2 }), .remove(row: 700)])
                #expect(search(index, newcomer, 1).map(\.row) == [701])
            }
            return nil
        }
        #expect(isBuilt)
        #expect(hasChanged)
        #expect(search(index, newcomer, 1).map(\.row) == [701])
        let all = search(index, newcomer, 1_000).map(\.row)
        #expect(all.count == 500)
        #expect(!all.contains(3))
        #expect(!all.contains(700))
        #expect(index.freshCount == 1)
    }

    @Test func anIndexOfBytesIsRebuiltFromItsCodesOrTheOriginals() throws {
        let (table, queries) = RecallTests.table(3_000, seed: 33)
        let dimension = RecallTests.dimension
        let index = try LiveIndex(
            vectors: table, dimension: dimension, kind: .lists(nil), policy: RebuildPolicy(maxFreshItems: 10, maxRemovedShare: 0.1))
        try index.apply((0..<400).map { .remove(row: Int32($0 * 5)) })
        #expect(index.isRebuildDue)
        #expect(try index.rebuildIfDue())
        #expect(index.count == 2_600)
        let exact = try FlatIndex(vectors: table, dimension: dimension)
        var hits = 0
        for query in queries {
            query.withUnsafeBufferPointer { query in
                let truth = exact.search(query, count: 50, admissible: 2_600) { $0 >= 2_000 || $0 % 5 != 0 }
                let found = index.search(query, count: 50)
                #expect(!found.contains { $0.row < 2_000 && $0.row % 5 == 0 })
                hits += Set(found.map(\.row)).intersection(truth.map(\.row)).count
            }
        }
        #expect(hits >= 100 * 50 * 92 / 100)
    }

    @Test func anEmptyIndexFillsAndEmptiesAgain() throws {
        let index = try LiveIndex(vectors: [], dimension: 2, policy: RebuildPolicy(maxFreshItems: 1, maxRemovedShare: 0.5))
        #expect(search(index, [1, 0], 5).isEmpty)
        try index.apply([.set(row: 9, vector: [1, 0]), .set(row: 4, vector: [0, 1]), .set(row: 9, vector: [2, 0])])
        #expect(search(index, [1, 0], 5) == [Candidate(row: 9, score: 2), Candidate(row: 4, score: 0)])
        #expect(try index.rebuildIfDue())
        #expect(search(index, [1, 0], 5) == [Candidate(row: 9, score: 2), Candidate(row: 4, score: 0)])
        try index.apply([.remove(row: 9), .remove(row: 4), .remove(row: 77)])
        #expect(index.count == 0)
        #expect(search(index, [1, 0], 5).isEmpty)
        #expect(try index.rebuildIfDue())
        #expect(index.memory.total < 200)
    }

    @Test func aBadChangeRefusesItsBatchByName() throws {
        let index = try LiveIndex(vectors: [1, 0, 0, 1], dimension: 2)
        let bad: [(IndexChange, String)] = [
            (.set(row: 5, vector: [1]), "row 5 has 1 components, not 2"), (.set(row: 5, vector: [1, .nan]), "Row 5, element 1"),
            (.set(row: -1, vector: [1, 1]), "Row -1"), (.remove(row: -2), "Row -2"),
        ]
        for (change, text) in bad {
            #expect {
                try index.apply([.remove(row: 0), change])
            } throws: { error in
                let error = error as? VectorIndexError
                return error?.code == .invalidInput && error?.message.contains(text) == true
            }
        }
        #expect(index.count == 2)
    }
}
