import Console
import Evaluation
import Foundation
import Learning
import Testing
import TrainingFiles

@Suite("Settings are compared on what is held out, within a budget of time", .timeLimit(.minutes(15)))
struct ChoiceTrialsTests {
    /// Seconds that pass as a test says: each trial that asks for its settings takes what it is said to take.
    private final class Clock {
        var seconds = 0.0
    }

    /// A comparison in a folder of its own.
    private final class Comparing {
        let test: TestFolder
        let clock = Clock()
        let stop = StopSignal()
        /// What a moment takes: the clock goes on by so much whenever it is looked at.
        var tick = 0.0

        init() throws { test = try TestFolder() }

        func run(
            _ log: TrainingLog, _ contestants: [AutoAlternative], seconds: Double = 1e9, thinEvents: Int = 20_000,
            cut: HoldoutSettings.Cut = .leaveOneOut
        ) throws -> ChoiceComparison {
            var learning = SmallSettings.learning(cut)
            learning.blend.isWanted = false
            learning.holdout.usersLimit = 5_000
            return try ChoiceTrials(
                log: log, contestants: contestants,
                planned: { values in
                    RunSettings(learning: learning, towers: try SmallSettings.towers(values.map { ($0.key, $0.value) }))
                }, budgetSeconds: seconds, thinEvents: thinEvents, folder: test.folder,
                now: { [self] in
                    clock.seconds += tick
                    return clock.seconds
                }, logger: .silent, stop: stop
            ).run()
        }

        var table: TrialTable { TrialTable(path: test.folder.trialsPath) }
    }

    private func contestant(_ name: String, _ values: [(String, String)] = [], appetite: Int = 0, cost: Double = 1) -> AutoAlternative {
        AutoAlternative(
            name: name, decisions: values.map { AutoDecision($0.0, $0.1, why: "a test") }, appetite: appetite, cost: cost)
    }

    private let mute = [("table_learning_rate", "0.000001"), ("learning_rate", "0.000001")]

    /// Whoever had an item takes the one after it: 80 people, 960 events.
    private let chain = PlantedLog.chain(users: 80, events: 12)

    @Test("what learns is found better than what does not, with figures, intervals and seconds")
    func better() throws {
        let comparing = try Comparing()
        comparing.tick = 0.25
        let found = try comparing.run(chain, [contestant("rules", mute), contestant("learns", [("epochs", "4")])])
        #expect(found.taken == "learns" && !found.isTimeDecided && found.trials.map(\.name) == ["rules", "learns"], "\(found)")
        let row = found.trials[1]
        #expect(row.oneIn == 1 && row.questions == 80 && row.note == "better by more than chance" && row.settings == "epochs=4")
        #expect(row.low ?? 0 > 0 && row.low ?? 0 < row.difference ?? 0 && row.difference ?? 0 < row.high ?? 0)
        let own = found.trials.reduce(0) { $0 + $1.seconds }
        #expect(row.seconds > 0 && own < found.seconds && found.seconds < own + 2, "what the log itself takes counts, too")
        #expect(found.reason.hasPrefix("On what was held out the settings of \"learns\" are better: NDCG@10 "), "\(found.reason)")
        #expect(found.reason.hasSuffix("80 questions, all users)."))
        // The other way round nothing changes.
        let kept = try Comparing().run(chain, [contestant("learns", [("epochs", "4")]), contestant("mute", mute)])
        #expect(kept.taken == "learns" && kept.trials[1].note == "worse by more than chance")
        #expect(kept.reason == "No alternative was better by more than chance: the settings of \"learns\" stay.")
    }

    @Test("an order that the choice does not see is found with a tower that does; where there is none the pooled tower stays")
    func towers() throws {
        let sequence = contestant(
            "sequence tower", [("user_tower", "sequence"), ("attention_heads", "2"), ("epochs", "10"), ("blocks", "1")], appetite: 1,
            cost: 12)
        // What lies two steps back decides, and the choice sees the last step alone.
        let ordered = try Comparing().run(
            PlantedLog.log(users: 120, events: 14, items: 24) { _, had, random in
                had.count < 2 ? random.next(below: 24) : (had[had.count - 2] * 7 + 5) % 24
            }, [contestant("rules", [("history_length", "1"), ("epochs", "4")]), sequence])
        #expect(ordered.taken == "sequence tower", "\(ordered)")
        let tastes = try Comparing().run(PlantedLog.tastes(users: 120), [contestant("rules", [("epochs", "6")]), sequence])
        #expect(tastes.taken == "rules", "\(tastes)")
    }

    @Test("another seed is noise, and the choice stays")
    func noise() throws {
        let found = try Comparing().run(
            PlantedLog.tastes(users: 120),
            [contestant("rules")] + (2...4).map { contestant("seed \($0)", [("seed", "\($0)")]) })
        let others = found.trials.dropFirst()
        #expect(found.taken == "rules" && others.count == 3 && others.allSatisfy { $0.difference != nil }, "\(found)")
        #expect(found.reason == "No alternative was better by more than chance: the settings of the rules stay.")
    }

