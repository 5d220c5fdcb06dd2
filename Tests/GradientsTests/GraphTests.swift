import Gradients
import Tensors
import Testing

@Suite("The graph")
struct GraphTests {
    @Test("derivatives of any order: x⁴")
    func orders() {
        let x = Variable(Matrix(scalar: 2))
        var derivative = x * x * x * x
        for expected: Float in [32, 48, 48, 24, 0] {
            derivative = gradients(of: derivative, withRespectTo: [x], creatingGraph: true)[0]
            #expect(derivative.scalar == expected)
        }
    }

    @Test("a gradient with respect to an intermediate result, and to something unused")
    func intermediate() {
        let x = Variable(Matrix(row: [1, 2])), other = Variable(Matrix(row: [5]))
        let y = x * x
        let z = (y * y).sum()
        let result = gradients(of: z, withRespectTo: [y, x, other])
        #expect(result[0].value.values == [2, 8])
        #expect(result[1].value.values == [4, 32])
        #expect(result[2].value.values == [0])
    }

    @Test("a variable used many times receives the sum, and its value stays as it was")
    func sharing() {
        let x = Variable(Matrix(row: [3, 4]))
        let y = x + x + x
        #expect(gradients(of: y.sum(), withRespectTo: [x])[0].value.values == [3, 3])
        let weights = Variable.constant(Matrix(row: [1, 10]))
        #expect(gradients(of: x + x, withRespectTo: [x], weights: weights)[0].value.values == [2, 20])
        #expect(weights.value.values == [1, 10] && x.value.values == [3, 4])
        #expect(gradients(of: x, withRespectTo: [x], weights: weights)[0].value.values == [1, 10])
    }

    @Test("constants and detached values take no gradient")
    func constants() {
        let x = Variable(Matrix(row: [3]))
        let c = Variable.constant(Matrix(row: [2]))
        #expect(!(c * c).isDifferentiable && (c * x).isDifferentiable && !x.detached().isDifferentiable)
        #expect(gradients(of: x * x.detached(), withRespectTo: [x])[0].scalar == 3)
        #expect(gradients(of: c, withRespectTo: [x])[0].scalar == 0)
        #expect(!gradients(of: x * x, withRespectTo: [x])[0].isDifferentiable)
        #expect(gradients(of: x * x, withRespectTo: [x], creatingGraph: true)[0].isDifferentiable)
    }

    @Test("a graph far deeper than the stack is differentiated and freed")
    func deep() {
        let x = Variable(Matrix(scalar: 1))
        var y = x
        for _ in 0..<300_000 { y = y + x }
        #expect(gradients(of: y, withRespectTo: [x])[0].scalar == 300_001)
        let graph = gradients(of: y * y, withRespectTo: [x], creatingGraph: true)[0]
        #expect(graph.isDifferentiable)
    }

    @Test("a graph is freed with its last variable")
    func freed() {
        let x = Variable(Matrix(row: [1, 2]))
        weak var middle: Variable?
        weak var slope: Variable?
        do {
            let y = (x * x).exp()
            middle = y
            let z = y.sum()
            let g = gradients(of: z, withRespectTo: [x], creatingGraph: true)[0]
            slope = g
            #expect(middle != nil && gradients(of: g.sum(), withRespectTo: [x])[0].value.values.allSatisfy { $0 > 0 })
        }
        #expect(middle == nil && slope == nil)
    }

    @Test("rows of zeros and masked rows have finite derivatives of both orders")
    func awkwardRows() {
        let x = Variable(Matrix(rows: 2, columns: 3, values: [0, 0, 0, 1, 2, 3]))
        let y = (x.l2NormalisedRows() * Variable.constant(Matrix(row: [1, 2, 3]))).sum()
        let g = gradients(of: y, withRespectTo: [x], creatingGraph: true)[0]
        let h = gradients(of: (g * g).sum(), withRespectTo: [x])[0]
        #expect(g.value.values.allSatisfy { $0.isFinite } && h.value.values.allSatisfy { $0.isFinite })

        let mask = Variable.constant(Matrix(rows: 2, columns: 3, values: [0, 0, -.infinity, -.infinity, -.infinity, -.infinity]))
        let softmax = (x + mask).softmaxRows()
        #expect(softmax.value.row(1) == [0, 0, 0] && softmax.value[0, 2] == 0)
        let s = gradients(of: (softmax * softmax).sum(), withRespectTo: [x], creatingGraph: true)[0]
        #expect(s.value.values.allSatisfy { $0.isFinite })
        #expect(gradients(of: (s * s).sum(), withRespectTo: [x])[0].value.values.allSatisfy { $0.isFinite })
    }

    @Test("softplus far out")
    func softplus() {
        let x = Variable(Matrix(row: [-1000, -50, 0, 50, 1000]))
        let y = x.softplus()
        #expect(y.value.values[0] == 0 && y.value.values[3] == 50 && y.value.values[4] == 1000)
        #expect(abs(y.value.values[2] - 0.6931472) < 1e-6)
        let slope = gradients(of: y.sum(), withRespectTo: [x])[0].value.values
        #expect(slope[0] == 0 && slope[2] == 0.5 && slope[4] == 1)
    }
}
