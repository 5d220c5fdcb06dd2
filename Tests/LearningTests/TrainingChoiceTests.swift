import Console
import Evaluation
import Foundation
import Learning
import Testing
import TrainingFiles

/// What a training chooses where its settings are left to it, over a registry and models that are in memory.
extension TrainingRunTests {
    /// A plan that chooses: what was chosen stands in its settings, and the towers go by it as far as they can be small.
    private func automatic(_ plan: inout TrainingPlan, own: [String: String] = [:]) {
        let given = plan
        plan.automatic = AutoPlan(own: own) { values in
            var chosen = given
            for (key, value) in values {
                chosen.settings[key] = value
                if key == "train.positive_ratings_from" { chosen.ratingsFrom = Double(value) }
            }
            return chosen
        }
    }

    /// 250 people who took ten of forty films each, a minute apart and all up to one instant.
    private func films() -> [SmallLog.Event] {
        (0..<250).flatMap { user in
            (0..<10).map { place in
                SmallLog.Event(user: "u\(user)", item: "i\((user * 7 + place * (1 + user % 3)) % 40)", time: Int64(place - 10) * 60_000)
            }
        }
    }

    @Test func whatTheDataLookLikeDecidesWhatNobodySet() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.events = films()
        _ = try run(trainings) { automatic(&$0, own: ["train.preset": "default"]) }
        let choice = try #require(EvaluationRecord(registry: trainings.versions[0].metrics).choice)
        #expect(choice.seen.events == 2_500 && choice.seen.users == 250 && choice.seen.hasMadeUpTimes)
        #expect(choice.decisions.first?.key == "train.holdout" && choice.decisions.first?.why.contains("made up") == true)
        #expect(choice.overruled.map(\.key) == ["train.preset"], "ten events a user would have had the small one")
        let settings = trainings.versions[0].configuration
        #expect(settings.contains(#""train.holdout":"leave-one-out""#) && settings.contains(#""train.epochs":"1""#), "\(settings)")
        #expect(!settings.contains("train.preset"))
    }

    @Test func lowRatingsOfACollectionAreLeftOutBeforeItIsRead() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.events = films()
        trainings.ratings = RatingLook((0..<500).map { Double($0 % 5 + 1) })
        _ = try run(trainings) { automatic(&$0) }
        #expect(trainings.steps.prefix(2) == ["export", "export"] && trainings.likesFrom == 4)
        #expect(trainings.bundles[1]?.ratingsFrom == 4, "and serving leaves them out, too")
        let choice = EvaluationRecord(registry: trainings.versions[0].metrics).choice
        #expect(choice?.decisions.first?.key == "train.positive_ratings_from" && choice?.seen.ratings == trainings.ratings)
        trainings.steps = []
        _ = try run(trainings) { automatic(&$0, own: ["train.positive_ratings_from": "2"]) }
        #expect(trainings.steps.prefix(2) == ["export", "register"] && trainings.likesFrom == nil)
    }

    @Test func aRunThatGoesOnKeepsWhatWasChosen() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.events = films()
        trainings.isAlone = false
        #expect(throws: CommandFailure.self) { try run(trainings) { automatic(&$0) } }
        var state = try #require(folder.read())
        let chosen = try #require(state.choice)
        #expect(chosen.decisions.contains { $0.key == "train.preset" && $0.value == "small" })
        // Whatever a program of today would choose.
        state.choice?.decisions.append(AutoDecision("train.from_before", "7", why: "it was so"))
        try folder.write(state)
        trainings.isAlone = true
        _ = try run(trainings, resuming: true) { automatic(&$0) }
        #expect(trainings.versions[0].configuration.contains(#""train.from_before":"7""#), "\(trainings.versions[0].configuration)")
        #expect(EvaluationRecord(registry: trainings.versions[0].metrics).choice == state.choice)
    }

    /// Settings that are compared: those of the preset `small` learn nothing, those of `default` do.
    private func comparing(_ plan: inout TrainingPlan, seconds: Double = 1e9, own: [String: String] = [:], asked: Asked) {
        plan.learning.holdout.cut = .leaveOneOut
        plan.learning.gate.rivals = .off
        let given = plan
        plan.automatic = AutoPlan(
            own: own, budgetSeconds: seconds,
            now: {
                asked.seconds += 0.01
                return asked.seconds
            }
        ) { values in
            asked.plans += 1
            var chosen = given
            let isSmall = values.contains { $0 == ("train.preset", "small") }
            for key in ["learning_rate", "table_learning_rate"] { try chosen.towers.set(key, isSmall ? "0.000001" : "0.02") }
            try chosen.towers.set("epochs", "6")
            for (key, value) in values { chosen.settings[key] = value }
            return chosen
        }
    }

    /// A clock that a test reads, and how often settings were planned.
    private final class Asked {
        var seconds = 0.0, plans = 0
    }

    private func choice(_ trainings: Trainings, _ version: Int) -> ChoiceRecord? {
        EvaluationRecord(registry: trainings.versions[version - 1].metrics).choice
    }

    @Test func whatIsBetterOnTheHoldoutIsTakenAndKeptByTheNextTraining() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.events = films()
        _ = try run(trainings) { comparing(&$0, asked: Asked()) }
        let first = try #require(choice(trainings, 1)), comparison = try #require(first.comparison)
        #expect(comparison.taken == "default size" && comparison.trials.first?.name == "rules", "\(comparison)")
        let preset = try #require(first.decisions.first { $0.key == "train.preset" })
        #expect(preset.value == "default" && preset.why.hasPrefix("On what was held out the settings of"), "\(preset)")
        #expect(trainings.versions[0].configuration.contains(#""train.preset":"default""#), "\(trainings.versions[0].configuration)")
        let timings = EvaluationRecord(registry: trainings.versions[0].metrics).timings
        #expect(timings?.contains { $0.name == "comparing settings" } == true)

        trainings.versions[0].status = .promoted
        _ = try run(trainings) { comparing(&$0, asked: Asked()) }
        let second = try #require(choice(trainings, 2))
        #expect(second.formerVersion == 1 && second.comparison?.taken == "default size")
        #expect(second.comparison?.trials.map(\.name).prefix(2) == ["default size", "rules"], "\(second)")
        #expect(second.decisions.first { $0.key == "train.preset" }?.why.hasPrefix("kept from version 1: On what was") == true)

        // Without a moment for it nothing is compared, and what was found stays.
        trainings.versions[0].status = .retired
        trainings.versions[1].status = .promoted
        let asked = Asked()
        _ = try run(trainings) { comparing(&$0, seconds: 0, asked: asked) }
        let third = try #require(choice(trainings, 3))
        #expect(third.decisions.first { $0.key == "train.preset" }?.why.hasPrefix("kept from version 2: On what was") == true)
        #expect(third.comparison?.trials.isEmpty == true && asked.plans == 2, "it was looked whether it can be, and planned")
        // What somebody sets wins over all of it.
        _ = try run(trainings) { comparing(&$0, own: ["train.preset": "small"], asked: Asked()) }
        let fourth = try #require(choice(trainings, 4))
        #expect(!fourth.decisions.contains { $0.key == "train.preset" } && fourth.comparison?.taken != "default size")
    }

    @Test func byTheRulesAloneNothingIsCompared() throws {
        defer { clean() }
        let trainings = Trainings(), asked = Asked()
        trainings.events = films()
        _ = try run(trainings) { comparing(&$0, seconds: 0, asked: asked) }
        #expect(choice(trainings, 1)?.comparison == nil && asked.plans == 1)
        #expect(choice(trainings, 1)?.decisions.contains { $0.key == "train.preset" && $0.value == "small" } == true)
    }

    @Test func aRunThatGoesOnComparesNothingTwice() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.events = films()
        trainings.isAlone = false
        #expect(throws: CommandFailure.self) { try run(trainings) { comparing(&$0, asked: Asked()) } }
        let chosen = try #require(folder.read()?.choice), asked = Asked()
        trainings.isAlone = true
        _ = try run(trainings, resuming: true) { comparing(&$0, asked: asked) }
        #expect(choice(trainings, 1) == chosen && asked.plans == 1 && asked.seconds == 0)
        // Killed while it compared: what had ended is in the folder, and the run ends with the same choice.
        trainings.versions[0].status = .refused
        trainings.isAlone = false
        #expect(throws: CommandFailure.self) { try run(trainings) { comparing(&$0, asked: Asked()) } }
        var state = try #require(folder.read())
        let before = try #require(state.choice)
        state.choice = ChoiceRecord(before.seen, own: [:], likes: nil)
        state.stage = .judged
        try folder.write(state)
        trainings.isAlone = true
        let again = Asked()
        _ = try run(trainings, resuming: true) { comparing(&$0, asked: again) }
        #expect(choice(trainings, 2) == before && before.comparison != nil && again.seconds < 0.05, "\(again.seconds)")
    }

    @Test func anIncrementKeepsTheChoiceOfItsBase() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.events = films()
        _ = try run(trainings) { automatic(&$0) }
        let first = EvaluationRecord(registry: trainings.versions[0].metrics).choice
        trainings.versions[0].watermark = #"{"snapshot":"7:7:"}"#
        // What is new: nothing here, so that the training ends where it would learn; its settings are known by then.
        let rules = IncrementTraining.Rules(epochs: 1, rateShare: 0.5, replay: 1, replayLimitEvents: 100, ewc: 0, seed: 1, threads: 1)
        var asked: [[String: String]] = []
        let failure = #expect(throws: CommandFailure.self) {
            try run(trainings) { plan in
                let given = plan
                plan.increment = rules
                plan.automatic = AutoPlan(own: ["train.mask_history": "false"]) { values in
                    asked.append(Dictionary(values.map { ($0.key, $0.value) }) { $1 })
                    var planned = given
                    planned.increment = rules
                    return planned
                }
            }
        }
        #expect(failure?.description.contains("nothing new") == true, "\(failure?.description ?? "")")
        #expect(asked.count == 1 && asked[0]["train.holdout"] == "leave-one-out" && asked[0]["train.dimension"] == "8")
        #expect(asked[0]["train.mask_history"] == nil && asked[0]["train.preset"] == nil && first?.decisions.isEmpty == false)
    }
}
