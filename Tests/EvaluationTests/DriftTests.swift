import Evaluation
import Testing

@Suite struct DriftTests {
    @Test func theStabilityIndexIsItsFormula() {
        // (0.5 − 0.2) ln(0.5 / 0.2) + (0.5 − 0.8) ln(0.5 / 0.8), less (2 − 1)(1/1000 + 1/1000).
        let value = Drift.stabilityIndex(expected: [200, 800], actual: [500, 500])
        #expect(abs(value - (0.3 * 0.916_290_7 + 0.3 * 0.470_003_6 - 0.002)) < 1e-6)
        #expect(Drift.stabilityIndex(expected: [10, 20, 0], actual: [100, 200, 0]) == 0)
        #expect(Drift.stabilityIndex(expected: [], actual: []) == 0)
        #expect(Drift.stabilityIndex(expected: [0, 0], actual: [1, 2]) == 0)
        // A group that only one side has is a finite shift.
        #expect(Drift.stabilityIndex(expected: [1_000, 0], actual: [500, 500]) > 1)
    }

    @Test func chanceIsTakenOff() {
        var state: UInt64 = 9
        func draw() -> [Double] {
            var counts = [Double](repeating: 0, count: 64)
            for _ in 0..<500 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                counts[Int(state >> 58)] += 1
            }
            return counts
        }
        var sum = 0.0
        for _ in 0..<50 { sum += Drift.stabilityIndex(expected: draw(), actual: draw()) }
        // Uncorrected it would be 63 · 2 / 500 = 0.25 each time.
        #expect(sum / 50 < 0.05)
    }

    @Test func theLargestGapIsThatOfCumulativeShares() {
        #expect(abs(Drift.largestGap(expected: [1, 1, 1, 1], actual: [0, 0, 2, 2]) - 0.5) < 1e-12)
        #expect(Drift.largestGap(expected: [1, 2], actual: [10, 20]) == 0)
        #expect(Drift.largestGap(expected: [1, 0, 0], actual: [0, 0, 1]) == 1)
        // The critical value of Smirnov at 5 %: 1.358 √((n + m) / nm).
        #expect(abs(Drift.gapByChance(100, 100, level: 0.05) - 1.358 * (0.02).squareRoot()) < 0.001)
    }
}
