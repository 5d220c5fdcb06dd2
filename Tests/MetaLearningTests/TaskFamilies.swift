import Gradients
import MetaLearning
import Tensors

/// y = a sin(x + p) with a in [0.5, 4] and p in [0, π]: the family of Finn et al. 2017, section 5.1. Five support points and
/// fifteen query points with x in [−3, 3].
func sinusoidTask(using generator: inout SeededGenerator) -> MetaTask {
    let amplitude = generator.uniform(in: 0.5..<4), phase = generator.uniform(in: 0..<3.1415927)
    func points(_ count: Int) -> (x: Matrix, y: Matrix) {
        let x = Matrix.uniform(rows: count, columns: 1, in: -3..<3, using: &generator)
        let y = Matrix(rows: count, columns: 1, values: x.values.map { amplitude * sine($0 + phase) })
        return (x, y)
    }
    let support = points(5), query = points(15)
    return MetaTask(
        supportLoss: { squaredError(network(support.x, $0), support.y) },
        queryLoss: { squaredError(network(query.x, $0), query.y) })
}

/// A linear regression with three inputs whose weights scatter by 0.1 around a planted centre.
func linearTask(centre: [Float], using generator: inout SeededGenerator) -> MetaTask {
    let weights = Matrix(rows: 3, columns: 1, values: centre.map { $0 + 0.1 * generator.normal() })
    func points(_ count: Int) -> (x: Matrix, y: Matrix) {
        let x = Matrix.normal(rows: count, columns: 3, deviation: 1, using: &generator)
        return (x, product(x, weights))
    }
    let support = points(5), query = points(15)
    return MetaTask(
        supportLoss: { squaredError(.product(.constant(support.x), $0[0]), support.y) },
        queryLoss: { squaredError(.product(.constant(query.x), $0[0]), query.y) })
}

/// A network of one input, two hidden layers of `width` and one output.
func networkStart(width: Int, seed: UInt64) -> [Matrix] {
    var generator = SeededGenerator(seed: seed)
    let deviation = 1 / Float(width).squareRoot()
    return [
        .normal(rows: 1, columns: width, deviation: 1, using: &generator),
        .normal(rows: 1, columns: width, deviation: 1, using: &generator),
        .normal(rows: width, columns: width, deviation: deviation, using: &generator),
        Matrix(rows: 1, columns: width),
        .normal(rows: width, columns: 1, deviation: deviation, using: &generator),
        Matrix(scalar: 0),
    ]
}

private func network(_ x: Matrix, _ p: [Variable]) -> Variable {
    let first = (Variable.product(.constant(x), p[0]) + p[1]).tanh()
    let second = (Variable.product(first, p[2]) + p[3]).tanh()
    return Variable.product(second, p[4]) + p[5]
}

private func squaredError(_ y: Variable, _ target: Matrix) -> Variable {
    let difference = y - .constant(target)
    return (difference * difference).mean()
}

/// sin by its series, for |x| below 7.
private func sine(_ x: Float) -> Float {
    let x = Double(x)
    var term = x, sum = x
    for k in 1...16 {
        term *= -x * x / Double((2 * k) * (2 * k + 1))
        sum += term
    }
    return Float(sum)
}
