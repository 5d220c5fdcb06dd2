import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Questions to fit a blend on: for each a list of candidates with their features, some of which are answers.
public struct BlendQuestions: Sendable {
    /// `[candidates, RankingFeature.count]` of each question, row-major. An array a question: one for all would be copied as it grows.
    private(set) var features: [[Float]] = []
    /// By question and candidate.
    private(set) var isAnswer: [[Bool]] = []
    /// ``UserSignals/returning`` of each question.
    private(set) var pauses: [Float] = []

    /// No questions.
    public init() {}

    /// Questions so far.
    public var count: Int { features.count }

    /// Adds a question. One whose candidates hold no answer, or nothing else, says nothing and is left out.
    ///
    /// - Parameters:
    ///   - features: `[isAnswer.count, RankingFeature.count]`, row-major.
    ///   - pause: ``UserSignals/returning`` of the user.
    public mutating func append(features: [Float], isAnswer: [Bool], pause: Float) {
        precondition(
            features.count == isAnswer.count * RankingFeature.count,
            "\(features.count) features of \(isAnswer.count) candidates; \(RankingFeature.count) are needed of each")
        guard isAnswer.contains(true), isAnswer.contains(false) else { return }
        self.features.append(features)
        self.isAnswer.append(isAnswer)
        pauses.append(pause)
    }
}

/// Fits the weights of a blend: those under which the candidates that were answers are the likeliest.
///
/// The loss of a question is −ln(Σ_answers e^s / Σ_candidates e^s): a conditional logit in which any answer counts, so that
/// the likeliest answers matter most, as they do at the top of a list. To the mean loss comes
/// `ridge / questions · Σ (w − prior)² · variance of the feature`: with few questions the weights stay where they were.
/// Minimised by BFGS in double precision on one thread: the same questions give the same weights.
public struct BlendFit: Sendable {
    /// Where the pauses of the questions differ by less, nothing can be learned about pauses.
    private static let leastPauseRange: Float = 0.2

    /// How many questions' worth the prior counts.
    public var ridge: Double
    /// Steps of the optimizer at most.
    public var maxSteps: Int

    /// Makes a fit.
    public init(ridge: Double = 2, maxSteps: Int = 60) {
        self.ridge = max(ridge, 0)
        self.maxSteps = maxSteps
    }

    /// The weights. Features that never differ keep their prior weight; those that are multiplied by the pause keep it where nearly
    /// all pauses are alike, as in data whose times only tell an order.
    ///
    /// - Parameter uses: which questions count.
    public func weights(
        for questions: BlendQuestions, prior: BlendWeights = .towersAlone, uses: (Int) -> Bool = { _ in true }
    ) -> BlendWeights {
        let used = (0..<questions.count).filter(uses)
        guard !used.isEmpty else { return prior }
        let scale = Self.deviations(questions, used)
        let sorted = used.map { questions.pauses[$0] }.sorted()
        let pauses = sorted[sorted.count / 20]...sorted[sorted.count - 1 - sorted.count / 20]
        let isPauseKnown = pauses.upperBound - pauses.lowerBound >= Self.leastPauseRange
        let free = RankingFeature.allCases.filter { scale[$0.rawValue] > 1e-6 && (isPauseKnown || !$0.isOfPause) }.map(\.rawValue)
        guard !free.isEmpty else { return prior }
        let origin = free.map { Double(prior.values[$0]) * scale[$0] }
        let penalty = ridge / Double(used.count)
        var weights = prior.values
        func set(_ point: [Double]) {
            for (place, feature) in free.enumerated() { weights[feature] = Float(point[place] / scale[feature]) }
        }
        func objective(_ point: [Double]) -> (value: Double, gradient: [Double]) {
            set(point)
            let (loss, slope) = Self.loss(questions, used, weights)
            var value = loss
            var gradient = free.map { slope[$0] / scale[$0] }
            for place in free.indices {
                let distance = point[place] - origin[place]
                value += penalty * distance * distance
                gradient[place] += 2 * penalty * distance
            }
            return (value, gradient)
        }
        set(QuasiNewton(maxSteps: maxSteps).minimum(of: objective, from: origin))
        return BlendWeights(weights, pauses: pauses)
    }

    /// Mean loss and its derivative by the weights.
    private static func loss(_ questions: BlendQuestions, _ used: [Int], _ weights: [Float]) -> (Double, [Double]) {
        let width = RankingFeature.count
        var total = 0.0
        var gradient = [Double](repeating: 0, count: width)
        var scores: [Double] = []
        for question in used {
            questions.features[question].withUnsafeBufferPointer { features in
                questions.isAnswer[question].withUnsafeBufferPointer { isAnswer in
                    scores.removeAll(keepingCapacity: true)
                    var largest = -Double.infinity
                    for candidate in isAnswer.indices {
                        var score: Float = 0
                        for place in 0..<width { score += weights[place] * features[candidate * width + place] }
                        scores.append(Double(score))
                        largest = max(largest, Double(score))
                    }
                    var all = 0.0, answers = 0.0
                    for candidate in isAnswer.indices {
                        scores[candidate] = exp(scores[candidate] - largest)
                        all += scores[candidate]
                        if isAnswer[candidate] { answers += scores[candidate] }
                    }
                    // An answer far below the rest must not make the loss infinite.
                    answers = max(answers, 1e-300)
                    total += log(all) - log(answers)
                    for candidate in isAnswer.indices {
                        let slope = scores[candidate] / all - (isAnswer[candidate] ? scores[candidate] / answers : 0)
                        for feature in 0..<width { gradient[feature] += slope * Double(features[candidate * width + feature]) }
                    }
                }
            }
        }
        let count = Double(used.count)
        return (total / count, gradient.map { $0 / count })
    }

    /// The standard deviation of each feature over all candidates.
    private static func deviations(_ questions: BlendQuestions, _ used: [Int]) -> [Double] {
        let width = RankingFeature.count
        var sums = [Double](repeating: 0, count: width), squares = sums
        var count = 0.0
        for question in used {
            questions.features[question].withUnsafeBufferPointer { features in
                count += Double(features.count / width)
                for index in features.indices {
                    let value = Double(features[index])
                    sums[index % width] += value
                    squares[index % width] += value * value
                }
            }
        }
        return (0..<width).map { max(0, squares[$0] / count - sums[$0] / count * sums[$0] / count).squareRoot() }
    }
}
