import Evaluation
import Testing

/// Solves `a · x = b` by elimination with pivots: slow and independent of what is tested.
private func solved(_ a: [[Double]], _ b: [Double]) -> [Double] {
    var a = a, b = b
    for column in a.indices {
        let pivot = (column..<a.count).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
        a.swapAt(column, pivot)
        b.swapAt(column, pivot)
        for row in a.indices where row != column {
            let factor = a[row][column] / a[column][column]
            for place in column..<a.count { a[row][place] -= factor * a[column][place] }
            b[row] -= factor * b[column]
        }
    }
    return b.indices.map { b[$0] / a[$0][$0] }
}

@Suite struct EASETests {
    private let sequences: [[Int32]] = [[0, 1, 2], [1, 2, 2], [2, 3, 0], [0, 1], [3], [4, 1], []]

    @Test func agreesWithTheSmallProblemsOwnSolution() {
        // Column j of B minimises |X_j − X b|² + λ|b|² with b_j = 0: least squares over the other items.
        let count = 6, lambda = 0.7
        var x = [[Double]](repeating: [Double](repeating: 0, count: count), count: sequences.count)
        for (user, items) in sequences.enumerated() { for item in items { x[user][Int(item)] = 1 } }
        let rival = EASERival(sequences: sequences, itemCount: count, lambda: Float(lambda))
        #expect(Set(rival.modelledRows) == [0, 1, 2, 3, 4])
        for target in 0..<5 {
            let others = (0..<5).filter { $0 != target }
            let normal = others.map { left in
                others.map { right in x.reduce(0) { $0 + $1[left] * $1[right] } + (left == right ? lambda : 0) }
            }
            let weights = solved(normal, others.map { other in x.reduce(0) { $0 + $1[other] * $1[target] } })
            for (place, other) in others.enumerated() {
                let score = rival.scores(history: [Int32(other)])[target]
                #expect(abs(Double(score) - weights[place]) < 1e-5, "item \(target) after \(other): \(score), not \(weights[place])")
            }
            #expect(rival.scores(history: [Int32(target)])[target] == 0)
        }
        #expect(rival.scores(history: [0])[5].isNaN)
    }

    @Test func theMostPopularTakePart() {
        let rival = EASERival(sequences: sequences, itemCount: 6, lambda: 1, itemsLimit: 3)
        #expect(rival.modelledRows == [1, 0, 2])
        #expect(rival.rank(9, history: [4, 0, 0, 99, -1], excluding: [0]).prefix(2).sorted() == [1, 2])
        #expect(EASERival(sequences: [], itemCount: 2).rank(2, history: [0]).isEmpty)
    }

    @Test func buyAgain() {
        let rival = BuyAgainRival(counts: [0, 1, 2, 3, 0])
        #expect(rival.rank(5, history: [0, 1, 1, 2, 99, -1]) == [1, 2, 0, 3, 4])
        #expect(rival.rank(2, history: [], excluding: [3]) == [2, 1])
    }
}
