import Gradients
import Tensors
import Testing

@Suite("First and second derivatives against central differences")
struct DerivativeTests {
    @Test(
        "arithmetic, with every way of repeating sides",
        arguments: [(3, 4), (1, 4), (3, 1), (1, 1)], [(3, 4), (1, 4), (3, 1), (1, 1)])
    func arithmetic(left: (Int, Int), right: (Int, Int)) {
        let a = matrix(left.0, left.1, seed: 1)
        let b = matrix(right.0, right.1, seed: 2, away: 0.7)
        for (name, f) in [
            ("+", { ($0[0] + $0[1]).tanh() }), ("-", { ($0[0] - $0[1]).tanh() }),
            ("*", { $0[0] * $0[1] }), ("/", { $0[0] / $0[1] }),
        ] as [(String, ([Variable]) -> Variable)] {
            let check = DerivativeCheck([a, b], function: f)
            #expect(check.isGood && check.largestSecond > 0.001, "\(name): \(check)")
        }
    }

    @Test("numbers with variables")
    func numbers() {
        let x = matrix(2, 3, seed: 3, away: 0.7)
        let check = DerivativeCheck([x]) { v in
            let x = v[0]
            return (2 - x) * (x - 3) / 4 + 5 / x + (-x) * (0.5 * x + 1)
        }
        #expect(check.isGood, "\(check)")
    }

    @Test("sums, means and repeats")
    func reductions() {
        let x = matrix(3, 4, seed: 4)
        let functions: [(Variable) -> Variable] = [
            { $0.sum() }, { $0.mean() }, { $0.sumOverRows() }, { $0.sumOverColumns() }, { $0.meanOverRows() },
            { $0.meanOverColumns() }, { $0.sumOverRows().repeated(toRows: 5, columns: 4) },
            { $0.sumOverColumns().repeated(toRows: 3, columns: 2) }, { $0.mean().repeated(toRows: 2, columns: 2) },
        ]
        for (i, f) in functions.enumerated() {
            let check = DerivativeCheck([x]) { (0.2 * f($0[0] * $0[0].tanh())).tanh() }
            #expect(check.isGood && check.largestSecond > 0.01, "\(i): \(check)")
        }
    }

    @Test("functions of one number")
    func functions() {
        let any = matrix(3, 5, seed: 5), away = matrix(3, 5, seed: 6, away: 0.5)
        let positive = matrix(3, 5, seed: 7, away: 0.7, positive: true)
        let cases: [(String, Matrix, (Variable) -> Variable)] = [
            ("exp", any, { $0.exp() }), ("log", positive, { $0.log() }), ("sqrt", positive, { $0.sqrt() }),
            ("1/sqrt", positive, { $0.reciprocalSqrt() }), ("relu", away, { $0.relu() * $0 }), ("tanh", any, { $0.tanh() }),
            ("sigmoid", any, { $0.sigmoid() }), ("silu", any, { $0.silu() }), ("gelu", any, { $0.gelu() }),
            ("softplus", any, { $0.softplus() }),
        ]
        for (name, x, f) in cases {
            let check = DerivativeCheck([x]) { f($0[0]) }
            #expect(check.isGood && check.largestSecond > 0.01, "\(name): \(check)")
        }
        // A straight line on either side: the second derivative is zero, not missing.
        let check = DerivativeCheck([away]) { $0[0].relu() }
        #expect(check.isGood && check.largestSecond == 0, "\(check)")
    }

    @Test("products with every transposition", arguments: [false, true], [false, true])
    func products(transposeA: Bool, transposeB: Bool) {
        let a = transposeA ? matrix(4, 3, seed: 8) : matrix(3, 4, seed: 8)
        let b = transposeB ? matrix(2, 4, seed: 9) : matrix(4, 2, seed: 9)
        let check = DerivativeCheck([a, b]) {
            Variable.product($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)
        }
        #expect(check.isGood && check.largestSecond > 0.1, "\(check)")
        let square = DerivativeCheck([matrix(3, 3, seed: 10)]) {
            Variable.product($0[0], $0[0].tanh(), transposeA: transposeA, transposeB: transposeB)
        }
        #expect(square.isGood && square.largestSecond > 0.1, "\(square)")
    }

