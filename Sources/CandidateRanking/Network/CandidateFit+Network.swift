import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CandidateFit {
    /// Parts of a batch that may run at once; their gradients are added in order, so that the number of threads changes nothing.
    private static let batchParts = 4

    /// The network that LambdaRank makes of a linear model: it begins in the same order, its hidden layers counting nothing yet.
    ///
    /// - Parameters:
    ///   - start: a model of these signals and goals, whose scaling is kept and from whose linear part the network begins.
    ///   - seed: of the hidden layers' first values, of the order of questions and of the candidates left out.
    ///   - uses: which questions count, such as those of one group.
    public func network(
        on lists: CandidateLists, from start: CandidateNetwork, seed: UInt64, uses: (_ question: Int) -> Bool = { _ in true },
        threads: Int = Threads.current
    ) -> CandidateNetwork {
        precondition(
            start.width == lists.width && start.goals == lists.gains.count,
            "\(lists.width) signals and \(lists.gains.count) goals where the start has \(start.width) and \(start.goals)")
        precondition(
            CandidateNetwork.areSizesPossible(width: start.width, hidden: hidden, goals: start.goals), "hidden layers of \(hidden) units")
        let scaled = ScaledLists(lists, scaling: start.scaling, uses: uses)
        var random = SeededGenerator(seed: seed)
        let layout = NetworkLayout(width: start.width, hidden: hidden, goals: start.goals)
        var parameters = firstParameters(layout, from: start, using: &random)
        var order = (0..<scaled.count).filter { question in scaled.telling.contains { $0[question] } }
        let batch = max(1, batchQuestions), steps = epochs * ((order.count + batch - 1) / batch)
        var first = [Float](repeating: 0, count: layout.count), second = first, gradient = first
        let parts = (0..<Self.batchParts).map { _ in BatchPart(layout, candidates: scaled.mostCandidates) }
        let weights = (0..<start.goals).map { $0 < goalWeights.count ? goalWeights[$0] : 1 }
        var step = 0
        for epoch in 0..<max(0, epochs) {
            random.shuffle(&order)
            for from in stride(from: 0, to: order.count, by: batch) {
                let questions = order[from..<min(from + batch, order.count)]
                let draws = Draws(seed: seed, epoch: epoch, droppedShare: droppedShare)
                parallelFor(count: parts.count, threads: threads) { range, _ in
                    for part in range {
                        let low = from + part * questions.count / parts.count, high = from + (part + 1) * questions.count / parts.count
                        parts[part].learn(questions[low..<high], of: scaled, parameters, draws, weights: weights)
                    }
                }
                step += 1
                for place in gradient.indices {
                    var sum: Float = 0
                    for part in parts { sum += part.gradient[place] }
                    gradient[place] = sum / Float(questions.count) + weightDecay * parameters[place]
                }
                let rule = AdamRule(learningRate: rate(step, of: steps))
                Kernels.adamStep(
                    &parameters, first: &first, second: &second, gradient: gradient, count: layout.count, rule: rule, step: step)
            }
        }
        return CandidateNetwork(scaling: start.scaling, hidden: hidden, goals: start.goals, parameters: parameters)
    }

    /// A share of the linear part of `start`, hidden layers of normal numbers (He et al. 2015), biases and output 0.
    private func firstParameters(
        _ layout: NetworkLayout, from start: CandidateNetwork, using random: inout SeededGenerator
    ) -> [Float] {
        var parameters = [Float](repeating: 0, count: layout.count)
        let linear = start.goals * start.width
        for place in 0..<linear { parameters[place] = startShare * start.parameters[place] }
        for layer in layout.layers {
            let deviation = (2 / Float(layer.inputs)).squareRoot()
            for place in layer.weights..<layer.biases { parameters[place] = deviation * random.normal() }
        }
        return parameters
    }

    private func rate(_ step: Int, of steps: Int) -> Float {
        let warmUp = min(Double(warmUpSteps), Double(steps) / 5), at = Double(step)
        return learningRate * Float((warmUp > 0 ? min(1, at / warmUp) : 1) * (0.5 + 0.5 * cos(Double.pi * at / Double(max(steps, 1)))))
    }
}

/// Which candidates an epoch leaves out, by question: independent of the order in which questions are asked.
private struct Draws {
    let seed: UInt64
    let epoch: Int
    let droppedShare: Float

    func generator(question: Int) -> SeededGenerator {
        SeededGenerator(seed: seed &+ UInt64(epoch + 1) &* 0x9E37_79B9_7F4A_7C15, stream: UInt64(question + 1))
    }
}

/// A part of a batch with the memory that it needs.
private final class BatchPart {
    private let layout: NetworkLayout
    private let pass: CandidatePass
    private var loss = LambdaLoss()
    private var kept: [Int] = []
    private var gains: [Float] = []
    /// The sum over the part's questions.
    private(set) var gradient: [Float]

    init(_ layout: NetworkLayout, candidates: Int) {
        self.layout = layout
        pass = CandidatePass(layout, candidates: candidates)
        gradient = [Float](repeating: 0, count: layout.count)
    }

    /// Sets ``gradient`` from these questions.
    func learn(_ questions: ArraySlice<Int>, of lists: ScaledLists, _ parameters: [Float], _ draws: Draws, weights: [Float]) {
        for place in gradient.indices { gradient[place] = 0 }
        pass.prepare(parameters)
        for question in questions {
            keep(question, of: lists, draws)
            guard kept.count > 1 else { continue }
            lists.inputs.withUnsafeBufferPointer { inputs in
                guard let from = inputs.baseAddress else { return }
                for (place, candidate) in kept.enumerated() {
                    (pass.inputs + place * lists.width).update(from: from + candidate * lists.width, count: lists.width)
                }
            }
            pass.forward(candidates: kept.count, parameters)
            let goals = layout.goals
            for goal in 0..<goals {
                gains.removeAll(keepingCapacity: true)
                // Where nothing kept tells candidates apart, the loss has no pairs and all slopes are 0.
                for candidate in kept { gains.append(lists.telling[goal][question] ? lists.gains[goal][candidate] : 0) }
                loss.slopes(
                    pass.scores + goal, gains: gains, candidates: kept.count, goals: goals, weight: weights[goal], into: pass.slopes + goal)
            }
            pass.backward(candidates: kept.count, parameters, into: &gradient)
        }
    }

    /// Sets ``kept`` to the question's candidates that this epoch looks at: all that are worth something, and a share of the rest.
    private func keep(_ question: Int, of lists: ScaledLists, _ draws: Draws) {
        kept.removeAll(keepingCapacity: true)
        var random = draws.generator(question: question)
        for candidate in lists.candidates(of: question) {
            if lists.isAnswer[candidate] || !random.bernoulli(draws.droppedShare) { kept.append(candidate) }
        }
    }
}
