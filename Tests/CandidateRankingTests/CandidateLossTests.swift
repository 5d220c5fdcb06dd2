import CandidateRanking
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Losses of a question")
struct CandidateLossTests {
    private static let gains: [[Float]] = [[0, 1, 0, 0, 1, 0], [0, 0.2, 1, 0, 0.01, 0], [1, 1, 1, 1, 1, 0]]

    @Test("slopes of the smooth losses are those of central differences", arguments: AnswerLoss.allCases, gains)
    func smooth(loss: AnswerLoss, gains: [Float]) {
        let scores: [Float] = [0.5, -1, 2, 0, 0.25, -3]
        var slopes = [Float](repeating: .nan, count: 6), unused = slopes
        let value = loss(scores, gains: gains, candidates: 6, slopes: &slopes)
        for place in scores.indices {
            let sides = [Float(-1) / 64, 1 / 64].map { step in
                var moved = scores
                moved[place] += step
                return loss(moved, gains: gains, candidates: 6, slopes: &unused)
            }
            #expect(abs(Double(slopes[place]) - (sides[1] - sides[0]) * 32) < 2e-4)
        }
        #expect(value > 0 && abs(slopes.reduce(0, +)) < 1e-5)
    }

    @Test("the losses are what their names say")
    func values() {
        let scores: [Float] = [0, log(2), log(5)]
        var slopes = [Float](repeating: 0, count: 3)
        let any = AnswerLoss.anyAnswer(scores, gains: [1, 0, 1], candidates: 3, slopes: &slopes)
        #expect(abs(any + log(6.0 / 8)) < 1e-6)
        let shares = AnswerLoss.shares(scores, gains: [1, 0.5, 0], candidates: 3, slopes: &slopes)
        #expect(abs(shares + (log(1.0 / 8) * 2 + log(2.0 / 8)) / 3) < 1e-6)
        let none = AnswerLoss.shares(scores, gains: [0, 0, 0], candidates: 3, slopes: &slopes)
        #expect(none == 0 && slopes == [0, 0, 0])
        let far = AnswerLoss.anyAnswer([0, 3e38], gains: [1, 0], candidates: 2, slopes: &slopes)
        #expect(far.isFinite && slopes.allSatisfy { $0.isFinite })
    }

    /// As the definition has it: every pair, ranks by counting who is better.
    private func slowSlopes(_ scores: [Float], _ gains: [Float]) -> [Double] {
        let n = scores.count
        func rank(_ i: Int) -> Int { (0..<n).count { scores[$0] > scores[i] || (scores[$0] == scores[i] && $0 < i) } }
        func discount(_ rank: Int) -> Double { 1 / log2(Double(rank) + 2) }
        let ideal = gains.sorted(by: >).prefix(10).enumerated().reduce(0.0) { $0 + Double($1.element) * discount($1.offset) }
        var slopes = [Double](repeating: 0, count: n), total = 0.0
        for i in 0..<n {
            for j in 0..<n where gains[i] > gains[j] && min(rank(i), rank(j)) < 20 {
                let apart = Double(scores[i]) - Double(scores[j])
                let w = abs(discount(rank(i)) - discount(rank(j))) * Double(gains[i] - gains[j]) / ideal / (0.01 + abs(apart))
                let lambda = w / (1 + exp(apart))
                slopes[i] -= lambda
                slopes[j] += lambda
                total += 2 * lambda
            }
        }
        return slopes.map { total > 0 ? $0 * log2(1 + total) / total : 0 }
    }

    @Test("LambdaRank moves scores as its definition says", arguments: [1, 2, 7, 19, 20, 21, 60])
    func lambda(candidates: Int) {
        var random = SeededGenerator(seed: UInt64(candidates)), loss = LambdaLoss()
        for round in 0..<20 {
            // Some scores are equal, and gains are plain, graded or all 0.
            let scores = (0..<candidates).map { _ in round % 3 == 0 ? Float(random.next(below: 5)) : 2 * random.normal() }
            var gains = (0..<candidates).map { _ in random.bernoulli(0.2) ? (round % 2 == 0 ? 1 : random.uniform()) : 0 }
            if let largest = gains.max(), largest > 0 { gains = gains.map { $0 / largest } }
            let slow = slowSlopes(scores, gains)
            for goals in 1...2 {
                let apart = scores.flatMap { [Float](repeating: $0, count: goals) }
                var fast = [Float](repeating: .nan, count: candidates * goals)
                loss.slopes(apart, gains: gains, candidates: candidates, goals: goals, weight: 2, into: &fast)
                for candidate in 0..<candidates {
                    #expect(abs(Double(fast[candidate * goals]) - 2 * slow[candidate]) < 1e-4, "\(candidate) of \(scores), \(gains)")
                    #expect(goals == 1 || fast[candidate * goals + 1].isNaN)
                }
            }
        }
    }

    @Test("a network's slopes are those of central differences", arguments: [[Int](), [16], [32, 16], [16, 32, 48]], 1...2)
    func network(hidden: [Int], goals: Int) {
        let candidates = 9, width = 5
        let network = CandidateNetwork.random(width: width, hidden: hidden, goals: goals, seed: 21)
        let pass = CandidatePass(network.layout, candidates: candidates + 2)
        var random = SeededGenerator(seed: 22)
        let inputs = (0..<candidates * width).map { _ in random.normal() }
        let gains: [[Float]] = [[0, 1, 0, 0, 0, 1, 0, 0, 0], [0.5, 0, 0, 1, 0, 0, 0.1, 0, 0]]
        func loss(_ parameters: [Float]) -> Double {
            for (place, value) in inputs.enumerated() { pass.inputs[place] = value }
            pass.forward(candidates: candidates, parameters)
            var total = 0.0
            for goal in 0..<goals {
                var slopes = [Float](repeating: 0, count: candidates)
                let scores = (0..<candidates).map { pass.scores[$0 * goals + goal] }
                total += AnswerLoss.allCases[goal](scores, gains: gains[goal], candidates: candidates, slopes: &slopes)
                for candidate in 0..<candidates { pass.slopes[candidate * goals + goal] = slopes[candidate] }
            }
            return total
        }
        var gradient = [Float](repeating: 0, count: network.parameters.count)
        _ = loss(network.parameters)
        pass.prepare(network.parameters)
        pass.backward(candidates: candidates, network.parameters, into: &gradient)
        // Half a hundred parameters of every kind; a few may sit at a bend of ReLU.
        var odd: [String] = []
        let places = (0..<60).map { _ in random.next(below: gradient.count) } + [0, gradient.count - 1]
        for place in places {
            let sides = [Float(-1) / 256, 1 / 256].map { step in
                var moved = network.parameters
                moved[place] += step
                return loss(moved)
            }
            let slope = (sides[1] - sides[0]) * 128
            if abs(slope - Double(gradient[place])) > 1e-3 + 0.01 * abs(slope) { odd.append("\(place): \(gradient[place]), not \(slope)") }
        }
        #expect(odd.count <= 3, "\(odd)")
        let first = gradient
        _ = loss(network.parameters)
        pass.backward(candidates: candidates, network.parameters, into: &gradient)
        #expect(zip(first, gradient).allSatisfy { abs(2 * $0 - $1) < 1e-4 }, "gradients are added to what is there")
    }
}
