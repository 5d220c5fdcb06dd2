import Tensors
import Testing

@Suite struct RowProductTests {
    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in random.normal() }
    }

    /// Sizes around the edges of the micro-kernel: 6 rows, 64 columns, blocks of 128 inner steps.
    static let sizes = [(1, 16, 1), (5, 48, 7), (6, 64, 64), (7, 80, 130), (13, 32, 300), (64, 128, 33)]

    @Test(arguments: sizes, [false, true]) func productsAgreeWithSums(size: (m: Int, n: Int, k: Int), isTransposed: Bool) {
        let (m, n, k) = size
        let a = numbers(m * k, seed: 1), b = numbers(k * n, seed: 2), old = numbers(m * n, seed: 3), extra = numbers(m * n, seed: 4)
        func element(_ i: Int, _ l: Int) -> Float { isTransposed ? a[l * m + i] : a[i * k + l] }
        var sums = [Double](repeating: 0, count: m * n)
        for i in 0..<m { for l in 0..<k { for j in 0..<n { sums[i * n + j] += Double(element(i, l)) * Double(b[l * n + j]) } } }
        for kind in [RowProductKind.plain, .add, .bias, .biasRelu, .reluSlope] {
            var out = old
            Kernels.rowProduct(
                kind, rows: m, columns: n, inner: k, a, strides: isTransposed ? (1, m) : (k, 1), b, stride: n, into: &out, stride: n,
                extra: extra, extraStride: kind == .reluSlope ? n : 0)
            for i in 0..<m {
                for j in 0..<n {
                    let sum = sums[i * n + j]
                    let expected =
                        switch kind {
                        case .add: sum + Double(old[i * n + j])
                        case .bias: sum + Double(extra[j])
                        case .biasRelu: max(0, sum + Double(extra[j]))
                        case .reluSlope: extra[i * n + j] > 0 ? sum : 0
                        default: sum
                        }
                    #expect(abs(Double(out[i * n + j]) - expected) < 1e-4 * Double(k).squareRoot() + 1e-5, "\(kind) at \(i), \(j)")
                }
            }
        }
    }

    @Test func exponentialsAndTheirSums() {
        let (m, n, k) = (9, 80, 16)
        let a = numbers(m * k, seed: 5), b = numbers(k * n, seed: 6)
        var extra = numbers(n, seed: 7).map { $0 * 8 }
        extra[n - 1] = -120
        var out = [Float](repeating: 0, count: m * n), sums = [Float](repeating: 0, count: m * 16)
        Kernels.rowProduct(
            .exponentials, rows: m, columns: n, inner: k, a, strides: (k, 1), b, stride: n, into: &out, stride: n, extra: extra, sums: &sums
        )
        for i in 0..<m {
            var total = 0.0
            for j in 0..<n {
                var exponent = Double(extra[j])
                for l in 0..<k { exponent += Double(a[i * k + l]) * Double(b[l * n + j]) }
                let expected = Double(Kernels.exp(Float(exponent * 0.693147180559945)))
                total += expected
                #expect(abs(Double(out[i * n + j]) - expected) <= 2e-5 * expected + 1e-30)
            }
            #expect(abs(sums[i * 16..<(i + 1) * 16].reduce(0) { $0 + Double($1) } - total) < 2e-5 * total)
        }
    }

    @Test func transposesHaveEveryElement() {
        let d = 80, table = numbers(5 * d, seed: 8)
        var turned = [Float](repeating: 0, count: 5 * 37)
        Kernels.transpose(rows: 5, columns: 37, table, stride: d, into: &turned, stride: 5)
        for i in 0..<5 { for j in 0..<37 { #expect(turned[j * 5 + i] == table[i * d + j]) } }
    }
}
