import Recommending
import Tensors
import Testing

struct HeadSweepTests {
    /// Clicks follow one feature, purchases and what is paid another.
    private static func planted(_ count: Int, seed: UInt64) -> HeadExamples {
        var random = SeededGenerator(seed: seed)
        var examples = HeadExamples()
        for index in 0..<count {
            let features = (0..<HeadFeature.count).map { _ in random.normal() }
            let interest = features[HeadFeature.interest.rawValue], worth = features[HeadFeature.value.rawValue]
            let isClicked = random.bernoulli(1 / (1 + Kernels.exp(-1.5 * interest))),
                isBought = isClicked && random.bernoulli(1 / (1 + Kernels.exp(worth)))
            examples.append(
                features,
                HeadExample(
                    click: isClicked ? 1 : 0, isBought: isBought, value: isBought ? Kernels.exp(0.8 * worth + 0.3 * random.normal()) : 0),
                group: index % 2)
        }
        return examples
    }

    @Test func aWeightingThatGivesUpALossIsNotPicked() {
        let examples = Self.planted(3_000, seed: 1)
        let sweep = HeadSweep(examples, balances: [.fixed([1, 0, 0]), .fixed([0, 0, 1]), .fixed([1, 1, 1])])
        let losses = sweep.points.map(\.losses)
        #expect(sweep.picked == 2, "\(losses)")
        // Each loss is best where it is learned, and far worse where it is not.
        #expect(losses[0][0] < losses[1][0] - 0.05 && losses[2][1] < losses[0][1] - 0.02 && losses[2][2] < losses[0][2] - 0.1, "\(losses)")
        #expect(sweep.points[2].isOnFront)
        // What is judged was not learned from: a half's own examples would be easier.
        let halves = sweep.points[2].halves
        #expect(halves[0] != halves[1])
        #expect(halves[0] == HeadFit(balance: .fixed([1, 1, 1])).network(for: examples) { examples.groups[$0] == 1 }.network)
    }

    @Test func theSameExamplesGiveTheSameSweepAndOneWeightingIsPicked() {
        let examples = Self.planted(600, seed: 2)
        let first = HeadSweep(examples, balances: HeadSweep.weightings), again = HeadSweep(examples, balances: HeadSweep.weightings)
        #expect(first.points.map(\.losses) == again.points.map(\.losses) && first.picked == again.picked)
        #expect(first.points.contains { $0.isOnFront } && first.points[first.picked].isOnFront)
        #expect(first.points[1].weights == [1, 1, 1])
        let one = HeadSweep(examples, balances: [.uncertainty])
        #expect(one.picked == 0 && one.points[0].isOnFront && one.points[0].losses == first.points[0].losses)
        #expect(HeadSweep(HeadExamples(), balances: HeadSweep.weightings).picked == 0)
    }

    @Test func theCompromiseIsTheLeastWorst() {
        let scales = [0.1, 0.1, 1]
        #expect(HeadSweep.compromise([[1, 2, 3], [1.3, 1.8, 3], [1.1, 1.9, 3]], scales: scales) == 2)
        // The second loses less than a scale of the third loss.
        #expect(HeadSweep.compromise([[1, 2, 3], [1, 1, 3.5], [3, 0.9, 3]], scales: scales) == 1)
        // A loss without examples says nothing; of equals the first, and none that another beats.
        #expect(HeadSweep.compromise([[1, 1, 9], [1, 1, 3]], scales: [0.1, 0.1, 0]) == 0)
        #expect(HeadSweep.compromise([[1, 2.5, 3], [1, 2, 3], [0, 3, 3]], scales: [1, 1, 1]) == 1)
    }
}
