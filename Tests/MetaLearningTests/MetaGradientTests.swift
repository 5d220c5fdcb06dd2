import Gradients
import MetaLearning
import Tensors
import Testing

@Suite("Meta-gradients")
struct MetaGradientTests {
    /// Largest difference from central differences, relative to the largest slope, over parameters and logarithms of rates.
    private func error(_ configuration: MetaConfiguration) -> (error: Double, largestRateSlope: Double) {
        var generator = SeededGenerator(seed: 3)
        let task = sinusoidTask(using: &generator)
        let state = MetaState(parameters: networkStart(width: 4, seed: 4), configuration: configuration, seed: 1)
        let gradient = MetaLearner(resuming: state, configuration: configuration).metaGradient(of: task)
        func difference(_ keyPath: WritableKeyPath<MetaState, [Matrix]>, _ i: Int, _ element: Int, _ h: Float) -> Double {
            func loss(_ step: Float) -> Double {
                var moved = state
                let columns = moved[keyPath: keyPath][i].columns
                moved[keyPath: keyPath][i][element / columns, element % columns] += step
                return Double(MetaLearner(resuming: moved, configuration: configuration).metaGradient(of: task).queryLoss)
            }
            return (loss(h) - loss(-h)) / Double(2 * h)
        }
        var worst = 0.0, largest = 0.0, largestRate = 0.0
        for (keyPath, slopes) in [
            (\MetaState.parameters, gradient.parameters), (\MetaState.logRates, gradient.logRates),
        ] {
            for (i, slope) in slopes.enumerated() {
                for element in 0..<slope.count {
                    let numeric = (4 * difference(keyPath, i, element, 0.01) - difference(keyPath, i, element, 0.02)) / 3
                    let exact = Double(slope.values[element])
                    worst = max(worst, abs(exact - numeric))
                    largest = max(largest, abs(numeric))
                    if keyPath == \MetaState.logRates { largestRate = max(largestRate, abs(exact)) }
                }
            }
        }
        return (worst / largest, largestRate)
    }

    @Test("second order is exact, through every inner step, with and without proximity", arguments: [0, 1, 3], [Float(0), 0.5])
    func exact(steps: Int, proximity: Float) {
        let configuration = MetaConfiguration(innerSteps: steps, innerRate: 0.05, proximity: proximity)
        let result = error(configuration)
        #expect(result.error < 2e-3, "\(result)")
        #expect((result.largestRateSlope > 0.01) == (steps > 0))
    }

    @Test("second order is exact for a rate an element")
    func elementRates() {
        let result = error(MetaConfiguration(innerSteps: 2, innerRate: 0.05, rateShape: .element))
        #expect(result.error < 2e-3, "\(result)")
    }

    @Test("first order leaves out the curvature: it differs, but not where there is none to leave out")
    func orders() {
        #expect(error(MetaConfiguration(innerSteps: 3, innerRate: 0.05, order: .first)).error > 0.05)

        // A support loss that is a straight line has no second derivative.
        let slope = Variable.constant(Matrix(row: [1, -2]))
        let task = MetaTask(supportLoss: { ($0[0] * slope).sum() }, queryLoss: { ($0[0] * $0[0] * $0[0]).sum() })
        let start = [Matrix(row: [0.5, 0.7])]
        let first = MetaLearner(parameters: start, configuration: MetaConfiguration(order: .first), seed: 1)
        let second = MetaLearner(parameters: start, configuration: MetaConfiguration(order: .second), seed: 1)
        #expect(first.metaGradient(of: task).parameters == second.metaGradient(of: task).parameters)
        #expect(first.metaGradient(of: task).parameters[0].values.allSatisfy { abs($0) > 0.1 })
    }

    @Test("the adapted parameters are those the meta-gradient went through")
    func adaptation() {
        var generator = SeededGenerator(seed: 5)
        let task = sinusoidTask(using: &generator)
        let learner = MetaLearner(parameters: networkStart(width: 6, seed: 2), seed: 1)
        let adapted = learner.adapted(to: task.supportLoss)
        #expect(task.queryLoss(adapted.map { Variable($0) }).scalar == learner.metaGradient(of: task).queryLoss)
        #expect(learner.queryLoss(of: [task]) == learner.metaGradient(of: task).queryLoss)
        #expect(learner.adapted(to: task.supportLoss, steps: 0) == learner.state.parameters)
    }

    @Test("proximity keeps adapted parameters near the start")
    func proximity() {
        var generator = SeededGenerator(seed: 6)
        let task = sinusoidTask(using: &generator)
        let start = networkStart(width: 6, seed: 2)
        let distances = [Float(0), 5, 20].map { proximity in
            let configuration = MetaConfiguration(innerSteps: 10, innerRate: 0.02, proximity: proximity)
            let end = MetaLearner(parameters: start, configuration: configuration, seed: 1).adapted(to: task.supportLoss)
            return zip(start, end).reduce(Float(0)) { sum, pair in
                sum + ReferenceKernels.squaredDistance(pair.0.values, pair.1.values)
            }
        }
        #expect(distances[0] > 1.2 * distances[1] && distances[1] > 1.2 * distances[2], "\(distances)")
    }
}
