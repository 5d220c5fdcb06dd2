/// The minimum of a smooth function of up to some hundreds of numbers, by its values and gradients: BFGS with a backtracking line search in
/// double precision. The dimension is small, so the whole inverse Hessian is kept.
public struct QuasiNewton: Sendable {
    /// Steps at most; each asks for the function once or a few times.
    public var maxSteps: Int

    /// Makes a minimiser.
    public init(maxSteps: Int = 60) { self.maxSteps = maxSteps }

    /// The point at which it ended: no value on the way was lower.
    ///
    /// - Parameters:
    ///   - objective: the function's value and its derivative by each number. Where it isn't finite the step is halved.
    ///   - start: where it begins.
    public func minimum(
        of objective: ([Double]) -> (value: Double, gradient: [Double]), from start: [Double]
    ) -> [Double] {
        let n = start.count
        var point = start
        var (value, gradient) = objective(point)
        var inverse = Self.identity(n)
        for _ in 0..<maxSteps {
            var direction = inverse.map { -Self.dot($0, gradient) }
            var slope = Self.dot(direction, gradient)
            if slope >= 0 {
                // Rounding spoiled the estimate: begin it anew.
                inverse = Self.identity(n)
                direction = gradient.map { -$0 }
                slope = Self.dot(direction, gradient)
            }
            guard slope < -1e-12 else { break }
            var step = 1.0
            var next = point, found = (value: Double.infinity, gradient: gradient)
            while step > 1e-10 {
                next = zip(point, direction).map { $0 + step * $1 }
                found = objective(next)
                if found.value <= value + 1e-4 * step * slope { break }
                step /= 2
            }
            guard found.value < value else { break }
            let s = zip(next, point).map(-), y = zip(found.gradient, gradient).map(-)
            let gained = value - found.value
            (point, value, gradient) = (next, found.value, found.gradient)
            if gained < 1e-9 * max(1, abs(value)) { break }
            let curvature = Self.dot(s, y)
            guard curvature > 1e-12 else { continue }
            let hy = inverse.map { Self.dot($0, y) }
            let factor = (1 + Self.dot(y, hy) / curvature) / curvature
            for row in 0..<n {
                for column in 0..<n {
                    inverse[row][column] += factor * s[row] * s[column] - (hy[row] * s[column] + s[row] * hy[column]) / curvature
                }
            }
        }
        return point
    }

    private static func identity(_ n: Int) -> [[Double]] { (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0.0 } } }

    private static func dot(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for (a, b) in zip(left, right) { sum += a * b }
        return sum
    }
}
