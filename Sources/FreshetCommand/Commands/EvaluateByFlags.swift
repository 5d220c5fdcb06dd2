import ArgumentParser
import Console
import FeatureStore
import Foundation
import Interactions
import Learning
import ModelArtifacts
import Reports

/// `freshet evaluate` with flags, as it was before each protocol had a subcommand: scripts that use them go on, and hear the new form.
struct EvaluateByFlags: AsyncParsableCommand {
    /// How the question is put.
    enum Question: String, ExpressibleByArgument, CaseIterable {
        case timeSplit = "time-split"
        case leaveOneOut = "leave-one-out"
        case replay
        case itemCold = "item-cold"
        case userCold = "user-cold"
        case categoryFewShot = "category-few-shot"
        case tailCurve = "tail-curve"

        /// The subcommand that it is now.
        var subcommand: String {
            switch self {
            case .timeSplit: "holdout"
            case .categoryFewShot: "few-shot"
            case .tailCurve: "tail"
            default: rawValue
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "by-flags", abstract: "The protocol as a flag: --protocol and what belongs to it.", shouldDisplay: false)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted
    @Option(
        name: .customLong("protocol"),
        help: """
            time-split, leave-one-out, replay, item-cold: items treated as new are ranked by models trained without them, user-cold: users \
            treated as new are asked with 0 to 10 interactions, category-few-shot: categories treated as new are adapted to, or \
            tail-curve: what each setting for rare items gives and costs.
            """
    ) var question: Question?
    @Option(help: "Share of the newest interactions that a time split holds out, in percent.") var percent = 10.0
    @Option(
        help: ArgumentHelp(
            """
            Replay the events after this time: RFC 3339, or milliseconds since 1970. Without it, those after the newest that the model may \
            have learned.
            """,
            valueName: "time"))
    var from: String?
    @Option(help: ArgumentHelp("Replay the events of this file, JSON Lines, plain or .gz, instead of stored ones.", valueName: "file"))
    var events: String?
    @Option(help: "Replay so many events at most.") var maxEvents: Int?
    @Option(
        help: ArgumentHelp(
            "With replay: train again after each so long slice of the events' time, beside the model as it is: 12h, 1d, 7d.",
            valueName: "time"))
    var retrainEvery: String?
    @Option(help: ArgumentHelp("With --retrain-every: incremental, full, or both, which compares them.", valueName: "kind"))
    var retrain = "incremental"
    @Flag(
        help: """
            With --retrain-every: incremental trainings go on with the optimizer's state of the one before, to see what that is worth.
            """)
    var keepOptimizer = false
    @Option(help: "Share of the items that item-cold treats as new, in percent.") var newItems = 20.0
    @Flag(help: "With item-cold: the newest items, instead of random ones.") var newest = false
    @Option(help: "Rounds of item-cold, user-cold, category-few-shot and tail-curve, each with another seed.") var seeds = 3
    @Option(help: "Parts of the users by a hash of their ids; user-cold treats one as new in each round.") var folds = 5
    @Option(help: "Interactions before the last question of user-cold, one of 0, 1, 2, 5, 10; users with fewer are not asked.")
    var longestHistory = 10
    @Option(
        name: .customLong("values"),
        help: ArgumentHelp(
            "With tail-curve: only this setting, and those of further --values, at these values, such as train.tail_beta=0.9,0.99.",
            valueName: "key=list"))
    var tailValues: [String] = []
    @Option(help: "With tail-curve: epochs of a training instead of train.epochs.") var epochs: Int?
    @Option(help: "Half-life of the recent popularity that a replay compares with.") var halfLifeDays = 7.0
    @Option(help: ArgumentHelp("Write the result as a page of HTML, too.", valueName: "file")) var report: String?
    @Flag(help: "Print the result as JSON.") var json = false

    func validate() throws {
        guard percent > 0, percent < 100 else { throw ValidationError("--percent takes a number between 0 and 100, not \(percent)") }
        guard newItems > 0, newItems < 100 else { throw ValidationError("--new-items takes a number between 0 and 100, not \(newItems)") }
        guard (1...100).contains(seeds) else { throw ValidationError("--seeds takes 1 to 100, not \(seeds)") }
        guard (2...100).contains(folds) else { throw ValidationError("--folds takes 2 to 100, not \(folds)") }
        guard question != .userCold || seeds <= folds else {
            throw ValidationError("--seeds \(seeds) takes at least as many --folds, not \(folds): each round has other new users")
        }
        guard UserColdCut.historyLengths.contains(longestHistory) else {
            throw ValidationError("--longest-history takes one of \(UserColdCut.historyLengths), not \(longestHistory)")
        }
        if question != .tailCurve, !tailValues.isEmpty || epochs != nil {
            throw ValidationError("--values and --epochs belong to --protocol tail-curve")
        }
        guard (1...10_000).contains(epochs ?? 1) else { throw ValidationError("--epochs takes 1 to 10000, not \(epochs ?? 0)") }
        for text in tailValues where TailSetting.parse(text) == nil {
            throw ValidationError(TailSetting.refusal(of: text))
        }
        guard maxEvents ?? 1 > 0 else { throw ValidationError("--max-events takes 1 or more") }
        guard (0.001...36_500).contains(halfLifeDays) else {
            throw ValidationError("--half-life-days takes 0.001 to 36500, not \(halfLifeDays)")
        }
        if let retrainEvery {
            guard question == .replay else { throw ValidationError("--retrain-every belongs to --protocol replay") }
            guard EvaluationRuns.milliseconds(retrainEvery) != nil else {
                throw ValidationError("--retrain-every takes a time such as 90m, 12h, 1d, not \(retrainEvery)")
            }
        }
        guard kinds != nil else { throw ValidationError("--retrain takes incremental, full or both, not \(retrain)") }
        if question != .replay, from != nil || events != nil || maxEvents != nil {
            throw ValidationError("--from, --events and --max-events belong to --protocol replay")
        }
    }

    private var kinds: [RetrainedRanker.Kind]? {
        retrain == "both" ? [.full, .incremental] : RetrainedRanker.Kind(rawValue: retrain).map { [$0] }
    }

    func run() async throws {
        if let named = question {
            StandardError.write("freshet evaluate --protocol \(named.rawValue) is freshet evaluate \(named.subcommand) now\n")
        }
        let runs = EvaluationRuns(options: options, until: try asOf.time(), json: json, report: report)
        switch question ?? .timeSplit {
        case .timeSplit: try runs.split(model, share: percent / 100)
        case .leaveOneOut: try runs.split(model, share: nil)
        case .replay:
            try await runs.replay(
                model,
                ReplayRun.Options(
                    from: try AsOfOption.time(from, of: "--from"), eventsLimit: maxEvents ?? .max, file: events, halfLifeDays: halfLifeDays,
                    retrainEvery: retrainEvery.flatMap(EvaluationRuns.milliseconds), retrain: retrainEvery == nil ? [] : kinds ?? [],
                    keepsOptimizer: keepOptimizer))
        case .itemCold: try runs.itemCold(ColdRun.Options(percent: newItems, newest: newest, seeds: seeds))
        case .userCold: try runs.userCold(UserColdRun.Options(folds: folds, rounds: seeds, longestHistory: longestHistory))
        case .categoryFewShot: try runs.fewShot(FewShotRun.Options(seeds: seeds))
        case .tailCurve: try runs.tail(tailValues, epochs: epochs, seeds: seeds)
        }
    }
}
