import Gradients
import Tensors
import Testing

@Suite("Fused operations: first and second derivatives against central differences")
struct FusedOperationTests {
    @Test("layer norm with and without gain and bias")
    func layerNorm() {
        let x = matrix(3, 5, seed: 1), gain = matrix(1, 5, seed: 2), bias = matrix(1, 5, seed: 3)
        let functions: [(String, ([Variable]) -> Variable)] = [
            ("plain", { $0[0].layerNormalisedRows() }), ("gain", { $0[0].layerNormalisedRows(gain: $0[1]) }),
            ("bias", { $0[0].layerNormalisedRows(bias: $0[2]) * $0[2] }),
            ("both, of a function", { ($0[0] * $0[0].tanh()).layerNormalisedRows(gain: $0[1] * $0[1], bias: $0[2]).tanh() }),
            ("twice the same", { ($0[0].rows(0..<1)).layerNormalisedRows(gain: $0[0].rows(0..<1), bias: $0[0].rows(0..<1)) }),
        ]
        for (name, f) in functions {
            let check = DerivativeCheck([x, gain, bias]) { f($0) }
            #expect(check.isGood && check.largestSecond > 0.001, "\(name): \(check)")
        }
    }

    @Test("causal attention of both forms, with and without biases", arguments: [CausalAttention.Form.softmax, .silu(weight: 0.25)])
    func attention(form: CausalAttention.Form) {
        let q = matrix(5, 3, seed: 4), k = matrix(5, 3, seed: 5), v = matrix(5, 2, seed: 6), biases = matrix(1, 5, seed: 7)
        let functions: [(String, ([Variable]) -> Variable)] = [
            ("plain", { .causalAttention(queries: $0[0], keys: $0[1], values: $0[2], form: form) }),
            ("biases", { .causalAttention(queries: $0[0], keys: $0[1], values: $0[2], biases: $0[3], scale: 0.8, form: form) }),
            ("self-attention", { .causalAttention(queries: $0[0], keys: $0[0], values: $0[0], form: form).tanh() }),
            ("of functions", {
                .causalAttention(queries: $0[0] * $0[1], keys: $0[0].tanh(), values: $0[2] * $0[2], biases: $0[3].sigmoid(), form: form)
            }),
        ]
        for (name, f) in functions {
            let check = DerivativeCheck([q, k, v, biases]) { f($0) }
            #expect(check.isGood && check.largestSecond > 0.001, "\(name): \(check)")
        }
    }

    @Test("attention over more positions than a block is the composition")
    func longAttention() {
        let q = matrix(70, 4, seed: 8), k = matrix(70, 4, seed: 9), v = matrix(70, 4, seed: 10)
        let variables = [q, k, v].map { Variable($0) }
        let fused = Variable.causalAttention(queries: variables[0], keys: variables[1], values: variables[2])
        let mask = Matrix(rows: 70, columns: 70) { target in for i in target.indices { target[i] = i % 70 <= i / 70 ? 0 : -.infinity } }
        let scores = 0.5 * Variable.product(variables[0], variables[1], transposeB: true) + .constant(mask)
        let composed = Variable.product(scores.softmaxRows(), variables[2])
        #expect(near(fused.value, composed.value))
        let weights = Variable.constant(matrix(70, 4, seed: 11))
        for creatingGraph in [false, true] {
            let a = gradients(of: fused, withRespectTo: variables, weights: weights, creatingGraph: creatingGraph)
            let b = gradients(of: composed, withRespectTo: variables, weights: weights)
            #expect(zip(a, b).allSatisfy { near($0.value, $1.value) })
        }
    }

    @Test("cross-entropy over a catalogue, in tiles, with weights and corrections")
    func catalogue() {
        let users = matrix(5, 3, seed: 12), items = matrix(7, 3, seed: 13)
        let targets: [Int32] = [6, 0, 3, 3, 1], weights: [Float] = [0.5, 1, 0, 2, 0.3]
        let corrections = matrix(1, 7, seed: 14).values
        let functions: [(String, ([Variable]) -> Variable)] = [
            ("plain", { .catalogueCrossEntropy(users: $0[0], items: $0[1], targets: targets) }),
            ("tiles", { .catalogueCrossEntropy(users: $0[0], items: $0[1], targets: targets, weights: weights, tileUsers: 2) }),
            ("corrections", {
                    .catalogueCrossEntropy(
                        users: $0[0], items: $0[1], targets: targets, weights: weights, corrections: corrections, tileUsers: 3)
            }),
            ("of functions", {
                let loss = Variable.catalogueCrossEntropy(
                    users: $0[0] * $0[0].tanh(), items: $0[1].l2NormalisedRows(), targets: targets, tileUsers: 4)
                return loss * loss
            }),
            ("against themselves", { .catalogueCrossEntropy(users: $0[0], items: $0[0], targets: [4, 0, 3, 3, 1], tileUsers: 2) }),
        ]
        for (name, f) in functions {
            let check = DerivativeCheck([users, items]) { f($0) }
            #expect(check.isGood && check.largestSecond > 0.001, "\(name): \(check)")
        }
        // The same number as the composition over all scores at once.
        let (u, v) = (Variable(users), Variable(items))
        let whole = Variable.product(u, v, transposeB: true).crossEntropy(targets: targets)
        #expect(abs(Variable.catalogueCrossEntropy(users: u, items: v, targets: targets, tileUsers: 2).scalar - whole.scalar) < 1e-6)
    }

