import Evaluation
import Testing

@Suite struct SearchTests {
    @Test func rangesAreRead() throws {
        #expect(try SearchRange("train.epochs=3..12").values == .whole(3...12, isLogarithmic: false))
        #expect(try SearchRange("a=1e-4..1e-2:log").values == .number(1e-4...1e-2, isLogarithmic: true))
        #expect(try SearchRange("a=0.0..1.0").values == .number(0...1, isLogarithmic: false))
        #expect(try SearchRange("train.preset=small,default") == SearchRange(key: "train.preset", values: .choices(["small", "default"])))
        for wrong in ["a", "=1..2", "a=2..1", "a=1..2..3", "a=0..1:log", "a=", "a=x..y", "a=b:log", "a=b,b"] {
            #expect(throws: SearchRange.Malformed.self, "\(wrong)") { try SearchRange(wrong) }
        }
    }

    @Test func valuesFillTheirRange() throws {
        let shares = (0..<10_000).map { Double($0) / 10_000 }
        let whole = Dictionary(grouping: shares) { SearchRange(key: "a", values: .whole(3...5, isLogarithmic: false)).value(at: $0) }
        #expect(whole.keys.sorted() == ["3", "4", "5"])
        #expect(whole.values.allSatisfy { abs($0.count - 3_333) < 10 })
        let number = SearchRange(key: "a", values: .number(1e-4...1e-2, isLogarithmic: true))
        let values = shares.compactMap { Double(number.value(at: $0)) }
        #expect(values.count == shares.count && values.allSatisfy { $0 >= 1e-4 && $0 <= 1e-2 })
        #expect(abs(values.count { $0 < 1e-3 } - 5_000) < 10, "as many in each power of ten")
        #expect(number.value(at: 0) == "0.0001")
        #expect(number.value(at: 0.5) == "0.001")
        let choices = Set(shares.map { SearchRange(key: "a", values: .choices(["x", "y"])).value(at: $0) })
        #expect(choices == ["x", "y"])
    }

    @Test func aTrialFollowsFromSeedAndNumber() throws {
        let space = SearchSpace([try SearchRange("a=0.0..1.0"), try SearchRange("b=1..1000")])
        func drawn(_ trial: Int, _ seed: UInt64) -> [String] { space.settings(trial: trial, seed: seed).map { $0.key + $0.value } }
        #expect(drawn(0, 1).isEmpty, "the recipe as it stands")
        #expect(drawn(3, 1) == drawn(3, 1) && drawn(3, 1) != drawn(4, 1) && drawn(3, 1) != drawn(3, 2))
        #expect(
            SearchSpace([try SearchRange("a=1..2"), try SearchRange("a=3..4")]).ranges.map(\.values) == [
                .whole(3...4, isLogarithmic: false)
            ])
    }

    @Test func halvingKeepsTheBest() {
        let plan = SuccessiveHalving(trials: 9, keepOneIn: 3, rungs: 3)
        let shares: [Double] = (0..<3).map { plan.share(rung: $0) }, counts: [Int] = (0..<3).map { plan.count(rung: $0) }
        #expect(zip(shares, [0.111_111, 0.333_333, 1]).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(counts == [9, 3, 2], "the recipe as it stands always has one to be compared with")
        #expect(plan.survivors(rung: 0, scores: [:]) == Array(0..<9))
        let scores: [Int: Double] = [0: 0.1, 1: 0.5, 2: 0.9, 3: .nan, 4: 0.9, 5: 0.2, 6: 0.3, 7: 0.4]
        #expect(plan.survivors(rung: 1, scores: scores) == [0, 2, 4])
        #expect(plan.survivors(rung: 2, scores: [0: 1, 2: 0.5, 4: 0.6]) == [0, 4])
        #expect(SuccessiveHalving(trials: 5, rungs: 1).share(rung: 0) == 1)
    }

    @Test func halvingFindsAPlantedOptimum() throws {
        let space = SearchSpace([try SearchRange("x=0.0..1.0"), try SearchRange("y=1e-4..1.0:log")])
        let plan = SuccessiveHalving(trials: 81, keepOneIn: 3, rungs: 3)
        // The best is at x 0.7 and y 0.01; what is seen early is noisy.
        func score(_ trial: Int, _ rung: Int) -> Double {
            let settings = Dictionary(uniqueKeysWithValues: space.settings(trial: trial, seed: 5).map { ($0.key, Double($0.value) ?? 0) })
            let x = settings["x"] ?? 0, y = settings["y"] ?? 1
            let noise = Double((trial * 7_919 + rung * 104_729) % 100) / 100 * 0.2 * (1 - plan.share(rung: rung))
            return 1 - abs(x - 0.7) - abs(y < 0.01 ? 0.01 / y : y / 0.01) / 200 + noise
        }
        var scores: [Int: Double] = [:]
        for rung in 0..<3 {
            let alive = plan.survivors(rung: rung, scores: scores)
            scores = Dictionary(uniqueKeysWithValues: alive.map { ($0, score($0, rung)) })
        }
        let best = try #require(scores.max { $0.value < $1.value }?.key)
        let x = try #require(Double(space.settings(trial: best, seed: 5)[0].value))
        #expect(abs(x - 0.7) < 0.15)
        #expect(scores.count == plan.count(rung: 2))
    }
}
