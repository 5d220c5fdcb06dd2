import Tensors
import Testing

@Suite("Kernels against their plain twins")
struct KernelTests {
    @Test("reductions", arguments: kernelLengths)
    func reductions(count: Int) {
        let a = normals(count, seed: 1), b = normals(count, seed: 2)
        let size = Float(count).squareRoot()
        #expect(approximatelyEqual(Kernels.dot(a, b, count: count), ReferenceKernels.dot(a, b), tolerance: 1e-6, scale: size))
        #expect(approximatelyEqual(Kernels.sum(a, count: count), ReferenceKernels.sum(a), tolerance: 1e-6, scale: size))
        #expect(
            approximatelyEqual(
                Kernels.squaredDistance(a, b, count: count), ReferenceKernels.squaredDistance(a, b), tolerance: 2e-6))
        #expect(Kernels.max(a, count: count) == ReferenceKernels.max(a))
    }

    @Test("a NaN or an infinity anywhere reaches the result", arguments: [1, 5, 16, 40, 64, 130])
    func awkwardReductions(count: Int) {
        for place in 0..<count {
            for value in [Float.nan, .infinity, -.infinity] {
                var x = normals(count, seed: 3)
                x[place] = value
                let ones = [Float](repeating: 1, count: count)
                #expect(approximatelyEqual(Kernels.sum(x, count: count), value, tolerance: 0))
                #expect(approximatelyEqual(Kernels.dot(x, ones, count: count), value, tolerance: 0))
                #expect(approximatelyEqual(Kernels.max(x, count: count), ReferenceKernels.max(x), tolerance: 0))
                #expect(
                    approximatelyEqual(
                        Kernels.logSumExp(x, count: count), ReferenceKernels.logSumExp(x), tolerance: 1e-6, scale: 1))
            }
        }
    }

    @Test("binary operations and updates", arguments: kernelLengths)
    func elementwise(count: Int) {
        var a = normals(count, seed: 4), b = normals(count, seed: 5)
        for (i, value) in awkwardValues.enumerated() where i < count {
            a[i] = value
            b[count - 1 - i] = value
        }
        var out = [Float](repeating: 7, count: count)
        for operation in Kernels.Binary.allCases {
            Kernels.apply(operation, a, b, into: &out, count: count)
            let expected = ReferenceKernels.apply(operation, a, b)
            #expect(zip(out, expected).allSatisfy { approximatelyEqual($0, $1, tolerance: 0) }, "\(operation)")
        }
        let x = normals(count, seed: 6)
        var y = normals(count, seed: 7)
        let expected = ReferenceKernels.axpy(-0.3, x, y)
        Kernels.axpy(-0.3, x, into: &y, count: count)
        #expect(zip(y, expected).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-6, scale: 1) })
        Kernels.scale(2, x, into: &out, count: count)
        #expect(out == x.map { 2 * $0 })
        Kernels.offset(2, x, into: &out, count: count)
        #expect(out == x.map { 2 + $0 })
    }

    @Test("functions of one number", arguments: Kernels.Unary.allCases)
    func functions(function: Kernels.Unary) {
        var x = awkwardValues
        for i in 0..<4000 { x.append(Float(i - 2000) / 19) }
        for i in 0..<1000 { x.append(Float(i) * 1e-4) }
        var out = [Float](repeating: 7, count: x.count)
        Kernels.apply(function, x, into: &out, count: x.count)
        for (input, result) in zip(x, out) {
            let expected = ReferenceKernels.apply(function, input)
            let fits: Bool
            switch function {
            case .relu, .step, .sqrt: fits = approximatelyEqual(result, expected, tolerance: 0)
            case .exp, .log, .tanh:
                // Below the smallest normal number the last place is as large as the number.
                fits = approximatelyEqual(result, expected, tolerance: 2.5e-7) || abs(result - expected) <= .leastNonzeroMagnitude
            case .sigmoid:
                fits = approximatelyEqual(result, expected, tolerance: 5e-7, scale: 1e-30)
            case .silu, .gelu:
                // x · 0 at -infinity has no value; far out the result is -0 and only its size matters.
                fits = input.isInfinite || input == -.greatestFiniteMagnitude
                    || approximatelyEqual(result, expected, tolerance: 1e-6, scale: max(1, abs(input)))
            }
            #expect(fits, "\(function)(\(input)) = \(result), not \(expected)")
        }
        // In place and one by one, the same numbers.
        var inPlace = x
        inPlace.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            Kernels.apply(function, start, into: start, count: buffer.count)
        }
        #expect(zip(inPlace, out).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    }

    @Test("rows: softmax, log-sum-exp, normalisation", arguments: kernelLengths.filter { $0 > 0 })
    func rows(count: Int) {
        let x = normals(count, seed: 8).map { 5 * $0 + 100 }
        var out = [Float](repeating: 7, count: count)
        let total = Kernels.softmax(x, into: &out, count: count)
        #expect(zip(out, ReferenceKernels.softmax(x)).allSatisfy { approximatelyEqual($0, $1, tolerance: 4e-6) })
        #expect(approximatelyEqual(total, ReferenceKernels.logSumExp(x), tolerance: 1e-6))
        #expect(approximatelyEqual(Kernels.logSumExp(x, count: count), total, tolerance: 1e-6))

        Kernels.l2Normalise(x, into: &out, count: count)
        let normalised = ReferenceKernels.l2Normalise(x, epsilon: 1e-12)
        #expect(zip(out, normalised).allSatisfy { approximatelyEqual($0, $1, tolerance: 2e-6) })

        let gain = normals(count, seed: 9), bias = normals(count, seed: 10), y = normals(count, seed: 11)
        for (g, b) in [(nil, nil), (gain, nil), (nil, bias), (gain, bias)] as [([Float]?, [Float]?)] {
            withOptionalPointer(g) { g_ in
                withOptionalPointer(b) { b_ in
                    _ = Kernels.layerNorm(y, gain: g_, bias: b_, into: &out, count: count)
                }
            }
            let expected = ReferenceKernels.layerNorm(y, gain: g, bias: b, epsilon: 1e-5)
            #expect(zip(out, expected).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-5, scale: 1) })
        }
    }

    @Test("rows with infinities and zeros")
    func awkwardRows() {
        let infinity = Float.infinity
        var out = [Float](repeating: 7, count: 3)
        Kernels.softmax([-infinity, 0, -infinity], into: &out, count: 3)
        #expect(out == [0, 1, 0])
        #expect(Kernels.softmax([-infinity, -infinity, -infinity], into: &out, count: 3) == -infinity)
        #expect(out == [0, 0, 0])
        #expect(Kernels.logSumExp([-infinity, -infinity], count: 2) == -infinity)
        Kernels.l2Normalise([0, 0, 0], into: &out, count: 3)
        #expect(out == [0, 0, 0])
        Kernels.l2Normalise([.nan, 1, 1], into: &out, count: 3)
        #expect(out.allSatisfy { $0.isNaN })
    }

    @Test("top-k with ties, NaN and infinities", arguments: kernelLengths)
    func topK(count: Int) {
        // Few distinct values make many ties.
        var x = normals(count, seed: 12).map { ($0 * 4).rounded() / 4 }
        for (i, value) in awkwardValues.enumerated() where 3 * i < count { x[3 * i] = value }
        for k in [0, 1, 2, 10, count, count + 5] {
            #expect(Kernels.topK(k, of: x, count: count) == ReferenceKernels.topK(k, of: x))
        }
    }

    @Test("optimizer steps", arguments: [0, 1, 17, 64, 100])
    func optimizers(count: Int) {
        let rule = AdamRule(learningRate: 0.01, weightDecay: 0.1)
        var p = normals(count, seed: 13), m = [Float](repeating: 0, count: count), v = m
        var expected = p.map { (value: $0, first: Float(0), second: Float(0)) }
        var row = p, accumulator: Float = 0, expectedRow = (values: p, accumulator: Float(0))
        for step in 1...5 {
            let g = normals(count, seed: 20 + UInt64(step))
            // Odd steps take twice the gradient and halve it on the way.
            let given = step % 2 == 1 ? g.map { 2 * $0 } : g
            Kernels.adamStep(
                &p, first: &m, second: &v, gradient: given, gradientScale: step % 2 == 1 ? 0.5 : 1, count: count, rule: rule, step: step)
            for i in 0..<count {
                expected[i] = ReferenceKernels.adamStep(
                    value: expected[i].value, first: expected[i].first, second: expected[i].second, gradient: g[i],
                    rule: rule, step: step)
            }
            Kernels.adagradRow(&row, accumulator: &accumulator, gradient: g, count: count, learningRate: 0.1)
            expectedRow = ReferenceKernels.adagradRow(
                expectedRow.values, accumulator: expectedRow.accumulator, gradient: g, learningRate: 0.1, epsilon: 1e-8)
        }
        #expect(zip(p, expected).allSatisfy { approximatelyEqual($0, $1.value, tolerance: 1e-5, scale: 0.01) })
        #expect(zip(row, expectedRow.values).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-5, scale: 0.1) })
        #expect(approximatelyEqual(accumulator, expectedRow.accumulator, tolerance: 1e-5))
    }

    private func withOptionalPointer(_ array: [Float]?, _ body: (UnsafePointer<Float>?) -> Void) {
        guard let array else { return body(nil) }
        array.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