    @Test("moving elements: transpose, reshape, gather, scatter, bags, columns")
    func moves() {
        let x = matrix(4, 3, seed: 11)
        let bags = SparseRows(columns: 4, bags: [[0, 2, 2], [], [3], [1, 0]])
        let weighted = SparseRows(columns: 4, offsets: [0, 1, 3], indices: [1, 3, 0], weights: [2, -1, 0.5])
        let functions: [(String, (Variable) -> Variable)] = [
            ("transpose", { $0.transposed() }), ("reshape", { $0.reshaped(rows: 2, columns: 6) }),
            ("gather", { $0.gatheringRows([3, 0, 3, 1, 3]) }), ("scatter", { $0.scatteringRows([1, 0, 1, 4], rows: 6) }),
            ("bag", { .embeddingBag(bags, $0) }), ("weighted bag", { .embeddingBag(weighted, $0) }),
            ("columns", { $0.columns(1..<3) }),
            ("side by side", { .concatenatingColumns([$0, $0.columns(0..<1), $0 * $0]) }),
            ("pick", { $0.picking([2, 0, 1, 1]) }),
        ]
        for (name, f) in functions {
            let check = DerivativeCheck([x]) { f($0[0] * $0[0].tanh()).tanh() }
            #expect(check.isGood && check.largestSecond > 0.01, "\(name): \(check)")
        }
    }

    @Test("functions of rows and losses")
    func rows() {
        let x = matrix(3, 5, seed: 12), gain = matrix(1, 5, seed: 13), bias = matrix(1, 5, seed: 14)
        let targets: [Int32] = [4, 0, 2]
        let functions: [(String, ([Variable]) -> Variable)] = [
            ("softmax", { $0[0].softmaxRows() }), ("log-sum-exp", { $0[0].logSumExpRows() }),
            ("log-softmax", { $0[0].logSoftmaxRows() }), ("l2", { $0[0].l2NormalisedRows() }),
            ("layer norm", { $0[0].layerNormalisedRows(gain: $0[1], bias: $0[2]) }),
            ("cross-entropy", { $0[0].crossEntropy(targets: targets) }),
            ("weighted cross-entropy", { ($0[0] * $0[1]).crossEntropy(targets: targets, weights: $0[0].columns(0..<1)) }),
            ("binary cross-entropy", { $0[0].binaryCrossEntropy(targets: $0[1].sigmoid()) }),
            ("attention", { v in
                let scores = Variable.product(v[0], v[0], transposeB: true) / 2
                return Variable.product(scores.softmaxRows(), v[0].layerNormalisedRows())
            }),
        ]
        for (name, f) in functions {
            let check = DerivativeCheck([x, gain, bias]) { f($0) }
            #expect(check.isGood && check.largestSecond > 0.001, "\(name): \(check)")
        }
    }

    @Test("the check itself finds a wrong derivative")
    func checkFindsErrors() {
        let x = matrix(2, 2, seed: 15, away: 0.3)
        // Half of the product rule is cut off: the first derivative is wrong.
        #expect(DerivativeCheck([x]) { $0[0] * $0[0].detached() }.firstError > 0.1)
        // The value is that of x³ and its slope too, but the slope is a constant: the second derivative is wrong.
        let check = DerivativeCheck([x]) { v in
            let slope = 3 * (v[0] * v[0]).detached()
            let cube = v[0] * v[0] * v[0]
            return cube.detached() + slope * (v[0] - v[0].detached())
        }
        #expect(check.firstError < 1e-3 && check.secondError > 0.1)
    }
}