    @Test("a trial that would not fit is not begun, one that does not end is given up, and the record says that time decided")
    func budget() throws {
        let comparing = try Comparing()
        let contestants = [contestant("rules"), contestant("dear", appetite: 1, cost: 8), contestant("cheap")]
        // Each look at the clock takes a second: so the first trial says what a trial takes.
        comparing.tick = 1
        let free = try comparing.run(chain, contestants)
        let rate = free.trials[0].seconds
        #expect(rate > 2 && free.trials.allSatisfy { $0.ndcg != nil } && !free.isTimeDecided)
        let tight = try Comparing()
        tight.tick = 1
        let found = try tight.run(chain, contestants, seconds: rate * 4)
        #expect(found.trials[1].ndcg == nil && found.trials[1].note.hasPrefix("not begun: about "), "\(found.trials[1])")
        #expect(found.trials[2].ndcg == free.trials[2].ndcg && found.isTimeDecided && found.taken == "rules")
        #expect(found.seconds <= rate * 4 && found.budgetSeconds == rate * 4)
        let none = try Comparing()
        none.tick = 1
        let cut = try none.run(chain, contestants, seconds: 2)
        #expect(cut.trials[0].note == "it did not end within the budget" && cut.isTimeDecided && cut.taken == "rules")
        #expect(cut.trials.dropFirst().allSatisfy { $0.seconds == 0 && $0.ndcg == nil } && cut.seconds < 2 + rate, "\(cut)")
    }

    @Test("a large log is thinned first, widened as far as time allows, and what has less to learn waits for everybody")
    func thinned() throws {
        let log = PlantedLog.chain(users: 160, events: 12)
        let contestants = [
            contestant("rules", mute, appetite: 0), contestant("learns", [("epochs", "3")]),
            contestant("small", [("dimension", "8"), ("epochs", "3")], appetite: -1),
        ]
        let comparing = try Comparing()
        comparing.tick = 0.01
        let whole = try comparing.run(log, contestants, thinEvents: 1_000)
        #expect(whole.trials.allSatisfy { $0.oneIn == 1 } && !whole.isTimeDecided && whole.taken != "rules", "\(whole)")
        #expect(comparing.table.trials.map(\.oneIn) == [2, 2, 2, 2, 1, 1, 1, 1])
        let thin = comparing.table.trials.prefix(4).reduce(0) { $0 + $1.seconds }
        let short = try Comparing()
        short.tick = 0.01
        let found = try short.run(log, contestants, seconds: thin * 1.5, thinEvents: 1_000)
        #expect(found.isTimeDecided && found.taken == "learns" && found.trials[0].oneIn == 2, "\(found)")
        #expect(found.trials[2].oneIn == 2 && found.trials[2].note.hasPrefix("with few users what has less to learn"), "\(found)")
        #expect(found.reason.hasSuffix("one in 2 users)."), "\(found.reason)")
    }

    @Test("what was compared before a kill is not trained again, and the same is found")
    func resumed() throws {
        let comparing = try Comparing()
        let contestants = [contestant("rules"), contestant("longer", [("epochs", "4")]), contestant("mute", mute)]
        comparing.tick = 0.5
        let first = try comparing.run(chain, contestants)
        let began = comparing.clock.seconds
        let again = try comparing.run(chain, contestants)
        #expect(again == first && comparing.clock.seconds == began, "nothing was trained")
        // A kill within a line costs that trial alone.
        let path = comparing.test.folder.trialsPath, text = try String(contentsOfFile: path, encoding: .utf8)
        try String(text.dropLast(20)).write(toFile: path, atomically: true, encoding: .utf8)
        let repaired = try comparing.run(chain, contestants)
        #expect(repaired.taken == first.taken && repaired.trials.map(\.ndcg) == first.trials.map(\.ndcg))
        comparing.stop.raise()
        try FileManager.default.removeItem(atPath: path)
        let message = #expect(throws: CommandFailure.self) { _ = try comparing.run(chain, contestants) }
        #expect(message?.description.contains("freshet train --resume goes on from there") == true)
        #expect(comparing.table.trials.map(\.name) == ["preparing"])
    }

    @Test("settings that contradict each other, no holdout and one contestant alone leave the choice as it is")
    func odd() throws {
        let found = try Comparing().run(chain, [contestant("rules"), contestant("odd", [("temperature", "3")])])
        #expect(found.taken == "rules" && found.trials[1].note.contains("train.temperature"), "\(found)")
        let none = try Comparing().run(chain, [contestant("rules"), contestant("longer")], cut: .none)
        #expect(none.taken == "rules" && none.reason == "Nothing was compared: nothing was held out to compare on.", "\(none)")
        #expect(try Comparing().run(chain, [contestant("rules")]).trials.isEmpty)
        let few = try Comparing().run(PlantedLog.chain(users: 30), [contestant("rules", mute), contestant("learns", [("epochs", "4")])])
        #expect(few.taken == "rules" && few.trials[1].note == "too few questions to tell: 30 of 50", "\(few)")
    }
}