    @Test("functions that are computed again keep their derivatives, of the third order too")
    func recomputing() {
        let x = matrix(2, 3, seed: 15), y = matrix(2, 3, seed: 16)
        let function: ([Variable]) -> Variable = { ($0[0] * $0[1].tanh()).exp() * $0[0] }
        let check = DerivativeCheck([x, y]) { .recomputing($0, function: function) }
        #expect(check.isGood && check.largestSecond > 0.01, "\(check)")
        let twice = DerivativeCheck([x]) { .recomputing([$0[0], $0[0]], function: function) }
        #expect(twice.isGood && twice.largestSecond > 0.01, "\(twice)")
        let slope = DerivativeCheck([x]) { v in
            let z = Variable.recomputing([v[0], v[0] * v[0]], function: function)
            return gradients(of: z.sum(), withRespectTo: [v[0]], creatingGraph: true)[0]
        }
        #expect(slope.isGood && slope.largestSecond > 0.01, "\(slope)")
    }

    @Test("maximum with a number, dropout with a mask, rows and their joining")
    func small() {
        let x = matrix(4, 3, seed: 17, away: 0.4), mask = Variable.dropoutMask(rows: 4, columns: 3, rate: 0.5, key: 9)
        #expect(mask.values.allSatisfy { $0 == 0 || $0 == 2 } && Set(mask.values).count == 2)
        let functions: [(String, (Variable) -> Variable)] = [
            ("maximum", { $0.maximum(0.1) * $0 }), ("dropout", { ($0 * $0).dropout(mask: mask) }),
            ("rows", { $0.rows(1..<3) * $0.rows(0..<2) }), ("no rows", { .concatenatingRows([$0.rows(2..<2), $0 * $0]) }),
            ("joined", { .concatenatingRows([$0, $0.rows(3..<4), $0 * $0]) / 2 }),
        ]
        for (name, f) in functions {
            let check = DerivativeCheck([x]) { f($0[0]).tanh() }
            #expect(check.isGood && check.largestSecond > 0.01, "\(name): \(check)")
        }
        let y = Variable(Matrix(row: [.nan, -1, 3])).maximum(2)
        #expect(y.value.values[0].isNaN && Array(y.value.values[1...]) == [2, 3])
    }

    @Test("a table's rows in use: gradients of both orders, sparse and dense alike")
    func tableRows() {
        let table = matrix(50, 3, seed: 18)
        let bags = SparseRows(columns: 50, bags: [[7, 41, 41], [], [3], [49, 7]]), looked: [Int32] = [41, 0, 41]
        func loss(_ bag: Variable, _ rows: Variable) -> Variable { bag.tanh().sum() * (rows * rows).sum() }

        let all = Variable(table)
        let dense = gradients(
            of: loss(.embeddingBag(bags, all), all.gatheringRows(looked)), withRespectTo: [all], creatingGraph: true)[0]
        let part = TableRows(of: table, used: bags.indices + looked)
        #expect(part.indices == [0, 3, 7, 41, 49] && part.rows.value.rows == 5)
        let sparse = gradients(
            of: loss(part.embeddingBag(bags), part.gathering(looked)), withRespectTo: [part.rows], creatingGraph: true)[0]
        #expect(near(part.gradient(sparse.value).dense, dense.value))
        let second = gradients(of: (sparse * sparse).sum(), withRespectTo: [part.rows])[0]
        let denseSecond = gradients(of: (dense * dense).sum(), withRespectTo: [all])[0]
        #expect(near(part.gradient(second.value).dense, denseSecond.value) && second.value.values.contains { abs($0) > 1e-4 })

        let check = DerivativeCheck([table.gatheringRows([0, 3, 7, 41, 49])]) { v in
            loss(.embeddingBag(SparseRows(columns: 5, bags: [[2, 3, 3], [], [1], [4, 2]]), v[0]), v[0].gatheringRows([3, 0, 3]))
        }
        #expect(check.isGood, "\(check)")

        var moved = table
        part.gradient(sparse.value).add(to: &moved, scaledBy: -0.1)
        for row in 0..<50 {
            let stays = !part.indices.contains(Int32(row))
            #expect(
                stays == (moved.row(row) == table.row(row))
                    || sparse.value.row(part.indices.firstIndex(of: Int32(row)) ?? 0).allSatisfy { $0 == 0 })
        }
    }

    @Test("fused operations free their graphs and keep no gradient alive")
    func freed() {
        weak var middle: Variable?
        weak var slope: Variable?
        do {
            let x = Variable(matrix(4, 4, seed: 19))
            let y = Variable.causalAttention(queries: x.layerNormalisedRows(), keys: x, values: x)
            middle = y
            for creatingGraph in [false, true] {
                let g = gradients(of: (y * y).sum(), withRespectTo: [x], creatingGraph: creatingGraph)[0]
                slope = g
                #expect(g.value.values.contains { $0 != 0 })
            }
        }
        #expect(middle == nil && slope == nil)
    }

    @Test("the first derivative does not hold what the second needs: a deep stack of fused layers is differentiated and freed")
    func deep() {
        let x = Variable(matrix(2, 4, seed: 20))
        var y = x
        for _ in 0..<2_000 { y = y.layerNormalisedRows() + x }
        let g = gradients(of: y.sum(), withRespectTo: [x])[0]
        #expect(g.value.values.allSatisfy { $0.isFinite })
    }

    private func near(_ a: Matrix, _ b: Matrix) -> Bool {
        let size = max(b.values.map(abs).max() ?? 0, 0.01)
        return a.rows == b.rows && a.columns == b.columns && zip(a.values, b.values).allSatisfy { abs($0 - $1) <= 2e-5 * size }
    }
}
