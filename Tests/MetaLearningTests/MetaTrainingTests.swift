import Gradients
import MetaLearning
import Tensors
import Testing

@Suite("Meta-training")
struct MetaTrainingTests {
    private func sinusoids(_ count: Int, seed: UInt64) -> [MetaTask] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in sinusoidTask(using: &generator) }
    }

    @Test("sinusoids: five points are enough after meta-training, and not before or after plain joint training",
        arguments: [MetaConfiguration.Order.first, .second])
    func sinusoid(order: MetaConfiguration.Order) {
        let start = networkStart(width: 20, seed: 7)
        let test = sinusoids(100, seed: 99)
        let meta = MetaConfiguration(innerRate: 0.05, order: order, outer: AdamRule(learningRate: 3e-3))
        var learner = MetaLearner(parameters: start, configuration: meta, seed: 11)
        let before = learner.queryLoss(of: test)
        let summary = learner.train(maxSteps: 1000, validation: sinusoids(30, seed: 98), draw: sinusoidTask)
        let after = learner.queryLoss(of: test)

        // The rival sees the same tasks and as many updates, but learns them all at once.
        var joint = meta
        joint.innerSteps = 0
        var rival = MetaLearner(parameters: start, configuration: joint, seed: 11)
        _ = rival.train(maxSteps: 1000, validation: sinusoids(30, seed: 98), draw: sinusoidTask)
        // It may then adapt with the best of several rates and as many or more steps.
        let rivalLoss = [Float(0.01), 0.03, 0.1].flatMap { rate in
            [3, 10].map { steps in
                let adapting = MetaConfiguration(innerSteps: steps, innerRate: rate)
                return MetaLearner(parameters: rival.state.parameters, configuration: adapting, seed: 1).queryLoss(of: test)
            }
        }.min() ?? .nan
        #expect(summary.skippedSteps == 0)
        #expect(after < 0.5 * before && after < 0.6 * rivalLoss, "before \(before), after \(after), rival \(rivalLoss)")
    }

    @Test("a planted centre is found, and the learned rates grow where steps help")
    func plantedCentre() {
        let centre: [Float] = [1.5, -2, 0.5]
        var configuration = MetaConfiguration(innerSteps: 1, innerRate: 0.01, outer: AdamRule(learningRate: 0.02))
        configuration.tasksPerStep = 8
        var learner = MetaLearner(parameters: [Matrix(rows: 3, columns: 1)], configuration: configuration, seed: 5)
        _ = learner.train(maxSteps: 500, validation: []) { linearTask(centre: centre, using: &$0) }
        let found = learner.state.parameters[0].values
        #expect(zip(found, centre).allSatisfy { abs($0 - $1) < 0.05 }, "\(found)")
        #expect(Kernels.exp(learner.state.logRates[0][0, 0]) > 0.05)
    }

    @Test("the same seed gives the same state, and a resumed run the state of an uninterrupted one")
    func reproducible() {
        func run(_ learner: inout MetaLearner, _ steps: Int) {
            _ = learner.train(maxSteps: steps, validation: [], draw: sinusoidTask)
        }
        let start = networkStart(width: 5, seed: 1)
        var whole = MetaLearner(parameters: start, seed: 3), again = whole, half = whole
        run(&whole, 20)
        run(&again, 20)
        run(&half, 10)
        var resumed = MetaLearner(resuming: half.state, configuration: half.configuration)
        run(&resumed, 10)
        #expect(whole.state == again.state && whole.state == resumed.state && whole.state.steps == 20)
        var other = MetaLearner(parameters: start, seed: 4)
        run(&other, 20)
        #expect(other.state != whole.state)
    }

    @Test("training stops when validation stops improving and keeps the best state")
    func earlyStop() {
        var configuration = MetaConfiguration(outer: AdamRule(learningRate: 0.05))
        configuration.validationIntervalSteps = 5
        configuration.patienceValidations = 3
        var learner = MetaLearner(parameters: networkStart(width: 5, seed: 1), configuration: configuration, seed: 3)
        let validation = sinusoids(10, seed: 98)
        var reported = 0
        let summary = learner.train(maxSteps: 5000, validation: validation, progress: { step, _ in reported = step }, draw: sinusoidTask)
        #expect(summary.stoppedEarly && summary.steps < 5000 && reported == summary.steps)
        #expect(summary.steps - summary.bestStep == 15 && learner.state.steps == summary.bestStep)
        #expect(learner.queryLoss(of: validation) == summary.bestLoss && summary.bestLoss <= summary.firstLoss)
    }

    @Test("a gradient that is not finite changes nothing")
    func notFinite() {
        var learner = MetaLearner(parameters: [Matrix(row: [1, 2])], seed: 3)
        let before = learner.state
        let broken = MetaTask(supportLoss: { $0[0].sum() }, queryLoss: { ($0[0] * .constant(.infinity)).sum() - .infinity })
        let summary = learner.step([broken])
        #expect(!summary.isApplied && learner.state == before)
    }

    @Test("a long gradient is limited")
    func limited() {
        var configuration = MetaConfiguration(innerSteps: 0, outer: AdamRule(learningRate: 1, beta1: 0, beta2: 0, epsilon: 1e6))
        configuration.gradientLimit = 1
        var learner = MetaLearner(parameters: [Matrix(row: [0])], configuration: configuration, seed: 3)
        let steep = MetaTask(supportLoss: { $0[0].sum() }, queryLoss: { (100 * $0[0]).sum() })
        let summary = learner.step([steep])
        // With so large an epsilon a step is the gradient over epsilon, so its length shows.
        #expect(summary.gradientLength == 100 && abs(learner.state.parameters[0][0, 0] + 1e-6) < 1e-8)
    }
}
