import Tensors
import Testing

@Suite("Causal attention against the plain twin")
struct CausalAttentionTests {
    struct Case: Sendable, CustomStringConvertible {
        var length: Int, width: Int, valueWidth: Int, form: CausalAttention.Form, hasBias: Bool
        var description: String { "\(length) × \(width) → \(valueWidth), \(form)\(hasBias ? ", bias" : "")" }
    }
    static let cases = [(1, 16, 16), (2, 5, 7), (17, 16, 32), (63, 8, 8), (64, 32, 32), (65, 33, 17), (130, 64, 64), (200, 32, 32)].flatMap
    { sides in
        [CausalAttention.Form.softmax, .silu(weight: 0.02)].flatMap { form in
            [false, true].map { Case(length: sides.0, width: sides.1, valueWidth: sides.2, form: form, hasBias: $0) }
        }
    }

    @Test("forward and backward, strided", arguments: cases, ProductPrecision.allCases)
    func attention(_ c: Case, precision: ProductPrecision) {
        var generator = SeededGenerator(seed: 1)
        func random(_ columns: Int) -> Matrix { .normal(rows: c.length, columns: columns, deviation: 1, using: &generator) }
        let q = random(c.width), k = random(c.width), v = random(c.valueWidth), outer = random(c.valueWidth)
        let biases = c.hasBias ? (0..<c.length).map { _ in generator.normal() } : nil
        let scale = 1 / Float(c.width).squareRoot()
        let expected = ReferenceKernels.causalAttention(q: q, k: k, v: v, scale: scale, form: c.form, biases: biases, outer: outer)
        let result = run(c, q, k, v, outer, biases, scale, precision)
        let tolerance: Float = precision == .float32 ? 2e-5 : 0.04
        func near(_ a: Matrix, _ b: Matrix) -> Bool {
            let size = max(b.values.map(abs).max() ?? 0, 0.1)
            return zip(a.values, b.values).allSatisfy { approximatelyEqual($0, $1, tolerance: tolerance, scale: size) }
        }
        #expect(near(result.out, expected.out))
        guard let back = expected.gradients else { return }
        #expect(near(result.q, back.q) && near(result.k, back.k) && near(result.v, back.v))
        if c.hasBias { #expect(near(Matrix(row: result.biases), Matrix(row: back.biases))) }
        if c.form == .softmax && precision == .float32 {
            #expect(zip(result.logSums, expected.logSums).allSatisfy { approximatelyEqual($0, $1, tolerance: 2e-6, scale: 1) })
        }
    }

    @Test("what lies ahead does not matter, not even NaN; NaN within reaches its own row and those after")
    func causal() {
        let c = Case(length: 70, width: 16, valueWidth: 16, form: .softmax, hasBias: false)
        var generator = SeededGenerator(seed: 2)
        func random() -> Matrix { .normal(rows: c.length, columns: 16, deviation: 1, using: &generator) }
        let q = random(), v = random(), outer = random()
        var k = random()
        let before = run(c, q, k, v, outer, nil, 0.25, .float32).out
        k[66, 3] = .nan
        let after = run(c, q, k, v, outer, nil, 0.25, .float32).out
        for row in 0..<c.length { #expect(row < 66 ? before.row(row) == after.row(row) : after.row(row).allSatisfy(\.isNaN)) }
    }

    @Test("a row whose scores are all -infinity gives zeros, forward and backward")
    func masked() {
        let c = Case(length: 3, width: 4, valueWidth: 4, form: .softmax, hasBias: true)
        let ones = Matrix(rows: 3, columns: 4, repeating: 1)
        // Only a position's distance of 1 is allowed: the first position sees nothing.
        let result = run(c, ones, ones, ones, ones, [-.infinity, 0, -.infinity], 1, .float32)
        #expect(result.out.row(0) == [0, 0, 0, 0] && result.out.row(1) == [1, 1, 1, 1] && result.out.row(2) == [1, 1, 1, 1])
        #expect(result.q.values.allSatisfy { abs($0) < 1e-6 } && result.v.row(2) == [0, 0, 0, 0] && result.v.row(0) == [1, 1, 1, 1])
    }

    private func run(
        _ c: Case, _ q: Matrix, _ k: Matrix, _ v: Matrix, _ outer: Matrix, _ biases: [Float]?, _ scale: Float, _ precision: ProductPrecision
    ) -> (out: Matrix, logSums: [Float], q: Matrix, k: Matrix, v: Matrix, biases: [Float]) {
        let attention = CausalAttention(
            length: c.length, width: c.width, valueWidth: c.valueWidth, scale: scale, form: c.form, precision: precision)
        // q, k and v side by side, as one product makes them.
        let stride = 2 * c.width + c.valueWidth + 1
        var side = Matrix(rows: c.length, columns: stride)
        side.setColumns(from: 0, to: q)
        side.setColumns(from: c.width, to: k)
        side.setColumns(from: 2 * c.width, to: v)
        var out = Matrix(rows: c.length, columns: c.valueWidth, repeating: .nan)
        var back = Matrix(rows: c.length, columns: stride, repeating: .nan)
        var logSums = [Float](repeating: 0, count: c.length), slopes = logSums
        var scratch = [Float](repeating: .nan, count: attention.backwardScratchFloats)
        let limit = UnsafeMutablePointer<Float>.allocate(capacity: c.length)
        defer { limit.deallocate() }
        for (i, bias) in (biases ?? []).enumerated() { limit[i] = bias }
        let bias = biases == nil ? nil : UnsafePointer(limit)
        side.withUnsafePointer { x in
            out.withUnsafeMutablePointer { out in
                attention.forward(
                    x, stride: stride, x + c.width, stride: stride, x + 2 * c.width, stride: stride, biases: bias, into: out,
                    stride: c.valueWidth, logSums: &logSums, scratch: &scratch)
                outer.withUnsafePointer { outer in
                    back.withUnsafeMutablePointer { g in
                        slopes.withUnsafeMutableBufferPointer { slopes in
                            attention.backward(
                                x, stride: stride, x + c.width, stride: stride, x + 2 * c.width, stride: stride, biases: bias, out: out,
                                stride: c.valueWidth, logSums: logSums, outer: outer, stride: c.valueWidth, gradientQ: g,
                                stride: stride, gradientK: g + c.width, stride: stride, gradientV: g + 2 * c.width,
                                stride: stride, biasGradient: slopes.baseAddress, scratch: &scratch)
                        }
                    }
                }
            }
        }
        return (
            out, logSums, back.columns(0..<c.width), back.columns(c.width..<(2 * c.width)),
            back.columns((2 * c.width)..<(2 * c.width + c.valueWidth)), slopes
        )
    }
}
