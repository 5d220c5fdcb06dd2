import CandidateRanking
import Tensors
import Testing

@Suite("Fitting an order of candidates")
struct CandidateFitTests {
    /// The better of two signals with the same sign: no weights of single signals tell.
    private static func together(_ row: ArraySlice<Float>, _: inout SeededGenerator) -> Float {
        row[row.startIndex] * row[row.startIndex + 1]
    }

    private static func weighted(_ row: ArraySlice<Float>, _ random: inout SeededGenerator) -> Float {
        row[row.startIndex] - 0.5 * row[row.startIndex + 2] + 0.3 * random.normal()
    }

    private static func quick(epochs: Int = 10) -> CandidateFit {
        var fit = CandidateFit()
        fit.epochs = epochs
        return fit
    }

    @Test("weights of single signals are found")
    func linear() {
        let planted = PlantedLists(questions: 300, seed: 1, rule: Self.weighted)
        let later = PlantedLists(questions: 300, seed: 2, rule: Self.weighted)
        let model = CandidateFit().linear(on: planted.lists)
        let weights = model.linearWeights()
        #expect(weights[0] > 1 && weights[2] < -0.4 && abs(weights[1]) < 0.3 && abs(weights[3]) < 0.3, "\(weights)")
        #expect(later.hits(model) > 0.7, "\(later.hits(model))")
        #expect(model.hidden.isEmpty && model.goals == 1)
    }

    @Test("the linear fit ends where its loss is least: no step in any direction is lower")
    func minimum() {
        let planted = PlantedLists(questions: 60, seed: 3, rule: Self.weighted)
        let model = CandidateFit().linear(on: planted.lists)
        func loss(_ weights: [Float]) -> Double {
            var total = 0.0, slopes = [Float](repeating: 0, count: 12)
            for (row, best) in zip(planted.signals, planted.best) {
                let moved = CandidateNetwork(scaling: model.scaling, hidden: [], goals: 1, parameters: weights)
                let gains = (0..<12).map { $0 == best ? Float(1) : 0 }
                total += AnswerLoss.anyAnswer(moved.scores(of: row), gains: gains, candidates: 12, slopes: &slopes)
            }
            return total + 3 * weights.reduce(0) { $0 + Double($1 * $1) }
        }
        let least = loss(model.parameters)
        for signal in 0..<4 {
            for step: Float in [-0.05, 0.05] {
                var moved = model.parameters
                moved[signal] += step
                #expect(loss(moved) > least)
            }
        }
    }

    @Test("a network finds what no linear model can")
    func interaction() {
        let planted = PlantedLists(questions: 600, seed: 4, rule: Self.together)
        let later = PlantedLists(questions: 300, seed: 5, rule: Self.together)
        let fit = Self.quick(epochs: 25), linear = fit.linear(on: planted.lists)
        let network = fit.network(on: planted.lists, from: linear, seed: 6)
        #expect(later.hits(linear) < 0.25, "\(later.hits(linear))")
        #expect(later.hits(network) > 0.6, "\(later.hits(network))")
        #expect(network.scaling == linear.scaling && network.hidden == [32, 16])
    }

    @Test("a network begins in the order of the linear model")
    func start() {
        let planted = PlantedLists(questions: 20, seed: 7, rule: Self.weighted)
        let fit = Self.quick(epochs: 0), linear = fit.linear(on: planted.lists)
        let network = fit.network(on: planted.lists, from: linear, seed: 8)
        #expect(network.scores(of: planted.signals[0]) == linear.scores(of: planted.signals[0]).map { $0 / 2 })
        #expect(network.parameters.contains { $0 != 0 } && network != linear)
    }

    @Test("two goals have two orders, and each of them is found")
    func goals() {
        var random = SeededGenerator(seed: 9)
        var lists = CandidateLists(width: 3, goals: 2), tests: [(signals: [Float], best: [Int])] = []
        for question in 0..<500 {
            let signals = (0..<30).map { _ in 2 * random.normal() }
            // The first goal follows the first signal, the second the product of the others.
            let single: [Float] = (0..<10).map { signals[3 * $0] }
            let product: [Float] = (0..<10).map { signals[3 * $0 + 1] * signals[3 * $0 + 2] }
            let worth = [single, product]
            let best = worth.map { goal in goal.firstIndex(of: goal.max() ?? 0) ?? 0 }
            if question < 400 {
                let first: [Float] = (0..<10).map { $0 == best[0] ? 1 : 0 }
                let second: [Float] = (0..<10).map { $0 == best[1] ? 100 : product[$0] > 4 ? 10 : 0 }
                let gains = [first, second]
                lists.append(signals: signals, gains: gains, group: 0)
            } else {
                tests.append((signals, best))
            }
        }
        let fit = Self.quick(epochs: 30)
        let network = fit.network(on: lists, from: fit.linear(on: lists), seed: 10)
        for goal in 0..<2 {
            let hits = tests.count { test in
                let scores = network.scores(of: test.signals)
                return (0..<10).allSatisfy { scores[2 * $0 + goal] <= scores[2 * test.best[goal] + goal] }
            }
            #expect(hits > 60, "goal \(goal): \(hits) of \(tests.count)")
        }
    }

