import Console
import Evaluation
import FeatureStore
import Logging
import TrainingFiles

/// How a training under `train.preset: auto` comes to its settings: by rules on a look at the log, beside the choice of the version in
/// force, and on the held-out part where there is time for it.
struct TrainingChoosing {
    let automatic: AutoPlan
    let models: any RegisteredModels
    let folder: TrainingFolder
    /// Why nothing may be compared; nil where it may.
    let obstacle: String?
    let logger: Logger
    let stop: StopSignal

    /// Whether low ratings are left out, which decides what is read.
    func likes(_ log: TrainingLog, ratings: RatingLook) throws -> AutoDecision? {
        AutoChoice.likes(
            DataLook(timesOf: log), ratings: ratings, own: automatic.own, former: try former(beside: nil).flatMap(\.likes))
    }

    /// What is chosen. A run that was stopped has what it had chosen, and goes on with what it was comparing.
    func choice(_ log: TrainingLog, _ state: inout TrainingFolder.State) throws -> ChoiceRecord {
        let saved = state.choice.flatMap { $0.seen.events > 0 ? $0 : nil }
        let former = try former(beside: saved)
        var choice = saved ?? ChoiceRecord(
            DataLook(log, ratings: state.choice?.seen.ratings), own: automatic.own, likes: state.choice?.decisions.first, former: former)
        if saved == nil || choice.comparison == nil && state.stage == .judged {
            state.choice = choice
            try folder.write(state)
            choice = try compared(choice, on: log, former: former)
            choice.log(to: logger)
            state.choice = choice
            try folder.write(state)
        }
        return choice
    }

    private func compared(_ choice: ChoiceRecord, on log: TrainingLog, former: FormerChoice?) throws -> ChoiceRecord {
        var contestants = choice.contestants(own: automatic.own, former: former)
        if contestants.first?.name != AutoAlternative.rules, (try? contestants.first.map { try automatic.planned($0.values) }) == nil {
            // What was taken then contradicts what somebody has set since.
            contestants = choice.contestants(own: automatic.own, former: nil)
        }
        guard let first = contestants.first, contestants.count > 1 else { return choice }
        guard automatic.budgetSeconds > 0, obstacle == nil else {
            // What was found at another training is kept without asking again.
            guard obstacle != nil || first.name != AutoAlternative.rules else { return choice }
            let why = obstacle.map { "Nothing was compared: \($0)." } ?? "Nothing was compared: train.choice_budget_minutes is 0."
            return choice.judged(
                ChoiceComparison(budgetSeconds: automatic.budgetSeconds, taken: first.name, reason: why), of: contestants)
        }
        let began = automatic.now()
        let comparison = try ChoiceTrials(
            log: log, contestants: contestants,
            planned: {
                let plan = try automatic.planned($0)
                return RunSettings(learning: plan.learning, towers: plan.towers)
            }, budgetSeconds: automatic.budgetSeconds, folder: folder, now: automatic.now, logger: logger, stop: stop
        ).run()
        TrainingJournal(folder).note(step: "comparing settings", seconds: automatic.now() - began)
        return choice.judged(comparison, of: contestants)
    }

    /// The choice of the version in force; of a run that goes on that of the version which was in force when it began.
    private func former(beside saved: ChoiceRecord?) throws -> FormerChoice? {
        var version = try models.promotedModel()
        if let saved { version = try saved.formerVersion.flatMap { try models.model(Int32($0)) } }
        return version.flatMap { version in
            EvaluationRecord(registry: version.metrics).choice.map { FormerChoice(version: Int(version.version), record: $0) }
        }
    }
}
