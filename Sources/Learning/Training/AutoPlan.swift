import Console
import Evaluation
import Logging
import TowerModel

/// How a plan is finished once the data have been seen: `train.preset: auto`.
package struct AutoPlan {
    /// What somebody set, by key, as text: it wins over what is chosen.
    package var own: [String: String]
    /// Seconds that alternatives may be compared for on the held-out part; 0 where the rules alone decide.
    package var budgetSeconds: Double
    /// Seconds since some moment.
    package var now: () -> Double
    /// The plan with the settings that were chosen.
    package var planned: (_ values: [(key: String, value: String)]) throws -> TrainingPlan

    /// All of it.
    package init(
        own: [String: String], budgetSeconds: Double = 0, now: @escaping () -> Double = Self.clock(),
        planned: @escaping (_ values: [(key: String, value: String)]) throws -> TrainingPlan
    ) {
        self.own = own
        self.budgetSeconds = budgetSeconds
        self.now = now
        self.planned = planned
    }

    /// Seconds from now on.
    package static func clock() -> () -> Double {
        let began = ContinuousClock.now
        return { began.duration(to: .now).inSeconds }
    }

    /// The choice of a model that an increment goes on from, with the settings of its towers, which stay as they are.
    func kept(
        of model: TwoTowerModel, _ choice: ChoiceRecord?, version: Int
    ) -> (choice: ChoiceRecord?, values: [(key: String, value: String)]) {
        var values: [(key: String, value: String)] = []
        for (key, value) in model.configuration.settings where !IncrementStages.freeSettings.contains(key) && own["train." + key] == nil {
            values.append(("train." + key, value))
        }
        guard var choice else { return (nil, values) }
        choice.baseVersion = version
        choice.decisions.removeAll { own[$0.key] != nil }
        // Its passes and its preset were those of a full training.
        let passing: Set = ["train.preset", "train.epochs", "train.batch_size", "train.precision"]
        let named = Set(values.map(\.key))
        return (choice, values + choice.values.filter { !named.contains($0.key) && !passing.contains($0.key) })
    }
}

extension ChoiceRecord {
    /// A line of what was chosen, and one of each reason.
    package func log(to logger: Logger) {
        logger.notice(
            "preset auto: chosen by what the data look like",
            metadata: Logger.Metadata(uniqueKeysWithValues: decisions.map { ($0.key, "\($0.value)") }))
        for decision in decisions { logger.info("\(decision.key) is \(decision.value): \(decision.why)") }
        for decision in overruled { logger.info("\(decision.key) is \(decision.value): \(decision.why)") }
        for sentence in advice { logger.info("\(sentence)") }
        if let comparison { logger.info("\(comparison.reason)", metadata: ["seconds": "\(Int(comparison.seconds.rounded()))"]) }
    }
}