    @Test("the same seed gives the same bits on any number of threads, another seed others")
    func determinism() {
        let planted = PlantedLists(questions: 150, goals: 2, seed: 11, rule: Self.together)
        let fit = Self.quick(epochs: 2)
        let linear = fit.linear(on: planted.lists, threads: 1)
        #expect(fit.linear(on: planted.lists, threads: 3) == linear)
        let network = fit.network(on: planted.lists, from: linear, seed: 12, threads: 1)
        #expect(fit.network(on: planted.lists, from: linear, seed: 12, threads: 2) == network)
        #expect(fit.network(on: planted.lists, from: linear, seed: 12, threads: 5) == network)
        #expect(fit.network(on: planted.lists, from: linear, seed: 13, threads: 1) != network)
    }

    @Test("only questions that are asked for count")
    func uses() {
        let planted = PlantedLists(questions: 80, seed: 14, rule: Self.weighted)
        var half = CandidateLists(width: 4)
        for question in stride(from: 0, to: 80, by: 2) {
            let rows = planted.lists.candidates(of: question)
            half.append(signals: planted.signals[question], gains: [Array(planted.lists.gains[0][rows])], group: 0)
        }
        let fit = Self.quick(epochs: 2), groups = planted.lists.groups
        let linear = fit.linear(on: half)
        #expect(fit.linear(on: planted.lists, uses: { groups[$0] == 0 }) == linear)
        #expect(
            fit.network(on: planted.lists, from: linear, seed: 1, uses: { groups[$0] == 0 })
                == fit.network(on: half, from: linear, seed: 1))
    }

    @Test("lists without questions, with one candidate and with equal gains give a model that scores")
    func nothing() {
        let fit = Self.quick(epochs: 2)
        var lists = CandidateLists(width: 2, goals: 2)
        func checked(_ lists: CandidateLists) -> CandidateNetwork {
            let linear = fit.linear(on: lists), network = fit.network(on: lists, from: linear, seed: 1)
            #expect(network.scores(of: [1, 2, 3, 4]).count == 4 && network.scores(of: [1, .nan]).allSatisfy { $0.isFinite })
            return linear
        }
        #expect(checked(lists).parameters == [0, 0, 0, 0])
        lists.append(signals: [1, 2], gains: [[1], [0]], group: 0)
        lists.append(signals: [1, 2, 3, 4], gains: [[1, 1], [0, 1]], group: 0)
        #expect(checked(lists).parameters == [0, 0, 0, 0])
        // The second goal says nothing, and equal signals neither.
        lists.append(signals: [1, 2, 3, 2], gains: [[1, 0], [0.5, 0.5]], group: 0)
        let linear = checked(lists)
        #expect(linear.linearWeights(goal: 1) == [0, 0] && linear.linearWeights(goal: 0)[0] < 0)
        #expect(linear.linearWeights(goal: 0)[1] == 0)
        #expect(fit.linear(on: lists, uses: { _ in false }).parameters == [0, 0, 0, 0])
    }

    @Test("numbers that are none and numbers that are huge change nothing for the others")
    func odd() {
        var planted = PlantedLists(questions: 200, goals: 2, seed: 15, rule: Self.weighted)
        let rows: [Float] = [.nan, .infinity, -.infinity, 3e38, -3e38, 0, .nan, 1e-38, 1, 2, 3, 4]
        for gains: [[Float]] in [
            [[0, 1, 0], [0, 3e38, 0]], [[0, 1e38, 3e38], [0, 1, 0]], [[.nan, 1, 0], [.nan, .infinity, -1]], [[0, .infinity, 0], [0, 0, 0]],
            [[-5, 0, .leastNormalMagnitude], [.leastNonzeroMagnitude, 0, 0]],
        ] {
            planted.lists.append(signals: rows, gains: gains, group: 0)
        }
        let fit = Self.quick(epochs: 3), linear = fit.linear(on: planted.lists)
        #expect(linear.parameters.allSatisfy { $0.isFinite } && planted.hits(linear) > 0.6, "\(planted.hits(linear))")
        let network = fit.network(on: planted.lists, from: linear, seed: 16)
        #expect(network.parameters.allSatisfy { $0.isFinite } && planted.hits(network) > 0.6, "\(planted.hits(network))")
    }

    @Test("without steps and with strange settings a fit still ends")
    func settings() {
        let planted = PlantedLists(questions: 30, seed: 17, rule: Self.weighted)
        var fit = CandidateFit()
        (fit.maxSteps, fit.epochs, fit.batchQuestions, fit.warmUpSteps, fit.droppedShare) = (0, 1, 0, 0, 1)
        let linear = fit.linear(on: planted.lists)
        #expect(linear.parameters == [0, 0, 0, 0])
        fit.hidden = []
        let network = fit.network(on: planted.lists, from: linear, seed: 18)
        #expect(network.hidden.isEmpty && network.parameters.allSatisfy { $0.isFinite })
    }
}
