import Tensors
import Testing

@Suite struct SymmetricInverseTests {
    @Test(arguments: [1, 2, 7, 65, 200])
    func timesTheMatrixIsOne(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let factor = Matrix.normal(rows: count, columns: count + 3, deviation: 1, using: &generator)
        var matrix = product(factor, factor, transposeB: true)
        for place in 0..<count { matrix[place, place] += Float(count) }
        // What lies left of the diagonal is not looked at.
        var half = matrix
        for row in 0..<count { for column in 0..<row { half[row, column] = .nan } }
        let inverse = try #require(half.inverseOfSymmetric())
        let one = product(matrix, inverse)
        for row in 0..<count {
            for column in 0..<count {
                #expect(abs(one[row, column] - (row == column ? 1 : 0)) < 1e-3)
                #expect(inverse[row, column] == inverse[column, row])
            }
        }
    }

    @Test func refusesWhatIsNotPositiveDefinite() {
        #expect(Matrix(rows: 2, columns: 2, values: [1, 2, 2, 1]).inverseOfSymmetric() == nil)
        #expect(Matrix(rows: 0, columns: 0).inverseOfSymmetric()?.count == 0)
    }
}
