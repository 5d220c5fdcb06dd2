import Tensors
import Testing

/// Every engine that this processor has, against sums in Double: on another machine fewer run.
@Suite("Matrix products by every engine")
struct ProductTests {
    /// Sides around the register tiles (14 rows, 16 and 32 columns), the packed blocks (256 words, 512 columns) and pairs.
    static let sides = [
        (1, 1, 1), (1, 2, 3), (2, 1, 40), (3, 5, 7), (13, 16, 15), (14, 32, 16), (15, 33, 17), (27, 31, 2), (28, 64, 64), (29, 65, 63),
        (40, 17, 255), (16, 40, 257), (5, 530, 9), (70, 12, 600), (100, 48, 513), (33, 513, 31),
    ]

    @Test("odd sides, odd strides, unaligned operands, every transposition", arguments: ProductEngine.allCases.filter(\.isAvailable), sides)
    func engines(engine: ProductEngine, sides: (Int, Int, Int)) {
        let (m, n, k) = sides
        var generator = SeededGenerator(seed: UInt64(m * 1000 + n * 10 + k))
        for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
            let a = Matrix.normal(rows: transposeA ? k : m, columns: transposeA ? m : k, deviation: 1, using: &generator)
            let b = Matrix.normal(rows: transposeB ? n : k, columns: transposeB ? k : n, deviation: 1, using: &generator)
            let exact = ReferenceKernels.multiply(a, b, transposeA: transposeA, transposeB: transposeB)
            // What the engine is meant to compute: rounded operands, exact sums.
            let meant = engine == .bfloat16
                ? ReferenceKernels.multiply(
                    ReferenceKernels.roundedToBFloat16(a), ReferenceKernels.roundedToBFloat16(b), transposeA: transposeA,
                    transposeB: transposeB) : exact
            let sizes = ReferenceKernels.multiply(absolute(a), absolute(b), transposeA: transposeA, transposeB: transposeB)
            for (pad, alpha, beta) in [(0, 1, 0), (3, 1, 1), (5, -0.5, 2)] as [(Int, Float, Float)] {
                let old = Matrix.normal(rows: m, columns: n, deviation: 1, using: &generator)
                let c = run(engine, m, n, k, alpha, a, transposeA, b, transposeB, beta, old, pad: pad)
                for i in 0..<m * n {
                    let (row, column) = (i / n, i % n), expected = alpha * meant[row, column] + beta * old[row, column]
                    // Sums of k terms in float32, in any order: k roundings at most of the sum of sizes.
                    let rounding = Float(k + 4) * .ulpOfOne * (abs(alpha) * sizes[row, column] + abs(beta * old[row, column]))
                    let error = abs(c[row * (n + pad) + column] - expected)
                    guard error <= rounding else {
                        Issue.record("\(engine) \(sides) \(transposeA) \(transposeB): \(error) at (\(row), \(column)), at most \(rounding)")
                        return
                    }
                    if engine == .bfloat16 {
                        #expect(abs(meant[row, column] - exact[row, column]) <= 0x1.01p-7 * sizes[row, column])
                    }
                }
                // What lies between the rows of c is nobody's.
                for row in 0..<m { for gap in n..<(n + pad) { #expect(c[row * (n + pad) + gap] == 7) } }
            }
        }
    }

    @Test(
        "beta 0 overwrites NaN; NaN and infinities reach their sums and no other", arguments: ProductEngine.allCases.filter(\.isAvailable))
    func awkward(engine: ProductEngine) {
        let (m, n, k) = (31, 37, 40)
        var generator = SeededGenerator(seed: 5)
        for value in [Float.nan, .infinity, -.infinity] {
            var a = Matrix.normal(rows: m, columns: k, deviation: 1, using: &generator)
            let b = Matrix(rows: k, columns: n, repeating: 1)
            a[17, 9] = value
            let c = run(engine, m, n, k, 1, a, false, b, false, 0, Matrix(rows: m, columns: n, repeating: .nan), pad: 0)
            for i in 0..<m * n {
                let isHit = i / n == 17
                #expect(isHit ? (value.isNaN ? c[i].isNaN : c[i] == value) : c[i].isFinite)
            }
        }
    }

    /// Our own loops promise it; OpenBLAS only for the same number of threads.
    @Test(
        "a product is the same bits whatever the threads and its neighbours", .enabled(if: ProductEngine.float32.isAvailable),
        arguments: ProductPrecision.allCases)
    func parts(precision: ProductPrecision) {
        var generator = SeededGenerator(seed: 6)
        let a = Matrix.normal(rows: 401, columns: 130, deviation: 1, using: &generator)
        let b = Matrix.normal(rows: 300, columns: 130, deviation: 1, using: &generator)
        let whole = product(a, b, transposeB: true, threads: 1, precision: precision)
        for threads in [2, 3] { #expect(product(a, b, transposeB: true, threads: threads, precision: precision) == whole) }
    }

    @Test("rounding to bfloat16: to nearest, ties to even, NaN stays NaN")
    func rounding() {
        let cases: [(Float, Float)] = [
            (1, 1), (1.00390625, 1), (1.01171875, 1.015625), (1.0039064, 1.0078125), (-1.00390625, -1), (0, 0), (3.4e38, .infinity),
            (.infinity, .infinity), (-.infinity, -.infinity), (.leastNonzeroMagnitude, 0),
        ]
        for (x, y) in cases { #expect(ReferenceKernels.roundedToBFloat16(x) == y, "\(x)") }
        #expect(ReferenceKernels.roundedToBFloat16(Float.nan).isNaN)
        // The processor agrees, on numbers of every size, one factor at a time.
        guard ProductEngine.bfloat16.isAvailable else { return }
        var generator = SeededGenerator(seed: 7)
        let x = Matrix(rows: 64, columns: 64) { target in
            for i in target.indices { target[i] = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
        }
        let identity = Matrix(rows: 64, columns: 64) { target in for i in target.indices { target[i] = i / 64 == i % 64 ? 1 : 0 } }
        for row in 0..<64 {
            // One row at a time: 0 times an infinity elsewhere would be NaN.
            for column in 0..<64 where x[row, column].isFinite && ReferenceKernels.roundedToBFloat16(x[row, column]).isFinite {
                var one = Matrix(rows: 4, columns: 64)
                one[0, column] = x[row, column]
                let c = product(one, identity, precision: .bfloat16)
                #expect(c[0, column] == ReferenceKernels.roundedToBFloat16(x[row, column]))
            }
        }
    }

    @Test("which engine is taken")
    func choice() {
        func engine(_ m: Int, _ n: Int, _ k: Int, _ precision: ProductPrecision) -> ProductEngine {
            ProductEngine.fastest(rows: m, columns: n, inner: k, transposeB: false, precision: precision)
        }
        #expect(engine(1, 1, 1, .bfloat16) == .openBLAS && engine(1, 1, 1, .float32) == .openBLAS)
        #expect(engine(512, 256, 64, .bfloat16) == (Kernels.hasBFloat16 ? .bfloat16 : engine(512, 256, 64, .float32)))
        #expect(engine(512, 256, 64, .float32) == (ProductEngine.float32.isAvailable ? .float32 : .openBLAS))
        #expect(Kernels.facts.bfloat16 == Kernels.hasBFloat16 && Kernels.facts.ownProducts == ProductEngine.float32.isAvailable)
    }

    private func absolute(_ x: Matrix) -> Matrix { Matrix(rows: x.rows, columns: x.columns, values: x.values.map(abs)) }

    /// One product with every stored row `pad` longer than it need be and every operand off its alignment; `c` with its gaps.
    private func run(
        _ engine: ProductEngine, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: Matrix, _ transposeA: Bool, _ b: Matrix,
        _ transposeB: Bool, _ beta: Float, _ old: Matrix, pad: Int
    ) -> [Float] {
        func spread(_ x: Matrix) -> [Float] {
            var result: [Float] = [0]
            for r in 0..<x.rows { result += x.row(r) + [Float](repeating: 7, count: pad) }
            return result
        }
        let (left, right) = (spread(a), spread(b))
        var out = spread(old)
        out.withUnsafeMutableBufferPointer { out in
            left.withUnsafeBufferPointer { left in
                right.withUnsafeBufferPointer { right in
                    guard let c = out.baseAddress, let a_ = left.baseAddress, let b_ = right.baseAddress else { return }
                    engine.multiply(
                        rows: m, columns: n, inner: k, alpha: alpha, a_ + 1, stride: a.columns + pad, transposed: transposeA, b_ + 1,
                        stride: b.columns + pad, transposed: transposeB, beta: beta, into: c + 1, stride: n + pad)
                }
            }
        }
        return Array(out.dropFirst())
    }
}
