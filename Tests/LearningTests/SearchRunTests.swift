import Console
import Evaluation
import Foundation
import Learning
import Testing
import TowerModel
import TrainingFiles

@Suite("A search tries settings on one snapshot")
struct SearchRunTests {
    /// A search in a folder of its own.
    private final class Search {
        let folder = SmallSettings.path("search")
        let file: TrainingFile
        /// Trials whose settings were asked for, in their order.
        private(set) var asked: [String] = []

        init(_ log: TrainingLog = PlantedLog.chain(users: 30, events: 10)) throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            file = try TrainingFile.written(log, at: folder + "/log")
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func run(
            trials: Int = 4, rungs: Int = 1, seed: UInt64 = 1, minutes: Double? = nil, cut: HoldoutSettings.Cut = .leaveOneOut,
            range: String = "table_learning_rate=0.000001,0.02", machines: (gate: DataGate, bounds: UserBounds)? = nil,
            stop: StopSignal = StopSignal()
        ) throws -> SearchRun.Found {
            var learning = SmallSettings.learning(cut)
            learning.blend.isWanted = false
            learning.content.isWanted = false
            let settings = learning
            let run = SearchRun(
                settings: settings,
                configured: { [self] values, source in
                    asked.append(source)
                    return RunSettings(
                        learning: settings, towers: try SmallSettings.towers([("epochs", "4")] + values.map { ($0.key, $0.value) }))
                },
                recipe: SearchRun.Recipe(settings: ["epochs": "4"]) { values, source in
                    "\(source): \(values.map { "\($0.key)=\($0.value)" }.joined(separator: " "))\n"
                },
                options: SearchRun.Options(
                    space: SearchSpace([try SearchRange(range)]),
                    plan: SuccessiveHalving(trials: trials, keepOneIn: 2, rungs: rungs), seed: seed, minutes: minutes),
                machines: machines, folder: folder, logger: .silent, stop: stop)
            return try run.run { file }
        }

    }

    @Test("every trial is judged once, the best is found, and its recipe says how")
    func trials() throws {
        let search = try Search(), found = try search.run()
        #expect(found.table.trials.map(\.trial) == [0, 1, 2, 3] && found.table.trials.allSatisfy { $0.rung == 0 && $0.epochs == 4 })
        #expect(!found.isCut && found.users == 30 && search.asked == (0..<4).map { "trial \($0)" })
        let best = found.table.trials.compactMap(\.ndcg).max()
        #expect(found.best.ndcg == best && found.baseline?.trial == 0 && found.baseline?.settings == [:])
        // On a chain the rate that learns at all wins.
        #expect(found.best.settings["table_learning_rate"] != "0.000001")
        #expect(found.recipe.hasPrefix("# Found by freshet search: trial \(found.best.trial), seed 1, NDCG@10 "))
        #expect(found.recipe.contains("trial \(found.best.trial): "))
        let trial = try #require(found.table.trials.first { $0.trial == 2 })
        #expect(
            trial.settings["table_learning_rate"]
                == SearchSpace([try SearchRange("table_learning_rate=0.000001,0.02")]).settings(trial: 2, seed: 1)[0].value)
    }

    @Test("halving gives all a little, the better half more, and the recipe as it stands always")
    func halving() throws {
        let search = try Search(), found = try search.run(trials: 4, rungs: 3)
        let trials = found.table.trials
        #expect(trials.filter { $0.rung == 0 }.map(\.trial) == [0, 1, 2, 3] && trials.filter { $0.rung == 0 }.allSatisfy { $0.epochs == 1 })
        let plan = SuccessiveHalving(trials: 4, keepOneIn: 2, rungs: 3)
        for rung in 1...2 {
            let own = trials.filter { $0.rung == rung }
            #expect(own.map(\.trial) == plan.survivors(rung: rung, scores: found.table.scores(rung: rung - 1)))
            #expect(own.map(\.trial).contains(0) && own.allSatisfy { $0.epochs == 2 * rung })
        }
        #expect(found.best.rung == 2 && found.baseline?.rung == 2)
    }

    @Test("a search that was stopped goes on where it was, and no trial runs twice")
    func resumed() throws {
        let search = try Search()
        let first = try search.run(trials: 2)
        #expect(search.asked == ["trial 0", "trial 1"])
        let again = try search.run(trials: 2)
        #expect(search.asked == ["trial 0", "trial 1"] && again.best.ndcg == first.best.ndcg)
        // A kill in the middle of a line costs that trial alone.
        let path = again.table.path, text = try String(contentsOfFile: path, encoding: .utf8)
        try String(text.dropLast(20)).write(toFile: path, atomically: true, encoding: .utf8)
        let repaired = try search.run(trials: 2)
        #expect(search.asked.last == "trial 1" && search.asked.count == 3)
        #expect(repaired.table.trial(1, rung: 0)?.ndcg == first.table.trial(1, rung: 0)?.ndcg)
        // Another seed is another search.
        #expect(message { _ = try search.run(trials: 2, seed: 2) }.contains("is of a search with other ranges, settings or data"))
    }

    @Test("settings that contradict each other are noted, and nothing more")
    func contradiction() throws {
        let search = try Search()
        let found = try search.run(trials: 3, range: "temperature=2,3")
        #expect(found.table.trials.count == 3 && found.best.trial == 0)
        #expect(found.table.trials.dropFirst().allSatisfy { $0.ndcg == nil && $0.failure?.contains("train.temperature") == true })
    }

    @Test("time that is up before the first trial, or a stop, is told")
    func over() throws {
        let search = try Search()
        #expect(message { _ = try search.run(minutes: 0) }.contains("no trial was finished in 0.0 minutes"))
        let stop = StopSignal()
        stop.raise()
        #expect(message { _ = try search.run(stop: stop) }.contains("no trial was finished in time"))
        #expect(search.asked.isEmpty)
    }

    @Test("nothing that was finished is lost to a stop")
    func cut() throws {
        let search = try Search(), stop = StopSignal()
        _ = try search.run(trials: 2)
        stop.raise()
        let found = try search.run(trials: 2, stop: stop)
        #expect(!found.isCut && found.table.trials.count == 2, "nothing was left to run")
    }

    @Test("without a holdout there is nothing to judge by; who acts like a machine is left out where that is wanted")
    func holdout() throws {
        let search = try Search()
        #expect(message { _ = try search.run(cut: .none) }.contains("train.holdout is none, and there are 300 interactions"))
        var events = (0..<20).flatMap { user in
            (0..<6).map { SmallLog.Event(user: PlantedLog.user(user), item: "i\(($0 + user) % 9)", time: PlantedLog.time(user, $0)) }
        }
        events += (0..<400).map { SmallLog.Event(user: "robot", item: "i\($0 % 9)", time: PlantedLog.start + Int64($0)) }
        let busy = try Search(SmallLog.of(events))
        #expect(try busy.run(trials: 1).users == 21)
        let tame = try Search(SmallLog.of(events)), bounds = UserBounds(maxEventsPerMinute: 100)
        #expect(try tame.run(trials: 1, machines: (gate: DataGate(), bounds: bounds)).users == 20)
    }
}
