import Tensors

/// Ridge regression of many numbers at once on sparse tokens and dense numbers, by conjugate gradients in every column.
struct ContentRegression: Sendable {
    /// Weights of a fit.
    struct Fit: Sendable {
        /// `[tokens, width]`
        var tokens: [Float]
        /// `[ContentNumbers.count, width]`
        var numbers: [Float]
        /// `[width]`
        var mean: [Float]
    }

    /// By how much the plain numbers are made smaller, so that they do not drown the tokens.
    static let numbersWeight: Float = 0.3
    private static let steps = 25
    /// How strongly weights are held near 0; which of them is right is tried on items left out.
    private static let ridges: [Float] = [0.3, 1, 3, 10, 30]
    /// The first so many components say which.
    private static let triedWidth = 16
    /// Columns that a thread solves together: its memory is four times as many numbers for each token.
    private static let columnsAtOnce = 64

    let vectors: [SparseContent]
    /// `[items][ContentNumbers.count]`
    let numbers: [[Float]]
    let tokens: Int
    let threads: Int

    /// Minimises Σ |x·W − (y − mean)|² + ridge |W|² under the ridge that predicts a tenth of the items best from the others.
    ///
    /// - Parameter targets: `[items, width]`, the weightier columns first; `width` is a multiple of 16.
    /// - Complexity: O(steps · tokens of all items · width)
    func fit(_ targets: [Float], width: Int) -> (fit: Fit, ridge: Float) {
        let rows = Array(vectors.indices), few = min(width, Self.triedWidth)
        let asked = rows.filter { $0 % 10 == 3 }, others = rows.filter { $0 % 10 != 3 }
        var narrow = [Float](repeating: 0, count: rows.count * few)
        for row in rows { for place in 0..<few { narrow[row * few + place] = targets[row * width + place] } }
        var best: (ridge: Float, error: Float) = (Self.ridges[Self.ridges.count / 2], .infinity)
        if asked.count >= 10 {
            for ridge in Self.ridges {
                let fit = solve(narrow, width: few, rows: others, ridge: ridge)
                var error: Float = 0
                for row in asked {
                    let found = predict(row, fit, width: few)
                    for place in 0..<few {
                        let miss = found[place] - narrow[row * few + place]
                        error += miss * miss
                    }
                }
                if error < best.error { best = (ridge, error) }
            }
        }
        return (solve(targets, width: width, rows: rows, ridge: best.ridge), best.ridge)
    }

    private func predict(_ row: Int, _ fit: Fit, width: Int) -> [Float] {
        var sum = fit.mean
        for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
            for place in 0..<width { sum[place] += weight * fit.tokens[Int(token) * width + place] }
        }
        for (index, value) in numbers[row].enumerated() {
            for place in 0..<width { sum[place] += Self.numbersWeight * value * fit.numbers[index * width + place] }
        }
        return sum
    }

    /// The fit on some rows.
    func solve(_ targets: [Float], width: Int, rows: [Int], ridge: Float) -> Fit {
        let inputs = tokens + ContentNumbers.count
        var mean = [Float](repeating: 0, count: width)
        for row in rows { for place in 0..<width { mean[place] += targets[row * width + place] / Float(max(1, rows.count)) } }
        var weights = [Float](repeating: 0, count: inputs * width)
        guard !rows.isEmpty else {
            return Fit(tokens: Array(weights[..<(tokens * width)]), numbers: Array(weights[(tokens * width)...]), mean: mean)
        }
        weights.withUnsafeMutableBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            nonisolated(unsafe) let out = weights
            // Columns do not know each other: each thread solves its own from start to end.
            parallelFor(count: width / 16, threads: threads) { range, _ in
                for first in stride(from: 16 * range.lowerBound, to: 16 * range.upperBound, by: Self.columnsAtOnce) {
                    solveColumns(
                        first..<min(first + Self.columnsAtOnce, 16 * range.upperBound), targets, width: width, mean: mean, rows: rows,
                        ridge: ridge, into: out)
                }
            }
        }
        return Fit(tokens: Array(weights[..<(tokens * width)]), numbers: Array(weights[(tokens * width)...]), mean: mean)
    }

    private func solveColumns(
        _ columns: Range<Int>, _ targets: [Float], width: Int, mean: [Float], rows: [Int], ridge: Float,
        into out: UnsafeMutablePointer<Float>
    ) {
        let own = columns.count, inputs = tokens + ContentNumbers.count
        var residual = [Float](repeating: 0, count: inputs * own), line = [Float](repeating: 0, count: own)
        for row in rows {
            for place in 0..<own { line[place] = targets[row * width + columns.lowerBound + place] - mean[columns.lowerBound + place] }
            add(line, times: row, into: &residual, width: own)
        }
        var direction = residual, image = residual, solution = [Float](repeating: 0, count: inputs * own)
        var square = Self.squares(residual, residual, width: own)
        for _ in 0..<Self.steps {
            for place in image.indices { image[place] = ridge * direction[place] }
            for row in rows {
                forward(row, direction, into: &line, width: own)
                add(line, times: row, into: &image, width: own)
            }
            let curvature = Self.squares(direction, image, width: own)
            let step = zip(square, curvature).map { $1 > 0 ? $0 / $1 : 0 }
            for input in 0..<inputs {
                for place in 0..<own {
                    solution[input * own + place] += step[place] * direction[input * own + place]
                    residual[input * own + place] -= step[place] * image[input * own + place]
                }
            }
            let next = Self.squares(residual, residual, width: own)
            let turn = zip(next, square).map { $1 > 0 ? $0 / $1 : 0 }
            for input in 0..<inputs {
                for place in 0..<own {
                    direction[input * own + place] = residual[input * own + place] + turn[place] * direction[input * own + place]
                }
            }
            square = next
        }
        for input in 0..<inputs { for place in 0..<own { out[input * width + columns.lowerBound + place] = solution[input * own + place] } }
    }

    /// `out = x(row) · weights`
    private func forward(_ row: Int, _ weights: [Float], into out: inout [Float], width: Int) {
        weights.withUnsafeBufferPointer { weights in
            out.withUnsafeMutableBufferPointer { out in
                guard let weights = weights.baseAddress, let out = out.baseAddress else { return }
                for place in 0..<width { out[place] = 0 }
                for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
                    Kernels.axpy(weight, weights + Int(token) * width, into: out, count: width)
                }
                for (index, value) in numbers[row].enumerated() {
                    Kernels.axpy(Self.numbersWeight * value, weights + (tokens + index) * width, into: out, count: width)
                }
            }
        }
    }

    /// `sums += x(row)ᵀ · line`
    private func add(_ line: [Float], times row: Int, into sums: inout [Float], width: Int) {
        sums.withUnsafeMutableBufferPointer { sums in
            line.withUnsafeBufferPointer { line in
                guard let sums = sums.baseAddress, let line = line.baseAddress else { return }
                for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
                    Kernels.axpy(weight, line, into: sums + Int(token) * width, count: width)
                }
                for (index, value) in numbers[row].enumerated() {
                    Kernels.axpy(Self.numbersWeight * value, line, into: sums + (tokens + index) * width, count: width)
                }
            }
        }
    }

    /// By column Σ a·b, summed in double precision.
    private static func squares(_ a: [Float], _ b: [Float], width: Int) -> [Float] {
        var sums = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: a.count, by: width) {
            for place in 0..<width { sums[place] += Double(a[start + place]) * Double(b[start + place]) }
        }
        return sums.map { Float($0) }
    }
}
