import Tensors
import Testing

@Suite("Loops over tiles against their plain twins")
struct TileKernelTests {
    static let widths = [1, 3, 15, 16, 17, 32, 48, 63, 64, 65, 130]

    @Test("layer norm of strided rows and its way back", arguments: widths, [0, 3])
    func layerNorm(width: Int, gap: Int) {
        let rows = 5, stride = width + gap
        let x = normals(rows * stride + 1, seed: 1).map { 3 * $0 + 2 }, g = normals(rows * stride + 1, seed: 2)
        let gain = normals(width, seed: 3), bias = normals(width, seed: 4)
        for hasGain in [true, false] {
            var out = [Float](repeating: 7, count: rows * stride), dx = [Float](repeating: 7, count: rows * stride)
            var means = [Float](repeating: 0, count: rows), inverses = means
            var dGain = [Float](repeating: 1, count: width), dBias = dGain
            x.withUnsafeBufferPointer { x in
                g.withUnsafeBufferPointer { g in
                    guard let x = x.baseAddress, let g = g.baseAddress else { return }
                    gain.withUnsafeBufferPointer { gain in
                        Kernels.layerNormRows(
                            rows: rows, columns: width, x + 1, stride: stride, gain: hasGain ? gain.baseAddress : nil,
                            bias: hasGain ? bias : nil,
                            into: &out, stride: stride, means: &means, inverses: &inverses)
                        Kernels.layerNormRowsBackward(
                            rows: rows, columns: width, x + 1, stride: stride, gain: hasGain ? gain.baseAddress : nil, means: means,
                            inverses: inverses, outer: g + 1, stride: stride, into: &dx, stride: stride, adding: hasGain,
                            gainGradient: &dGain, biasGradient: &dBias)
                    }
                }
            }
            var (expectedGain, expectedBias) = ([Float](repeating: 1, count: width), [Float](repeating: 1, count: width))
            for r in 0..<rows {
                let row = Array(x[(1 + r * stride)..<(1 + r * stride + width)]),
                    outer = Array(g[(1 + r * stride)..<(1 + r * stride + width)])
                let y = ReferenceKernels.layerNorm(row, gain: hasGain ? gain : nil, bias: hasGain ? bias : nil, epsilon: 1e-5)
                let back = ReferenceKernels.layerNormBackward(row, gain: hasGain ? gain : nil, outer: outer, epsilon: 1e-5)
                // With one column the variance is 0 and the scale 316: what rounding leaves is multiplied with it.
                let scale: Float = width == 1 ? 320 : 4
                for i in 0..<width {
                    #expect(approximatelyEqual(out[r * stride + i], y[i], tolerance: 1e-5, scale: scale))
                    #expect(approximatelyEqual(dx[r * stride + i], back.x[i] + (hasGain ? 7 : 0), tolerance: 1e-5, scale: scale))
                    expectedGain[i] += back.gain[i]
                    expectedBias[i] += back.bias[i]
                }
                for i in 0..<gap { #expect(out[r * stride + width + i] == 7 && dx[r * stride + width + i] == 7) }
            }
            #expect(zip(dGain, expectedGain).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-5, scale: width == 1 ? 320 : 4) })
            #expect(zip(dBias, expectedBias).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-5, scale: 4) })
        }
    }

    @Test("dropout: the same numbers as its twin, anywhere in memory, in place and added", arguments: kernelLengths, [0, 0.1, 0.5, 0.99])
    func dropout(count: Int, rate: Float) {
        let x = normals(count + 1, seed: 5), base = normals(count, seed: 6), key: UInt64 = 0x1234_5678_9abc_def0
        var out = [Float](repeating: 7, count: count)
        let part = Array(x.dropFirst()), plain = ReferenceKernels.dropout(part, rate: rate, key: key)
        x.withUnsafeBufferPointer { x in
            guard let x = x.baseAddress else { return }
            Kernels.dropout(x + 1, into: &out, count: count, rate: rate, key: key)
            #expect(out == plain)
            Kernels.dropout(x + 1, addedTo: base, into: &out, count: count, rate: rate, key: key)
            let expected = ReferenceKernels.dropout(part, addedTo: base, rate: rate, key: key)
            #expect(zip(out, expected).allSatisfy { approximatelyEqual($0, $1, tolerance: 2e-7, scale: 200) })
        }
        var inPlace = part
        inPlace.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            Kernels.dropout(start, into: start, count: count, rate: rate, key: key)
        }
        #expect(inPlace == plain)
        if rate == 0 { #expect(plain == part) }
    }

    @Test("dropout drops the share it says, evenly over places and keys, and keeps the mean")
    func dropoutShare() {
        let count = 4096, ones = [Float](repeating: 1, count: count)
        var out = ones, byPlace = [Int](repeating: 0, count: count), total = 0.0, pairs = 0
        for key in 0..<400 as Range<UInt64> {
            Kernels.dropout(ones, into: &out, count: count, rate: 0.25, key: key &* 0x9e37_79b9_7f4a_7c15)
            for i in 0..<count {
                if out[i] == 0 { byPlace[i] += 1 }
                total += Double(out[i])
                if i > 0, out[i] == 0, out[i - 1] == 0 { pairs += 1 }
            }
        }
        let n = Double(400 * count)
        #expect(abs(total / n - 1) < 0.002)
        // 100 of 400 with a deviation of 8.7: no place stands out beyond six deviations.
        #expect(byPlace.allSatisfy { abs($0 - 100) < 53 })
        #expect(abs(Double(pairs) / n - 0.0625) < 0.001)
    }

    @Test("activations with bias and their slopes", arguments: Kernels.Activation.allCases, [1, 16, 37])
    func activations(f: Kernels.Activation, width: Int) {
        let rows = 9, stride = width + 2, bias = normals(width, seed: 7)
        let start = normals(rows * stride, seed: 8).map { 3 * $0 }, g = normals(rows * stride, seed: 9)
        var x = start, out = start, slope = g, dBias = [Float](repeating: 2, count: width)
        Kernels.activateRows(f, rows: rows, columns: width, &x, stride: stride, bias: bias, into: &out, stride: stride)
        Kernels.activateRowsBackward(
            f, rows: rows, columns: width, x, stride: stride, gradient: &slope, stride: stride, biasGradient: &dBias)
        var sums = [Float](repeating: 2, count: width), own = sums
        for r in 0..<rows {
            for i in 0..<stride {
                let place = r * stride + i
                guard i < width else {
                    #expect(x[place] == start[place] && out[place] == start[place] && slope[place] == g[place])
                    continue
                }
                #expect(x[place] == start[place] + bias[i])
                let expected = ReferenceKernels.activation(f, x[place])
                #expect(approximatelyEqual(out[place], Float(expected.value), tolerance: 1e-6, scale: 1))
                #expect(approximatelyEqual(slope[place], g[place] * Float(expected.slope), tolerance: f == .gelu ? 1e-5 : 2e-6, scale: 1))
                sums[i] += slope[place]
            }
        }
        #expect(zip(dBias, sums).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-6, scale: 10) })
        Kernels.addSumOfRows(rows: rows, columns: width, slope, stride: stride, into: &own)
        #expect(zip(own, sums).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-6, scale: 10) })
        // NaN stays NaN; -infinity of relu is 0.
        var odd: [Float] = [.nan, -.infinity, .infinity]
        Kernels.activateRows(.relu, rows: 1, columns: 3, &odd, stride: 3, into: &out, stride: 3)
        #expect(out[0].isNaN && out[1] == 0 && out[2] == .infinity)
    }

    @Test("gather and scatter-add of strided rows", arguments: [1, 16, 37])
    func rows(width: Int) {
        let stride = width + 1, table = normals(10 * stride, seed: 10), indices: [Int32] = [3, 9, 3, 0, 7, 7, 7, 1, 2, 3, 4]
        var out = [Float](repeating: 7, count: indices.count * stride)
        Kernels.gatherRows(table, stride: stride, indices: indices, rows: indices.count, columns: width, into: &out, stride: stride)
        var sum = table, expected = table
        Kernels.scatterAddRows(
            &sum, stride: stride, indices: indices, rows: indices.count, columns: width, from: out, stride: stride, alpha: 2)
        for (r, index) in indices.enumerated() {
            for i in 0..<width {
                #expect(out[r * stride + i] == table[Int(index) * stride + i])
                expected[Int(index) * stride + i] += 2 * out[r * stride + i]
            }
            #expect(out[r * stride + width] == 7)
        }
        #expect(zip(sum, expected).allSatisfy { approximatelyEqual($0, $1, tolerance: 1e-6, scale: 1) })
    }

    @Test("the exponential of training, sums and tops of rows", arguments: [1, 5, 16, 31, 32, 33, 100, 1000])
    func expAndSum(width: Int) {
        let rows = 3, stride = width + 1
        let start = normals(rows * stride, seed: 11).map { 12 * $0 }, corrections = normals(width, seed: 12)
        for given in [nil, corrections] as [[Float]?] {
            var x = start, top = [-.infinity, 500, -3] as [Float], sums: [Float] = [1, 2, 3]
            let shift: [Float] = [20, 3, -1]
            run(given) { Kernels.topOfRows(rows: rows, columns: width, &x, stride: stride, corrections: $0, top: &top) }
            for r in 0..<rows {
                let row = (0..<width).map { start[r * stride + $0] + (given?[$0] ?? 0) }
                #expect(top[r] == max([-.infinity, 500, -3][r], row.max() ?? 0))
                #expect(Array(x[(r * stride)..<(r * stride + width)]) == row && x[r * stride + width] == start[r * stride + width])
            }
            x = start
            run(given) { Kernels.expAndSumRows(rows: rows, columns: width, &x, stride: stride, corrections: $0, shift: shift, sums: &sums) }
            for r in 0..<rows {
                var total = Double(r + 1)
                for i in 0..<width {
                    let at = given.map { start[r * stride + i] + ($0[i] - shift[r]) } ?? (start[r * stride + i] - shift[r])
                    let expected = at < -87 ? 0 : at > 88.4 ? Float.infinity : ReferenceKernels.apply(.exp, at)
                    #expect(approximatelyEqual(x[r * stride + i], expected, tolerance: 4e-7), "e^\(at)")
                    total += Double(x[r * stride + i])
                }
                #expect(approximatelyEqual(sums[r], Float(total), tolerance: 2e-6))
                #expect(x[r * stride + width] == start[r * stride + width])
            }
        }
    }

    @Test("the exponential of training over its whole range")
    func expRange() {
        var x = (0..<200_000).map { Float($0) / 200_000 * 175.3 - 87 }, none: [Float] = [0]
        let inputs = x
        Kernels.expAndSumRows(rows: 1, columns: x.count, &x, stride: x.count, shift: [0], sums: &none)
        let worst = zip(x, inputs).map { abs($0 / ReferenceKernels.apply(.exp, $1) - 1) }.max() ?? 1
        #expect(worst < 4e-7, "\(worst)")
        var odd: [Float] = [.nan, -.infinity, .infinity, 0, -88, 88.8, -1e30, 1e30] + [Float](repeating: 0, count: 16)
        Kernels.expAndSumRows(rows: 1, columns: odd.count, &odd, stride: odd.count, shift: [0], sums: &none)
        #expect(odd[0].isNaN && odd[1...].prefix(7) == [0, .infinity, 1, 0, .infinity, 0, .infinity])
    }

    private func run(_ values: [Float]?, _ body: (UnsafePointer<Float>?) -> Void) {
        guard let values else { return body(nil) }
        values.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
