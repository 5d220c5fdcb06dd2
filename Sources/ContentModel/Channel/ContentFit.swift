#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Fits the weights of a ``ContentChannel`` on questions in which some trained items are treated as new.
///
/// A question has candidates with fixed scores (the other items, of which only ln Σ e^score counts) and candidates whose scores are
/// weights · parts. The loss is −ln p of each answer under the softmax over both: a conditional logit. So the weights, the constant
/// among them, are those under which new items take the share of the answers that they have. Newton's method in double
/// precision: the same questions give the same weights.
public struct ContentFit: Sendable {
    private struct Question: Sendable {
        /// ln Σ e^score of the candidates with fixed scores.
        var others: Double
        var first: Int
        var count: Int
        /// ln(how many candidates one stands for).
        var sampled: Double
        /// The first so many candidates are answers.
        var answers: Int
        /// Answers among those with fixed scores.
        var otherAnswers: Int
    }

    private var questions: [Question] = []
    /// `[candidates, Part.count]`
    private var parts: [Float] = []
    /// How many questions' worth the prior counts.
    public var ridge: Double

    /// No questions.
    public init(ridge: Double = 4) { self.ridge = ridge }

    /// Questions so far.
    public var count: Int { questions.count }

    /// Adds a question.
    ///
    /// - Parameters:
    ///   - others: ln Σ e^score of the candidates with fixed scores; otherAnswers: how many of them are answers.
    ///   - answers, rest: the parts of the candidates treated as new, `Part.count` floats each; the rest is a sample of `restCount`.
    public mutating func add(others: Double, otherAnswers: Int, answers: [Float], rest: [Float], restCount: Int) {
        let width = ContentChannel.Part.count
        let own = answers.count / width, sampled = rest.count / width
        guard own + otherAnswers > 0, own + sampled > 0, others.isFinite else { return }
        questions.append(
            Question(
                others: others, first: parts.count / width, count: own + sampled,
                sampled: sampled > 0 ? log(Double(max(restCount, sampled)) / Double(sampled)) : 0, answers: own, otherAnswers: otherAnswers)
        )
        parts += answers + rest
    }

    /// The weights, one a ``ContentChannel/Part``.
    ///
    /// - Parameters:
    ///   - prior: what few questions leave unchanged.
    ///   - leftOut: parts that stay without a say, for comparison.
    public func weights(prior given: [Float] = ContentChannel.defaultWeights, leavingOut leftOut: Set<ContentChannel.Part> = []) -> [Float]
    {
        let width = ContentChannel.Part.count
        var prior = given
        for part in leftOut { prior[part.rawValue] = 0 }
        guard !questions.isEmpty else { return prior }
        let scale = deviations()
        func derivatives(_ w: [Double]) -> (loss: Double, gradient: [Double], curvature: [Double]) {
            var found = self.derivatives(w, prior: prior, scale: scale)
            for part in leftOut {
                let place = part.rawValue
                found.gradient[place] = 0
                for other in 0..<width {
                    found.curvature[place * width + other] = other == place ? 1 : 0
                    found.curvature[other * width + place] = other == place ? 1 : 0
                }
            }
            return found
        }
        var w = prior.map(Double.init)
        var (loss, gradient, curvature) = derivatives(w)
        for _ in 0..<50 {
            var damped = curvature
            for place in 0..<width { damped[place * width + place] += 1e-9 + 1e-6 * curvature[place * width + place] }
            guard let move = Self.solve(damped, gradient) else { break }
            var step = 1.0, isBetter = false
            while step > 1e-6 {
                let next = zip(w, move).map { $0 - step * $1 }
                let found = derivatives(next)
                if found.loss < loss {
                    isBetter = loss - found.loss > 1e-10 * abs(loss)
                    (w, loss, gradient, curvature) = (next, found.loss, found.gradient, found.curvature)
                    break
                }
                step /= 2
            }
            guard isBetter else { break }
        }
        return w.map { Float($0) }
    }

    /// The variance of each part over all candidates, at least a little: the prior holds what never differs.
    private func deviations() -> [Double] {
        let width = ContentChannel.Part.count, rows = max(1, parts.count / width)
        var sums = [Double](repeating: 0, count: width), squares = sums
        for (index, value) in parts.enumerated() {
            sums[index % width] += Double(value)
            squares[index % width] += Double(value) * Double(value)
        }
        return (0..<width).map { max(1e-3, squares[$0] / Double(rows) - sums[$0] * sums[$0] / Double(rows * rows)) }
    }

    private func derivatives(_ w: [Double], prior: [Float], scale: [Double]) -> (loss: Double, gradient: [Double], curvature: [Double]) {
        let width = ContentChannel.Part.count
        var loss = 0.0, gradient = [Double](repeating: 0, count: width), curvature = [Double](repeating: 0, count: width * width)
        var scores: [Double] = [], mean = gradient, square = curvature
        for question in questions {
            scores.removeAll(keepingCapacity: true)
            var top = question.others
            for candidate in 0..<question.count {
                let start = (question.first + candidate) * width
                var score = candidate < question.answers ? 0 : question.sampled
                for place in 0..<width { score += w[place] * Double(parts[start + place]) }
                scores.append(score)
                top = max(top, score)
            }
            var sum = exp(question.others - top)
            for place in 0..<width { mean[place] = 0 }
            for place in 0..<width * width { square[place] = 0 }
            for candidate in 0..<question.count {
                let share = exp(scores[candidate] - top), start = (question.first + candidate) * width
                sum += share
                for i in 0..<width {
                    let value = share * Double(parts[start + i])
                    mean[i] += value
                    for j in 0...i { square[i * width + j] += value * Double(parts[start + j]) }
                }
            }
            // Each question counts once, however many answers it has.
            let own = 1 / Double(question.answers + question.otherAnswers)
            loss += top + log(sum)
            for candidate in 0..<question.answers {
                loss -= own * scores[candidate]
                for place in 0..<width { gradient[place] -= own * Double(parts[(question.first + candidate) * width + place]) }
            }
            for i in 0..<width {
                gradient[i] += mean[i] / sum
                for j in 0...i {
                    let value = square[i * width + j] / sum - mean[i] / sum * mean[j] / sum
                    curvature[i * width + j] += value
                    if i != j { curvature[j * width + i] += value }
                }
            }
        }
        for place in 0..<width {
            let distance = w[place] - Double(prior[place]), strength = ridge * scale[place]
            loss += strength * distance * distance
            gradient[place] += 2 * strength * distance
            curvature[place * width + place] += 2 * strength
        }
        return (loss, gradient, curvature)
    }

    /// Solves a small positive definite system by elimination; nil where a pivot vanishes.
    private static func solve(_ matrix: [Double], _ right: [Double]) -> [Double]? {
        let n = right.count
        var a = matrix, x = right
        for pivot in 0..<n {
            guard abs(a[pivot * n + pivot]) > 1e-300 else { return nil }
            for row in pivot + 1..<max(n, pivot + 1) {
                let factor = a[row * n + pivot] / a[pivot * n + pivot]
                for column in pivot..<n { a[row * n + column] -= factor * a[pivot * n + column] }
                x[row] -= factor * x[pivot]
            }
        }
        for row in stride(from: n - 1, through: 0, by: -1) {
            for column in row + 1..<max(n, row + 1) { x[row] -= a[row * n + column] * x[column] }
            x[row] /= a[row * n + row]
        }
        return x.allSatisfy(\.isFinite) ? x : nil
    }
}
