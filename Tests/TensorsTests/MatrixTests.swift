import Tensors
import Testing

@Suite("Matrix")
struct MatrixTests {
    @Test("copies are independent")
    func valueSemantics() {
        let a = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
        var b = a
        b[1, 2] = 9
        var c = b
        c.withUnsafeMutablePointer { $0[0] = -1 }
        #expect(a.values == [1, 2, 3, 4, 5, 6])
        #expect(b.values == [1, 2, 3, 4, 5, 9])
        #expect(c.values == [-1, 2, 3, 4, 5, 9])
        var d = a.reshaped(rows: 3, columns: 2)
        d[0, 0] = 7
        #expect(a[0, 0] == 1 && d.row(0) == [7, 2])
        #expect(a != b && a == Matrix(rows: 2, columns: 3, values: a.values))
    }

    @Test("memory is aligned for whole cache lines")
    func alignment() {
        for count in [1, 3, 100] {
            Matrix(rows: count, columns: 1).withUnsafePointer { #expect(UInt(bitPattern: $0) % 64 == 0) }
        }
    }

    @Test(
        "products with every transposition against sums in Double",
        arguments: [
            (1, 1, 1), (3, 5, 7), (64, 64, 64), (65, 33, 17), (1, 64, 200), (200, 64, 1), (150, 140, 130), (260, 200, 170), (100, 300, 310),
        ],
        [1, 2, 3])
    func products(sides: (Int, Int, Int), threads: Int) {
        let (m, k, n) = sides
        var generator = SeededGenerator(seed: 1)
        for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
            let a = Matrix.normal(rows: transposeA ? k : m, columns: transposeA ? m : k, deviation: 1, using: &generator)
            let b = Matrix.normal(rows: transposeB ? n : k, columns: transposeB ? k : n, deviation: 1, using: &generator)
            let expected = ReferenceKernels.multiply(a, b, transposeA: transposeA, transposeB: transposeB)
            let c = product(a, b, transposeA: transposeA, transposeB: transposeB, threads: threads)
            let scale = Float(k).squareRoot()
            #expect(zip(c.values, expected.values).allSatisfy { approximatelyEqual($0, $1, tolerance: 2e-6, scale: scale) })
            // Accumulation: 2ab - 1 on top of what is there.
            var sum = Matrix(rows: m, columns: n, repeating: 1)
            multiply(a, b, transposeA: transposeA, transposeB: transposeB, into: &sum, alpha: 2, beta: -1, threads: threads)
            #expect(
                zip(sum.values, expected.values).allSatisfy {
                    approximatelyEqual($0, 2 * $1 - 1, tolerance: 4e-6, scale: scale)
                })
        }
    }

    @Test("empty sides: an empty sum is zero, and beta still counts")
    func emptyProducts() {
        let c = product(Matrix(rows: 2, columns: 0), Matrix(rows: 0, columns: 3))
        #expect(c == Matrix(rows: 2, columns: 3))
        #expect(product(Matrix(rows: 0, columns: 4), Matrix(rows: 4, columns: 3)).count == 0)
        var kept = Matrix(rows: 2, columns: 3, repeating: 4)
        multiply(Matrix(rows: 2, columns: 0), Matrix(rows: 0, columns: 3), into: &kept, beta: 0.5)
        #expect(kept == Matrix(rows: 2, columns: 3, repeating: 2))
        var undefined = Matrix(rows: 1, columns: 1, repeating: .nan)
        multiply(Matrix(scalar: 2), Matrix(scalar: 3), into: &undefined)
        #expect(undefined == Matrix(scalar: 6))
    }

    @Test("gather and scatter-add")
    func rows() {
        let table = Matrix(rows: 3, columns: 2, values: [1, 2, 3, 4, 5, 6])
        #expect(table.gatheringRows([2, 0, 2]).values == [5, 6, 1, 2, 5, 6])
        #expect(table.gatheringRows([]).count == 0)
        var sum = Matrix(rows: 3, columns: 2, repeating: 1)
        sum.scatterAddRows([2, 0, 2], from: Matrix(rows: 3, columns: 2, values: [1, 1, 2, 2, 3, 3]), scaledBy: 10)
        #expect(sum.values == [21, 21, 1, 1, 41, 41])
    }

    @Test("transpose", arguments: [(1, 5), (5, 1), (16, 16), (17, 33), (0, 3)])
    func transpose(shape: (Int, Int)) {
        var generator = SeededGenerator(seed: 3)
        let a = Matrix.normal(rows: shape.0, columns: shape.1, deviation: 1, using: &generator)
        let b = a.transposed()
        #expect(b.rows == shape.1 && b.columns == shape.0 && b.transposed() == a)
        for r in 0..<a.rows { for c in 0..<a.columns { #expect(b[c, r] == a[r, c]) } }
    }

    @Test("row functions treat each row by itself")
    func rowFunctions() {
        let x = Matrix(rows: 2, columns: 3, values: [1, 2, 3, -1, 0, 5])
        for r in 0..<2 {
            let softmax = ReferenceKernels.softmax(x.row(r))
            #expect(zip(x.softmaxRows().row(r), softmax).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-6) })
            #expect(approximatelyEqual(x.logSumExpRows()[r, 0], ReferenceKernels.logSumExp(x.row(r)), tolerance: 1e-6))
            let unit = ReferenceKernels.l2Normalise(x.row(r), epsilon: 1e-12)
            #expect(zip(x.l2NormalisedRows().row(r), unit).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-6) })
            let norm = ReferenceKernels.layerNorm(x.row(r), gain: nil, bias: nil, epsilon: 1e-5)
            #expect(zip(x.layerNormalisedRows().row(r), norm).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-5) })
        }
        #expect(x.topK(2, ofRow: 1) == [RankedElement(index: 2, value: 5), RankedElement(index: 1, value: 0)])
        #expect(Matrix(rows: 2, columns: 0).logSumExpRows().values == [-.infinity, -.infinity])
    }
}
