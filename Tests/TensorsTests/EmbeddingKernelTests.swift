import Tensors
import Testing

@Suite("Loops over rows of tables against their plain twins")
struct EmbeddingKernelTests {
    @Test("gathered rows are the table's", arguments: TileKernelTests.widths)
    func gather(width: Int) {
        let stride = width + 2, table = normals(9 * stride, seed: 1), indices = [3, 0, 8, 3, 5, 1, 7, 2, 6, 4, 8] as [Int32]
        var out = [Float](repeating: 7, count: indices.count * stride)
        Kernels.gatherRows(table, stride: stride, indices: indices, rows: indices.count, columns: width, into: &out, stride: stride)
        for (place, index) in indices.enumerated() {
            for i in 0..<width { #expect(out[place * stride + i] == table[Int(index) * stride + i]) }
            #expect(out[place * stride + width] == 7)
        }
    }

    @Test("rows of one length and their way back", arguments: TileKernelTests.widths, [1, 20] as [Float])
    func unit(width: Int, scale: Float) {
        let rows = 5, stride = width + 1, x = normals(rows * stride, seed: 2), outer = normals(rows * stride, seed: 3)
        var u = x, g = outer, inverses = [Float](repeating: 0, count: rows), along: Float = 0, expectedAlong: Float = 0
        // The third row is shorter than epsilon.
        for i in 0..<width { u[2 * stride + i] *= 1e-9 }
        let start = u
        Kernels.unitRows(rows: rows, columns: width, &u, stride: stride, epsilon: 1e-6, scale: scale, inverses: &inverses)
        Kernels.unitRowsBackward(
            rows: rows, columns: width, u, stride: stride, inverses: inverses, scale: scale, gradient: &g, stride: stride, along: &along)
        for r in 0..<rows {
            let row = Array(start[r * stride..<r * stride + width]), plain = ReferenceKernels.unitRow(row, epsilon: 1e-6, scale: scale)
            #expect(approximatelyEqual(inverses[r], plain.inverse, tolerance: 1e-6))
            for i in 0..<width { #expect(approximatelyEqual(u[r * stride + i], plain.row[i], tolerance: 1e-6, scale: scale)) }
            #expect(u[r * stride + width] == start[r * stride + width] && g[r * stride + width] == outer[r * stride + width])
            if r == 2 {
                expectedAlong += (0..<width).reduce(0) { $0 + u[r * stride + $1] * outer[r * stride + $1] }
                continue
            }
            let back = ReferenceKernels.unitRowBackward(row, scale: scale, outer: Array(outer[r * stride..<r * stride + width]))
            expectedAlong += back.along
            // In one dimension the gradient is 0, of numbers as large as scale / |x| and |outer|.
            let size = 4 * scale * plain.inverse
            for i in 0..<width { #expect(approximatelyEqual(g[r * stride + i], back.gradient[i], tolerance: 1e-5, scale: size)) }
        }
        #expect(approximatelyEqual(along, expectedAlong, tolerance: 1e-5, scale: 4 * scale))
    }

    @Test("rows are stepped as one at a time, others stay", arguments: TileKernelTests.widths, [1, 0.5] as [Float])
    func adagrad(width: Int, scale: Float) {
        let stride = width + 2, table = normals(12 * stride, seed: 4), g = normals(10 * width, seed: 5)
        let indices = [3, 0, 11, 5, 1, 7, 2, 6, 4, 8] as [Int32], used = indices.map { $0 != 5 && $0 != 8 }
        for isGiven in [true, false] {
            var stepped = table, accumulators = normals(12, seed: 6).map { $0 * $0 }, gradients = g
            let before = accumulators
            used.withUnsafeBufferPointer { used in
                Kernels.adagradRows(
                    &stepped, stride: stride, accumulators: &accumulators, indices: indices, used: isGiven ? used.baseAddress : nil,
                    rows: indices.count, columns: width, gradients: &gradients, stride: width, gradientScale: scale, learningRate: 0.1)
            }
            for row in 0..<12 {
                let own = Array(table[row * stride..<row * stride + width]), now = Array(stepped[row * stride..<row * stride + width])
                guard let place = indices.firstIndex(of: Int32(row)), !isGiven || used[place] else {
                    #expect(own == now && accumulators[row] == before[row])
                    continue
                }
                let scaled = g[place * width..<(place + 1) * width].map { scale * $0 }
                #expect(Array(gradients[place * width..<(place + 1) * width]) == scaled)
                var alone = own, accumulator = before[row]
                Kernels.adagradRow(&alone, accumulator: &accumulator, gradient: scaled, count: width, learningRate: 0.1)
                #expect(alone == now && accumulator == accumulators[row])
                let beside = row * stride + width..<(row + 1) * stride
                #expect(Array(stepped[beside]) == Array(table[beside]))
            }
        }
    }

    @Test("pools of weighted rows and their way back, rows that come twice among them", arguments: TileKernelTests.widths)
    func pools(width: Int) {
        let stride = width, vectors = normals(6 * stride, seed: 7), rows = [4, 1, 4, 0, 2] as [Int32], count = rows.count, pools = 2
        let weights = [0.5, 1e-7, 0.2, 0, 0.3, 0.1, 0.9, 0.4, 0.25, 0] as [Float], outer = normals(pools * width, seed: 8)
        var slopes = [Float](repeating: 7, count: pools * count), gradient = [Float](repeating: 1, count: 6 * stride)
        Kernels.poolRowsBackward(
            vectors, stride: stride, rows: rows, count: count, pools: pools, weights: weights, above: 1e-6, columns: width, outer: outer,
            slopes: &slopes, into: &gradient)
        var expected = [Double](repeating: 1, count: 6 * stride)
        for k in 0..<pools {
            let own = Array(weights[k * count..<(k + 1) * count])
            let gathered = rows.map { Array(vectors[Int($0) * stride..<Int($0 + 1) * stride]) }
            var out = [Float](repeating: 0, count: width)
            own.withUnsafeBufferPointer { own in
                guard let own = own.baseAddress else { return }
                Kernels.poolRows(
                    vectors, stride: stride, rows: rows, count: count, weights: own, above: 1e-6, columns: width, into: &out)
            }
            let plain = ReferenceKernels.pool(gathered, weights: own, above: 1e-6, width: width)
            let slope = Array(outer[k * width..<(k + 1) * width])
            for i in 0..<width { #expect(approximatelyEqual(out[i], plain[i], tolerance: 1e-6, scale: 4)) }
            for e in 0..<count {
                let isUsed = own[e] > 1e-6, along = isUsed ? ReferenceKernels.dot(slope, gathered[e]) : 0
                #expect(approximatelyEqual(slopes[k * count + e], along, tolerance: 1e-5, scale: 4))
                if isUsed { for i in 0..<width { expected[Int(rows[e]) * stride + i] += Double(own[e]) * Double(slope[i]) } }
            }
        }
        #expect(zip(gradient, expected).allSatisfy { approximatelyEqual($0, Float($1), tolerance: 1e-6, scale: 4) })
    }
}
