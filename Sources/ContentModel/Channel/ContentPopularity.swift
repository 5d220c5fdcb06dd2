#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How popular items of a content become.
///
/// A ridge regression of the square root of interactions on the content's tokens, each 1 or 0, and ``ContentNumbers``. A long text is known
/// by how many of its words are those of popular items, so its words are not scaled to one length. The root stands between the number, in
/// which a few items would decide everything, and its logarithm, in which the many rare ones would. How strongly tokens are held to 0 is
/// chosen on a fold of the items; numbers are held with strength 1. Solved by conjugate gradients.
struct ContentPopularity: Sendable, Equatable {
    /// Tokens are held with each of these in turn.
    private static let strengths: [Double] = [8, 32, 128, 512]
    private static let stepLimit = 60
    /// Items that are learned from at most: their tokens lie in memory.
    private static let learnedLimitItems = 50_000

    /// What each token adds, and what each number times its value does: in mean roots, times 2, which near the mean is a logarithm's scale.
    let tokens, numbers: [Float]
    /// What the most popular known item has; nothing is expected to have more.
    let largest: Float
    /// The mean of what is missed on the items that the strength was chosen on, squared. Files do not keep it: ``NewItemShare`` does.
    let error: Float

    init(tokens: [Float], numbers: [Float], largest: Float, error: Float = 0) {
        self.tokens = tokens
        self.numbers = numbers
        self.largest = largest
        self.error = error
    }

    /// Those of some rows to learn from: all, or every k-th.
    static func sample(of rows: [Int]) -> [Int] {
        stride(from: 0, to: rows.count, by: max(1, (rows.count + learnedLimitItems - 1) / learnedLimitItems)).map { rows[$0] }
    }

    /// Learns from items that were taken.
    ///
    /// - Parameters:
    ///   - tokens: of each item, distinct; numbers: `[items][ContentNumbers.count]`; counts: interactions.
    ///   - isJudge: by item whether the strength is chosen on it.
    init(tokens: [[Int32]], numbers: [[Float]], counts: [Int], isJudge: [Bool], vocabularySize: Int) {
        let roots = counts.map { Double($0).squareRoot() }
        let mean = max(roots.reduce(0, +) / Double(max(1, roots.count)), 1e-9)
        let targets = roots.map { 2 * ($0 - mean) / mean }
        let regression = Regression(tokens: tokens, numbers: numbers, targets: targets, vocabularySize: vocabularySize)
        let learned = tokens.indices.filter { !isJudge[$0] }, judges = tokens.indices.filter { isJudge[$0] }
        var best = (strength: Self.strengths[2], error: Double.infinity)
        if !learned.isEmpty, !judges.isEmpty {
            for strength in Self.strengths {
                let weights = regression.solve(strength: strength, items: learned, steps: Self.stepLimit)
                let error = judges.reduce(0.0) { sum, row in
                    let miss = regression.forward(row, weights) - targets[row]
                    return sum + miss * miss
                }
                if error < best.error { best = (strength, error) }
            }
        }
        let weights = regression.solve(strength: best.strength, items: Array(tokens.indices), steps: Self.stepLimit)
        self.init(
            tokens: weights[..<vocabularySize].map { Float($0) }, numbers: weights[vocabularySize...].map { Float($0) },
            largest: Float(targets.max() ?? 0),
            error: Float(
                best.error.isFinite
                    ? best.error / Double(judges.count) : targets.reduce(0) { $0 + $1 * $1 } / Double(max(1, targets.count))))
    }

    /// The popularity expected of a content, relative to the mean: from −2, which is none, to ``largest``.
    func expected(tokens own: [Int32], numbers values: [Float]) -> Float {
        var sum: Float = 0
        for token in own { sum += tokens[Int(token)] }
        for (value, weight) in zip(values, numbers) { sum += value * weight }
        return min(max(sum, -2), largest)
    }
}

/// Least squares on tokens that are there or not and dense numbers.
private struct Regression {
    let tokens: [[Int32]]
    let numbers: [[Float]]
    let targets: [Double]
    let vocabularySize: Int

    func forward(_ row: Int, _ w: [Double]) -> Double {
        var sum = 0.0
        for token in tokens[row] { sum += w[Int(token)] }
        for (place, value) in numbers[row].enumerated() { sum += Double(value) * w[vocabularySize + place] }
        return sum
    }

    private func add(_ row: Int, _ factor: Double, _ into: inout [Double]) {
        for token in tokens[row] { into[Int(token)] += factor }
        for (place, value) in numbers[row].enumerated() { into[vocabularySize + place] += factor * Double(value) }
    }

    /// Minimises Σ (x·w − y)² + strength |tokens' w|² + |numbers' w|² over some items.
    ///
    /// Tokens are scaled by 1 / √strength meanwhile, so that one ridge of 1 holds both.
    func solve(strength: Double, items: [Int], steps: Int) -> [Double] {
        let width = vocabularySize + ContentNumbers.count, scale = 1 / strength.squareRoot()
        var w = [Double](repeating: 0, count: width), residual = w
        guard !items.isEmpty else { return w }
        func scaled(_ vector: [Double]) -> [Double] {
            var result = vector
            for place in 0..<vocabularySize { result[place] *= scale }
            return result
        }
        for row in items { add(row, targets[row], &residual) }
        residual = scaled(residual)
        var direction = residual
        var square = residual.reduce(0) { $0 + $1 * $1 }
        let enough = square * 1e-8
        for _ in 0..<steps where square > enough {
            let moved = scaled(direction)
            var image = [Double](repeating: 0, count: width)
            for row in items { add(row, forward(row, moved), &image) }
            image = scaled(image)
            for place in 0..<width { image[place] += direction[place] }
            let step = square / zip(direction, image).reduce(0) { $0 + $1.0 * $1.1 }
            for place in 0..<width {
                w[place] += step * direction[place]
                residual[place] -= step * image[place]
            }
            let next = residual.reduce(0) { $0 + $1 * $1 }
            for place in 0..<width { direction[place] = residual[place] + next / square * direction[place] }
            square = next
        }
        return scaled(w)
    }
}
