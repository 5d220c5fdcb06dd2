import Foundation
import Interactions
import TowerModel
import Testing
import TowerTraining
import Workloads

/// What the benches of training make, count and print.
@Suite struct TrainBenchTests {
    private func file(_ lines: [String]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UInt64.random(in: .min ... .max)).jsonl").path
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func object(_ line: ResultLine) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.json.utf8)) as? [String: Any])
    }

    @Test func madeUsersHaveTwentyDrawsBeforeTheirFirstExample() throws {
        let data = TrainBenchData.synthetic(users: 300, items: 40, examples: 1_000, heldOut: 50, seed: 3)
        #expect(data.examples == 1_000)
        #expect((0..<data.set.eventCount).count { data.set.weights[$0] > 0 } == 1_000, "examples are the events with a weight")
        #expect(data.set.userCount == 300 && data.set.itemCount == 40)
        for user in 0..<300 {
            let rows = data.set.userStarts[user]..<data.set.userStarts[user + 1]
            guard !rows.isEmpty else { continue }
            #expect(rows.count >= TrainBenchData.historyLength)
            #expect(rows.prefix(TrainBenchData.historyLength).allSatisfy { data.set.weights[$0] == 0 }, "user \(user)")
            #expect(rows.dropFirst(TrainBenchData.historyLength).allSatisfy { data.set.weights[$0] == 1 }, "user \(user)")
        }
        #expect(data.heldOut.map(\.user) == Array(0..<50))
        let asked = try #require(data.heldOut.first)
        let rows = data.set.userStarts[0]..<data.set.userStarts[1]
        #expect(asked.history == rows.suffix(TrainBenchData.historyLength).map { data.set.items[$0] })
        let again = TrainBenchData.synthetic(users: 300, items: 40, examples: 1_000, heldOut: 50, seed: 3)
        #expect(again.heldOut == data.heldOut && again.set.eventCount == data.set.eventCount)
        let other = TrainBenchData.synthetic(users: 300, items: 40, examples: 1_000, heldOut: 50, seed: 4)
        #expect(other.heldOut != data.heldOut)
    }

    @Test func eachUsersLastInteractionOfALogIsHeldOut() throws {
        let path = try file([
            #"{"user_id":"a","item_id":"x"}"#, #"{"user_id":"b","item_id":"y"}"#, #"{"user_id":"a","item_id":"y"}"#,
            #"{"user_id":"a","item_id":"z"}"#, #"{"user_id":"b","item_id":"x"}"#, #"{"user_id":"a","item_id":"w"}"#,
        ])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let data = try TrainBenchData.log(path: path)
        // x, y, z, w have the rows 0 to 3; b has too few interactions to be asked, and keeps both.
        #expect(data.heldOut == [TrainBenchData.HeldOut(user: 0, history: [0, 1, 2], target: 3)])
        #expect(data.had == [[0, 1, 2]])
        #expect(data.examples == 3 && data.set.eventCount == 5 && data.set.itemCount == 4)
        let broken = try file([#"{"user_id":"a","item_id":"x"}"#, #"{"user_id":"a"}"#])
        defer { try? FileManager.default.removeItem(atPath: broken) }
        #expect { try TrainBenchData.log(path: broken) } throws: { "\($0)".contains("line 2 of") }
    }

    @Test func aBatchHoldsNoMoreItemsThanTargetsOrThanThereAre() throws {
        let data = TrainBenchData.synthetic(users: 100, items: 30, examples: 2_000, heldOut: 0, seed: 1)
        #expect(abs(data.distinctTargets(batch: 1) - 1) < 1e-9)
        var last = 0.0
        for batch in [1, 2, 16, 256, 65_536] {
            let distinct = data.distinctTargets(batch: batch)
            #expect(distinct > last && distinct <= min(30, Double(batch)) + 1e-9)
            last = distinct
        }
        #expect(last > 29.9, "a batch of everything holds every item")
    }

    @Test func madeHistoriesOfTheSequenceTowerAreCutAtOneMoreThanItSees() {
        let data = TrainBenchSequences.synthetic(users: 60, items: 500, length: 400, seed: 5)
        var positions = 0, attended = 0, longest = 0
        for user in 0..<data.set.userCount {
            let count = data.set.userStarts[user + 1] - data.set.userStarts[user]
            longest = max(longest, count)
            #expect(count >= 5 && count <= TrainBenchSequences.historyLength + 1)
            positions += count - 1
            for place in 1..<count { attended += place }
        }
        #expect(longest == TrainBenchSequences.historyLength + 1, "some had more")
        #expect(data.positions == positions && data.attended == attended)
    }

    @Test func operationsGrowWithWhatIsScored() {
        let data = TrainBenchData.synthetic(users: 50, items: 20, examples: 200, heldOut: 0, seed: 1)
        let bench = TrainBench(data: data, timing: TrainBenchTiming(threads: 1, batch: 16, warmup: 0, seed: 1))
        // Forth and back, a multiplication and an addition for each of 64 components of a candidate.
        #expect(bench.operationsPerExample(candidates: 11) - bench.operationsPerExample(candidates: 1) == 6 * 64 * 10)
        let sequences = TrainBenchSequences.synthetic(users: 20, items: 1_000, length: 20, seed: 1)
        func operations(_ isFull: Bool) -> Double {
            TrainBenchSequence(
                data: sequences, isFull: isFull, precision: .float32, timing: TrainBenchTiming(threads: 1, batch: 4, warmup: 0, seed: 1)
            ).operationsPerPosition
        }
        #expect(abs(operations(true) - operations(false) - 6 * 64 * Double(sequences.set.itemCount - 129)) < 1e-6)
    }

    @Test func stepsGoOnOverTheEndsOfEpochsAndAreCountedAnew() throws {
        let data = TrainBenchData.synthetic(users: 20, items: 20, examples: 64, heldOut: 0, seed: 2)
        var configuration = TowerConfiguration()
        for (key, value) in [
            ("user_tower", "pooled"), ("dimension", "8"), ("heads", "1"), ("hidden", "8"), ("history_length", "4"), ("content", "false"),
            ("batch_size", "16"), ("epochs", "1000"), ("loss", "sampled"), ("negatives", "0"), ("threads", "1"), ("seed", "1"),
        ] { try configuration.set(key, value) }
        var steps = TrainBenchSteps(trainer: try Trainer(data.set, configuration: configuration))
        steps.go(steps: 3, seconds: nil)
        #expect(steps.steps == 3 && steps.examples > 0)
        let first = try #require(steps.firstLoss)
        steps.resetTimes()
        #expect(steps.steps == 0 && steps.examples == 0 && steps.seconds == 0)
        // 64 examples are four steps: ten more steps end two epochs.
        steps.go(steps: 10, seconds: nil)
        #expect(steps.steps == 10)
        #expect(steps.examples > 64, "\(steps.examples)")
        #expect(steps.firstLoss == first && steps.lastLoss?.isFinite == true, "the first loss is that of the first step of all")
    }

    @Test func aBenchPrintsWhatItRanAndWhatItHeldOut() throws {
        let data = TrainBenchData.synthetic(users: 40, items: 200, examples: 200, heldOut: 10, seed: 2)
        let line = try TrainBench(data: data, timing: TrainBenchTiming(threads: 1, batch: 16, warmup: 1, steps: 2, seed: 1)).run()
        let found = try object(line)
        #expect(found["batches"] as? Int == 2 && found["held_out"] as? Int == 10 && found["items"] as? Int == 200)
        let recall = try #require(found["recall_at_100"] as? Double)
        #expect(0...1 ~= recall)
        let flop = try #require(found["flop_per_example"] as? Double), all = try #require(found["flop_per_example_all_columns"] as? Double)
        #expect(flop <= all, "a batch has no more different targets than targets")
        let keys = line.json.matches(of: /"(\w+)":/).map { String($0.1) }
        #expect(Array(keys.suffix(5)) == ["loss_first_last", "recall_at_100", "held_out", "peak_rss_mb", "kernels"])
    }

    @Test func aRateStandsBesideTheBoundsThatThereAre() throws {
        var line = ResultLine()
        ArithmeticBound(float32: 4e9).add(rate: 1e9, to: &line)
        #expect(
            line.json == #"{"gflop_per_s":1.0,"float32_bound_gflop_per_s":4.0,"bfloat16_bound_gflop_per_s":null,"#
                + #""share_of_float32_bound":0.25,"share_of_bfloat16_bound":null}"#)
        #expect(ArithmeticBound(float32: 4, bfloat16: 8).bound(of: .bfloat16) == 8)
        #expect(ArithmeticBound(float32: 4).bound(of: .bfloat16) == 4)
        #expect(ProcessFigures.peakMemoryMiB(status: "VmPeak:\t 9999999 kB\nVmHWM:\t  204800 kB\nVmRSS:\t 5 kB\n") == 200)
        #expect(ProcessFigures.peakMemoryMiB(status: "VmRSS:\t 5 kB\n") == nil)
    }

    @Test func textsAreSpreadOverTheFileAndLongOnesCostMore() {
        #expect(TextBench.spread(3, over: Array(0..<9)) == [0, 3, 6])
        #expect(TextBench.spread(9, over: [1, 2]) == [1, 2])
        let one = TextBench.operations(tokens: [10], layers: 2, width: 4, inner: 8)
        let layersOfAToken = 2.0 * 2 * (4 * 16 + 2 * 32), attentionOfAToken = 4.0 * 2 * 4 * 10
        #expect(one == 10 * (layersOfAToken + attentionOfAToken))
        #expect(TextBench.operations(tokens: [10, 10], layers: 2, width: 4, inner: 8) == 2 * one)
        #expect(TextBench.operations(tokens: [20], layers: 2, width: 4, inner: 8) > 2 * one, "each token reads all others")
    }
}
