import Learning
import Tensors
import Testing

@Suite("How much a ranker over counters counts is what answers held-out questions best")
struct RankerMixingTests {
    /// Questions of fifty candidates, of which one ranking knows the answer as well as `first` says and the other as `second`.
    private func answered(_ questions: Int, first: Float, second: Float, scale: Float = 1) -> [RankerMixing.Answered] {
        var random = SeededGenerator(seed: 9)
        return (0..<questions).map { question in
            let gains = (0..<50).map { Float($0 == question % 50 ? 1 : 0) }
            return RankerMixing.Answered(
                rows: (0..<50).map { Int32($0 + 100) }, interests: gains.map { scale * (first * $0 + random.normal()) },
                outputs: gains.map { second * $0 + random.normal() }, relevant: [Int32(question % 50 + 100)], half: question % 2)
        }
    }

    @Test("who knows more counts more, and both together know most")
    func share() throws {
        let network = RankerMixing(answered(400, first: 0.1, second: 3), goals: 1, valueShare: 0)
        #expect(network.share < 0.3 && network.mixed > network.alone + 0.3)
        let ranking = RankerMixing(answered(400, first: 3, second: 0.1), goals: 1, valueShare: 0)
        #expect(ranking.share > 0.7 && abs(ranking.mixed - ranking.alone) < 0.03)
        let both = RankerMixing(answered(400, first: 2, second: 2), goals: 1, valueShare: 0)
        #expect((0.3...0.7).contains(both.share) && both.mixed > both.alone + 0.1)
        // The unit of either is no matter.
        let scaled = RankerMixing(answered(400, first: 2, second: 2, scale: 1_000), goals: 1, valueShare: 0)
        let (mix, other) = try (#require(both.mix), #require(scaled.mix))
        #expect(scaled.share == both.share && abs(other.all.interest * 1_000 / mix.all.interest - 1) < 0.01)
        #expect(mix.halves.count == 2 && mix.all.interest > 0)
    }

    @Test("the mix is a logit: chances that it gives come true")
    func logit() throws {
        let answered = answered(600, first: 1.5, second: 1.5), mix = try #require(RankerMixing(answered, goals: 1, valueShare: 0).mix).all
        var predicted = 0.0, right = 0.0
        for one in answered {
            let scores = one.interests.indices.map { Double(mix.interest * one.interests[$0] + mix.goals[0] * one.outputs[$0]) }
            let chances = RankerMixingTests.softmax(scores), best = chances.indices.max { chances[$0] < chances[$1] } ?? 0
            predicted += chances[best]
            right += one.relevant.contains(one.rows[best]) ? 1 : 0
        }
        #expect(abs(predicted / right - 1) < 0.15)
    }

    private static func softmax(_ scores: [Double]) -> [Double] {
        let top = scores.max() ?? 0, weights = scores.map { expOf($0 - top) }, sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    private static func expOf(_ value: Double) -> Double {
        // e^x by squaring: the tests need no more of the C library.
        var result = 1 + value / 1_048_576
        for _ in 0..<20 { result *= result }
        return max(result, 0)
    }

    /// Of two things that are taken one is worth much: the first output knows what is taken, the second what is worth much.
    private func paid(_ questions: Int, knowsWorth: Float) -> [RankerMixing.Answered] {
        var random = SeededGenerator(seed: 17)
        return (0..<questions).map { question in
            let cheap = question % 50, dear = (question + 25) % 50
            let outputs = (0..<50).flatMap { row -> [Float] in
                [(row == cheap ? 4 : row == dear ? 3 : 0) + random.normal(), (row == dear ? knowsWorth : 0) + random.normal()]
            }
            return RankerMixing.Answered(
                rows: (0..<50).map { Int32($0) }, interests: (0..<50).map { _ in random.normal() }, outputs: outputs,
                relevant: [Int32(cheap), Int32(dear)], values: [1, 9], half: question % 2)
        }
    }

    @Test("what orders are worth counts as much as keeps most of both, and nothing where nothing is known of it")
    func values() throws {
        let known = RankerMixing(paid(400, knowsWorth: 4), goals: 2, valueShare: nil)
        let kept = try #require(known.kept)
        #expect((0.1...0.7).contains(known.valueShare) && kept.taken > 0.95 && kept.value > 0.95)
        let unknown = RankerMixing(paid(400, knowsWorth: 0), goals: 2, valueShare: nil)
        #expect(unknown.valueShare < 0.3 && unknown.valueShare < known.valueShare)
        let set = RankerMixing(paid(400, knowsWorth: 4), goals: 2, valueShare: 0.9)
        #expect(set.valueShare == 0.9 && set.kept == nil && set.mixed < known.mixed)
    }

    @Test("of mixes that chance alone tells apart the one of equal parts is taken")
    func equalParts() {
        // Both rankings say the same: whatever the share, the answers are nearly alike.
        var alike = answered(300, first: 1.5, second: 1.5)
        for place in alike.indices { alike[place].outputs = alike[place].interests }
        #expect(RankerMixing(alike, goals: 1, valueShare: 0).share == 0.5)
    }

    @Test("users with short histories have a mix of their own where more than chance speaks for it")
    func newcomers() throws {
        // Of everybody the network knows as much as the ranking so far; of newcomers nothing at all.
        let everybody = RankerMixing(answered(400, first: 2, second: 2), goals: 1, valueShare: 0)
        let blind = try #require(everybody.newcomers(answered(400, first: 2, second: 0), historyLimitEvents: 2))
        #expect(blind.isKept && blind.share >= 0.9 && blind.newcomers > blind.everybody + 0.05 && blind.questions == 400)
        #expect(blind.historyLimitEvents == 2 && blind.mix.halves.count == 2)
        let own = blind.mix.all, all = try #require(everybody.mix).all
        #expect(own.interest > 0 && own.goals[0] / own.interest < 0.2 * all.goals[0] / all.interest)
        // Newcomers who are as everybody is are served by everybody's mix.
        let alike = try #require(everybody.newcomers(answered(400, first: 2, second: 2), historyLimitEvents: 2))
        #expect(!alike.isKept && alike.share == everybody.share)
        // Too few to say anything, and nothing for everybody: nothing.
        #expect(everybody.newcomers(answered(60, first: 2, second: 0), historyLimitEvents: 2) == nil)
        let none = RankerMixing([], goals: 1, valueShare: 0)
        #expect(none.newcomers(answered(400, first: 2, second: 0), historyLimitEvents: 2) == nil)
    }

    @Test("nothing is found where nothing was asked, or where nothing differs")
    func nothing() {
        #expect(RankerMixing([], goals: 1, valueShare: 0).mix == nil)
        let flat = RankerMixing.Answered(
            rows: [7, 8], interests: [1, 1], outputs: [0, 0], relevant: [7], half: 0)
        #expect(RankerMixing([flat, flat], goals: 1, valueShare: 0).mix == nil)
    }
}
