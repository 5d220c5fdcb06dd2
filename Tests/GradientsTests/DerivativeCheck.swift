import Gradients
import Tensors

/// Holds the gradients and Hessian-vector products of a function against central differences.
///
/// The function's result is weighted with fixed random numbers and summed in Double, so that rounding stays far below the
/// differences. Both differences are extrapolated (Richardson): their error falls with the fourth power of the distance.
struct DerivativeCheck {
    /// Largest difference of a gradient from central differences, relative to the largest gradient.
    var firstError: Double
    /// The same for the derivative of the gradients along a random direction.
    var secondError: Double
    /// Largest difference between gradients with and without a graph of their own, likewise relative.
    var graphError: Double
    /// The largest second derivative that was seen, to tell a checked zero from an unchecked one.
    var largestSecond: Double

    init(_ inputs: [Matrix], seed: UInt64 = 1, distance: Float = 0.02, function: ([Variable]) -> Variable) {
        var generator = SeededGenerator(seed: seed)
        let shape = function(inputs.map { Variable($0) }).value
        let weights = Matrix.normal(rows: shape.rows, columns: shape.columns, deviation: 1, using: &generator)
        let directions = inputs.map { Matrix.normal(rows: $0.rows, columns: $0.columns, deviation: 1, using: &generator) }

        func total(_ x: [Matrix]) -> Double {
            let y = function(x.map { Variable($0) }).value
            return zip(y.values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        func slopes(_ x: [Matrix]) -> [[Double]] {
            let variables = x.map { Variable($0) }
            return gradients(of: function(variables), withRespectTo: variables, weights: .constant(weights))
                .map { $0.value.values.map(Double.init) }
        }

        // First derivatives, one element at a time.
        let first = slopes(inputs)
        var numeric: [[Double]] = []
        for (i, input) in inputs.enumerated() {
            var row: [Double] = []
            for element in 0..<input.count {
                func difference(_ h: Float) -> Double {
                    func moved(_ step: Float) -> (at: Float, total: Double) {
                        var x = inputs
                        let place = (element / input.columns, element % input.columns)
                        x[i][place.0, place.1] += step
                        return (x[i][place.0, place.1], total(x))
                    }
                    let (up, down) = (moved(h), moved(-h))
                    return (up.total - down.total) / (Double(up.at) - Double(down.at))
                }
                row.append((4 * difference(distance / 2) - difference(distance)) / 3)
            }
            numeric.append(row)
        }
        firstError = relativeError(first, numeric)

        // Second derivatives along a direction.
        let variables = inputs.map { Variable($0) }
        let graph = gradients(
            of: function(variables), withRespectTo: variables, weights: .constant(weights), creatingGraph: true)
        graphError = relativeError(graph.map { $0.value.values.map(Double.init) }, first)
        let along = zip(graph, directions).reduce(Variable.constant(0)) { $0 + ($1.0 * Variable.constant($1.1)).sum() }
        let second = gradients(of: along, withRespectTo: variables).map { $0.value.values.map(Double.init) }
        func curve(_ h: Float) -> [[Double]] {
            let up = slopes(zip(inputs, directions).map { $0.combined(.add, with: $1.scaled(by: h)) })
            let down = slopes(zip(inputs, directions).map { $0.combined(.add, with: $1.scaled(by: -h)) })
            return zip(up, down).map { zip($0, $1).map { ($0 - $1) / Double(2 * h) } }
        }
        let (near, far) = (curve(distance / 2), curve(distance))
        let numericSecond = zip(near, far).map { zip($0, $1).map { (4 * $0 - $1) / 3 } }
        secondError = relativeError(second, numericSecond)
        largestSecond = second.joined().map(abs).max() ?? 0
    }

    /// Whether all three errors are small.
    var isGood: Bool { firstError < 1e-3 && secondError < 1e-3 && graphError < 1e-5 }
}

private func relativeError(_ a: [[Double]], _ b: [[Double]]) -> Double {
    let size = b.joined().map(abs).max() ?? 0
    let worst = zip(a.joined(), b.joined()).map { abs($0 - $1) }.max() ?? 0
    return worst.isNaN ? .infinity : worst / Swift.max(size, 0.1)
}

/// A matrix of normal numbers. `away` keeps every element at least that far from zero, for functions with a kink there;
/// `positive` takes absolute values.
func matrix(_ rows: Int, _ columns: Int, seed: UInt64, away: Float = 0, positive: Bool = false) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    var x = Matrix.normal(rows: rows, columns: columns, deviation: 1, using: &generator)
    x.withUnsafeMutableBufferPointer { buffer in
        for i in buffer.indices {
            if positive { buffer[i] = abs(buffer[i]) }
            buffer[i] += buffer[i] < 0 ? -away : away
        }
    }
    return x
}
