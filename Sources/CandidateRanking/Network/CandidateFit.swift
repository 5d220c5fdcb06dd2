import Tensors

/// Learns ``CandidateNetwork``s from questions: a linear model to the minimum of its loss, and from it a network by LambdaRank.
///
/// The same questions and seed give the same bits on a machine, on any number of threads.
public struct CandidateFit: Sendable {
    /// How many questions' worth the ridge of the linear model counts, on scaled signals.
    public var ridge = 3.0
    /// Steps of the linear fit at most.
    public var maxSteps = 60
    /// The loss of the linear fit; nil takes ``AnswerLoss/anyAnswer`` for a goal whose gains only tell answers from the rest, and
    /// ``AnswerLoss/shares`` for others.
    public var loss: AnswerLoss?
    /// What the loss of each goal counts while a network learns; 1 where nothing is said.
    public var goalWeights: [Float] = []
    /// Hidden units of a network, layer by layer: multiples of 16.
    public var hidden = CandidateNetwork.defaultHidden
    /// The share of the linear model's weights with which a network begins: its order is that of the model, and there is room to leave it.
    public var startShare: Float = 0.5
    /// Times that a network sees each question.
    public var epochs = 10
    /// The largest step of Adam; the first ``warmUpSteps`` grow to it, then they fall to 0 as a cosine does.
    public var learningRate: Float = 2e-3
    /// Steps at the beginning, at most a fifth of all.
    public var warmUpSteps = 100
    /// Questions a step.
    public var batchQuestions = 64
    /// What is added to the gradient, times the parameter.
    public var weightDecay: Float = 1e-4
    /// The share of candidates worth nothing that each epoch leaves out, drawn anew.
    public var droppedShare: Float = 0.5

    /// The defaults.
    public init() {}

    /// Parts into which sums over questions are cut, whatever the number of threads.
    private static let linearParts = 16

    /// The linear model under whose scores the loss of the questions is least; zeros where there are none.
    ///
    /// - Parameter uses: which questions count, such as those of one group.
    /// - Complexity: some hundred passes over all signals.
    public func linear(
        on lists: CandidateLists, uses: (_ question: Int) -> Bool = { _ in true }, threads: Int = Threads.current
    ) -> CandidateNetwork {
        let scaling = SignalScaling(fitting: lists, uses: uses)
        let scaled = ScaledLists(lists, scaling: scaling, uses: uses)
        let free = scaling.scale.indices.filter { scaling.scale[$0] > 0 }
        var parameters: [Float] = []
        for goal in scaled.gains.indices {
            let told = (0..<scaled.count).filter { scaled.telling[goal][$0] }
            var weights = [Float](repeating: 0, count: scaled.width)
            if !told.isEmpty, !free.isEmpty {
                let loss = loss ?? (scaled.hasPlainAnswers(goal: goal) ? .anyAnswer : .shares)
                let penalty = max(ridge, 0) / Double(told.count)
                func objective(_ point: [Double]) -> (value: Double, gradient: [Double]) {
                    for (place, signal) in free.enumerated() { weights[signal] = Float(point[place]) }
                    var (value, slopes) = Self.sum(loss, scaled, goal: goal, told, weights, threads: threads)
                    value /= Double(told.count)
                    for number in point { value += penalty * number * number }
                    return (value, free.indices.map { slopes[free[$0]] / Double(told.count) + 2 * penalty * point[$0] })
                }
                let found = QuasiNewton(maxSteps: maxSteps).minimum(of: objective, from: free.map { _ in 0 })
                for (place, signal) in free.enumerated() { weights[signal] = Float(found[place]) }
            }
            parameters.append(contentsOf: weights)
        }
        return CandidateNetwork(scaling: scaling, hidden: [], goals: lists.gains.count, parameters: parameters)
    }

    /// The loss of all questions of a goal, and its derivative by each signal's weight.
    private static func sum(
        _ loss: AnswerLoss, _ lists: ScaledLists, goal: Int, _ questions: [Int], _ weights: [Float], threads: Int
    ) -> (Double, [Double]) {
        let width = lists.width, most = lists.mostCandidates
        // Each part adds up for itself, in double precision question by question; the parts are then added in their order.
        var values = [Double](repeating: 0, count: linearParts), slopes = [Double](repeating: 0, count: linearParts * width)
        values.withUnsafeMutableBufferPointer { values in
            slopes.withUnsafeMutableBufferPointer { slopes in
                parallelFor(count: linearParts, threads: threads) { parts, _ in
                    var scores = [Float](repeating: 0, count: most), steps = scores, row = [Float](repeating: 0, count: width)
                    for part in parts {
                        let own = questions[part * questions.count / linearParts..<(part + 1) * questions.count / linearParts]
                        for question in own {
                            let rows = lists.candidates(of: question)
                            values[part] += lists.gains[goal].withUnsafeBufferPointer { gains in
                                lists.inputs.withUnsafeBufferPointer { inputs in
                                    oneQuestion(loss, rows, inputs, gains, weights, &scores, &steps, &row)
                                }
                            }
                            for signal in 0..<width { slopes[part * width + signal] += Double(row[signal]) }
                        }
                    }
                }
            }
        }
        let total = (0..<width).map { signal in (0..<linearParts).reduce(0) { $0 + slopes[$1 * width + signal] } }
        return (values.reduce(0, +), total)
    }

    /// The loss of one question, and into `row` its derivative by each weight.
    private static func oneQuestion(
        _ loss: AnswerLoss, _ rows: Range<Int>, _ inputs: UnsafeBufferPointer<Float>, _ gains: UnsafeBufferPointer<Float>,
        _ weights: [Float], _ scores: inout [Float], _ steps: inout [Float], _ row: inout [Float]
    ) -> Double {
        guard let x = inputs.baseAddress, let y = gains.baseAddress else { return 0 }
        let width = weights.count
        for (place, candidate) in rows.enumerated() { scores[place] = Kernels.dot(x + candidate * width, weights, count: width) }
        let value = loss(scores, gains: y + rows.lowerBound, candidates: rows.count, slopes: &steps)
        for signal in 0..<width { row[signal] = 0 }
        for (place, candidate) in rows.enumerated() { Kernels.axpy(steps[place], x + candidate * width, into: &row, count: width) }
        return value
    }
}
