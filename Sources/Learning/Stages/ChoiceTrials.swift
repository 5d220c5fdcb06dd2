import Bytes
import Console
import Evaluation
import Logging
import Recommending
import TowerModel
import TowerTraining
import TrainingFiles

/// Trains a choice of settings and its alternatives and asks them the held-out questions, within a budget of time.
///
/// Each is trained on a thin log first (one in so many users, always the same ones), which says how fast it is; then all that may still
/// win are trained on as many users as the time left allows, at best on all of them. A trial that would not fit is not begun, and one
/// that turns out slower is given up at the budget's end. Judged are towers and blend: the rest of a model is learned of the same counts
/// whichever the towers are. Every trial that ended is kept in the training's folder, so that a training that goes on runs none twice.
package struct ChoiceTrials {
    /// Events of a thin log, at most about.
    package static let thinEvents = 20_000
    /// Questions of a trial at most.
    static let questionsLimit = 5_000
    /// What a prediction is multiplied by: a trial takes longer than another one now and then.
    private static let caution = 1.15

    /// What is learned from.
    package let log: TrainingLog
    /// The choice, which the others must beat, and the others.
    package let contestants: [AutoAlternative]
    /// How models with their settings are learned, by their names; a failure where settings contradict each other.
    private let settings: [String: Result<RunSettings, any Error>]
    /// Seconds that all trials may take.
    package let budgetSeconds: Double
    /// Events of the thin log that each is trained on first.
    package let thinEvents: Int
    /// Where trials that ended are kept.
    package let folder: TrainingFolder
    /// Seconds since some moment.
    package let now: () -> Double
    /// Hears of every trial.
    package let logger: Logger
    /// Ends the training.
    package let stop: StopSignal

    /// All of it.
    ///
    /// - Parameter planned: how a model with some settings is learned.
    package init(
        log: TrainingLog, contestants: [AutoAlternative],
        planned: (_ values: [(key: String, value: String)]) throws -> RunSettings, budgetSeconds: Double, thinEvents: Int = Self.thinEvents,
        folder: TrainingFolder, now: @escaping () -> Double, logger: Logger, stop: StopSignal
    ) {
        self.log = log
        self.contestants = contestants
        settings = Dictionary(contestants.map { own in (own.name, Result { try planned(own.values) }) }) { first, _ in first }
        self.budgetSeconds = budgetSeconds
        self.thinEvents = thinEvents
        self.folder = folder
        self.now = now
        self.logger = logger
        self.stop = stop
    }

    /// A log of which everybody, or one in so many users, is learned from and asked.
    private struct Part {
        let oneIn: Int
        let log: TrainingLog
        let holdout: Holdout
        let set: TrainingSet
        let rule: ExclusionRule
    }

    /// What was found so far, and the part that is learned from now.
    private struct Course {
        var found: ChoiceFinding
        var part: Part?
    }

    /// Compares.
    ///
    /// - Throws: where the process was asked to stop, or files cannot be written.
    package func run() throws -> ChoiceComparison {
        guard let choice = contestants.first, contestants.count > 1 else {
            return ChoiceComparison(
                budgetSeconds: budgetSeconds, taken: contestants.first?.name ?? AutoAlternative.rules,
                reason: "Nothing else came into question.")
        }
        var course = Course(found: ChoiceFinding(TrialTable(path: folder.trialsPath), choice: choice.name))
        let thin = thinning
        for contestant in contestants {
            // Of the first nothing is known; of the others what their settings make of its time.
            let rate = course.found.table.trial(choice.name, thin)?.seconds ?? 0
            let hasAnswers = try run(contestant, oneIn: thin, expected: rate * max(1, contestant.cost / choice.cost), &course)
            guard hasAnswers || contestant.name != choice.name else { break }
        }
        if thin > 1 { try widen(from: thin, &course) }
        return course.found.comparison(contestants, budgetSeconds: budgetSeconds)
    }

    /// Trains all that may still win on as many users as the time left allows.
    private func widen(from thin: Int, _ course: inout Course) throws {
        let table = course.found.table
        guard let choice = contestants.first, let rate = table.trial(choice.name, thin)?.seconds, course.found.hasEnded(choice.name, thin)
        else { return }
        let lost = course.found.verdict(contestants, thin)?.rows.filter(\.isWorse).map(\.name) ?? []
        let open = contestants.dropFirst().filter { other in
            // What has more to learn may catch up with more users; what is worse with few, and has less to learn, does not.
            course.found.hasEnded(other.name, thin) && (other.appetite > choice.appetite || !lost.contains(other.name))
        }
        var oneIn = 1
        while oneIn < thin {
            let wanted = open.filter { oneIn == 1 || $0.appetite >= choice.appetite }
            let seconds = ([rate] + wanted.compactMap { table.trial($0.name, thin)?.seconds }).reduce(0, +)
            let expected = seconds * Double(thin) / Double(oneIn) * Self.caution
            // What has begun before a kill goes on.
            if !wanted.isEmpty, course.found.seconds + expected <= budgetSeconds || table.trial(choice.name, oneIn) != nil {
                course.found.isTimeDecided = course.found.isTimeDecided || oneIn > 1
                for contestant in [choice] + wanted {
                    let expected = (table.trial(contestant.name, thin)?.seconds ?? rate) * Double(thin) / Double(oneIn)
                    let hasAnswers = try run(contestant, oneIn: oneIn, expected: expected, &course)
                    guard hasAnswers || contestant.name != choice.name else { return }
                }
                return
            }
            oneIn *= 2
        }
        course.found.isTimeDecided = course.found.isTimeDecided || !open.isEmpty
    }

    /// Runs a trial unless it ran before or does not fit. Returns whether it has ended with answers.
    private func run(_ contestant: AutoAlternative, oneIn: Int, expected: Double, _ course: inout Course) throws -> Bool {
        if let done = course.found.table.trial(contestant.name, oneIn) { return done.values != nil }
        guard course.found.seconds + expected * Self.caution <= budgetSeconds, course.found.seconds < budgetSeconds else {
            course.found.isTimeDecided = true
            course.found.skipped[contestant.name] = expected
            return false
        }
        guard let part = try prepared(oneIn, &course) else {
            course.found.problem = "nothing was held out to compare on"
            return false
        }
        let started = now(), left = budgetSeconds - course.found.seconds
        var trial = TrialTable.Trial(name: contestant.name, oneIn: oneIn, seconds: 0)
        do {
            trial.values = try answered(contestant, on: part) { now() - started > left }
            if trial.values == nil {
                trial.failure = ChoiceFinding.cut
                course.found.isTimeDecided = true
            }
        } catch let failure as TrialFailure {
            trial.failure = failure.description
        }
        trial.seconds = now() - started
        try course.found.table.append(trial)
        let mean = trial.values.map { $0.reduce(0, +) / Double(max(1, $0.count)) }
        logger.info(
            "compared",
            metadata: [
                "settings": "\(contestant.name)", "users_one_in": "\(oneIn)", "seconds": "\(Int(trial.seconds.rounded()))",
                "ndcg_at_10": "\(mean.map { decimal($0, places: 4) } ?? trial.failure ?? "")",
            ])
        return trial.values != nil
    }

    /// The part that a trial learns from, made once for all; what that takes is time of the budget, too.
    private func prepared(_ oneIn: Int, _ course: inout Course) throws -> Part? {
        if let part = course.part, part.oneIn == oneIn { return part }
        course.part = nil
        let started = now()
        course.part = try part(oneIn)
        try course.found.table.append(
            TrialTable.Trial(name: ChoiceFinding.preparing, oneIn: oneIn, seconds: now() - started))
        return course.part
    }

    /// Settings that contradict each other: no failure of the training.
    private struct TrialFailure: Error { let description: String }

    /// NDCG@10 of each question; nil where time ran out.
    private func answered(_ contestant: AutoAlternative, on part: Part, isOver: () -> Bool) throws -> [Double]? {
        let settings: RunSettings, trainer: Trainer
        do {
            settings = try self.settings(of: contestant)
            trainer = try Trainer(part.set, configuration: settings.towers)
        } catch {
            throw TrialFailure(description: "its settings cannot be: \(error)")
        }
        while !trainer.isFinished {
            let summary = trainer.runEpoch(now: now, shouldStop: { stop.isRaised || isOver() })
            if stop.isRaised {
                throw CommandFailure("stopped while settings were compared; freshet train --resume goes on from there")
            }
            if summary.isUnfinished || (isOver() && !trainer.isFinished) { return nil }
        }
        let scoring = HoldoutScoring(
            log: part.log, holdout: part.holdout, excludes: part.rule, threads: settings.towers.threads)
        let training = BlendTraining(log: part.log, settings: settings.learning.blend)
        return JudgedRanking(trainer.model(), scoring: scoring, training: training).outcome.perUser
    }

    private func settings(of contestant: AutoAlternative) throws -> RunSettings {
        guard let found = settings[contestant.name] else { preconditionFailure("\(contestant.name) is none of those to compare") }
        return try found.get()
    }

    /// The users of one in so many, whose last ones are held out; nil where nobody would be asked.
    private func part(_ oneIn: Int) throws -> Part? {
        guard let first = contestants.first else { return nil }
        let left = log.userIDs.indices.filter {
            SplitMix64Mixing.mixed(FNV1a.hash(log.userIDs[$0].utf8)) % UInt64(oneIn) != 0
        }
        let thinned = oneIn == 1 ? log : try log.leavingOut(Set(left), columnsAt: folder.columnsPath + "-thin")
        var settings = try self.settings(of: first)
        settings.learning.holdout.usersLimit = min(settings.learning.holdout.usersLimit, Self.questionsLimit)
        guard let holdout = Holdout(settings.learning.holdout, of: thinned), !holdout.questions.isEmpty else { return nil }
        // One for all of them: what is kept out is no matter of towers.
        let rule = settings.learning.decided(thinned, holdout, threads: settings.towers.threads).holdout.excludes
        return Part(
            oneIn: oneIn, log: thinned, holdout: holdout,
            set: try thinned.trainingSet(until: holdout.trainingEnds, columnsAt: folder.columnsPath), rule: rule)
    }

    /// One in so many users has about as many events as a thin log: a power of two, so that who is in a thin log is in a wider one.
    private var thinning: Int {
        var oneIn = 1
        while log.count / oneIn > thinEvents { oneIn *= 2 }
        return oneIn
    }
}
