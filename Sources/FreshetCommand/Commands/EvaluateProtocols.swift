import ArgumentParser
import Console
import Learning
import Reports

extension EvaluateCommand {
    /// Every protocol, as the help lists them.
    static var protocols: [any ParsableCommand.Type] {
        [Holdout.self, LeaveOneOut.self, Replay.self, ItemCold.self, UserCold.self, FewShot.self, Tail.self]
    }

    /// `freshet evaluate replay`
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A stream in the order of time: predicted, by the model as it serves, then learned.")
        @OptionGroup var common: Common
        @OptionGroup var asked: Asked
        @OptionGroup var page: Page
        @Option(
            help: ArgumentHelp(
                """
                The events after this time: RFC 3339, or milliseconds since 1970. Without it, those after the newest that the model may \
                have learned.
                """,
                valueName: "time"))
        var from: String?
        @Option(help: ArgumentHelp("The events of this file, JSON Lines, plain or .gz, instead of stored ones.", valueName: "file"))
        var events: String?
        @Option(help: "So many events at most.") var maxEvents: Int?
        @Option(
            help: ArgumentHelp(
                "Train again after each so long slice of the events' time, beside the model as it is: 12h, 1d, 7d.", valueName: "time"))
        var retrainEvery: String?
        @Option(help: ArgumentHelp("With --retrain-every: incremental, full, or both, which compares them.", valueName: "kind"))
        var retrain = "incremental"
        @Flag(help: "With --retrain-every: incremental trainings go on with the optimizer's state of the one before.")
        var keepOptimizer = false
        @Option(help: "Half-life of the recent popularity that is compared with.") var halfLifeDays = 7.0

        private var kinds: [RetrainingReport.Kind]? {
            retrain == "both" ? [.full, .incremental] : RetrainingReport.Kind(rawValue: retrain).map { [$0] }
        }

        func validate() throws {
            guard maxEvents ?? 1 > 0 else { throw ValidationError("--max-events takes 1 or more") }
            guard (0.001...36_500).contains(halfLifeDays) else {
                throw ValidationError("--half-life-days takes 0.001 to 36500, not \(halfLifeDays)")
            }
            guard retrainEvery.map({ EvaluationRuns.milliseconds($0) != nil }) ?? true else {
                throw ValidationError("--retrain-every takes a time such as 90m, 12h, 1d, not \(retrainEvery ?? "")")
            }
            guard kinds != nil else { throw ValidationError("--retrain takes incremental, full or both, not \(retrain)") }
        }

        func run() async throws {
            try await common.runs(report: page.report).replay(
                asked.model,
                ReplayRun.Options(
                    from: try AsOfOption.time(from, of: "--from"), eventsLimit: maxEvents ?? .max, file: events, halfLifeDays: halfLifeDays,
                    retrainEvery: retrainEvery.flatMap(EvaluationRuns.milliseconds), retrain: retrainEvery == nil ? [] : kinds ?? [],
                    keepsOptimizer: keepOptimizer))
        }
    }

    /// `freshet evaluate item-cold`
    struct ItemCold: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "item-cold", abstract: "Items treated as new are ranked by models trained without them.")
        @OptionGroup var common: Common
        @Option(help: "Share of the items that is treated as new, in percent.") var newItems = 20.0
        @Flag(help: "The newest items, instead of random ones.") var newest = false
        @Option(help: "Rounds, each with another seed.") var seeds = 3

        func validate() throws {
            guard newItems > 0, newItems < 100 else {
                throw ValidationError("--new-items takes a number between 0 and 100, not \(newItems)")
            }
            try EvaluateCommand.check(seeds: seeds)
        }

        func run() throws { try common.runs().itemCold(ColdRun.Options(percent: newItems, newest: newest, seeds: seeds)) }
    }

    /// `freshet evaluate user-cold`
    struct UserCold: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "user-cold", abstract: "Users treated as new are asked with 0 to 10 interactions.")
        @OptionGroup var common: Common
        @Option(help: "Parts of the users by a hash of their ids; one is treated as new in each round.") var folds = 5
        @Option(help: "Rounds, each with other new users.") var seeds = 3
        @Option(help: "Interactions before the last question, one of 0, 1, 2, 5, 10; users with fewer are not asked.")
        var longestHistory = 10

        func validate() throws {
            try EvaluateCommand.check(seeds: seeds)
            guard (2...100).contains(folds) else { throw ValidationError("--folds takes 2 to 100, not \(folds)") }
            guard seeds <= folds else {
                throw ValidationError("--seeds \(seeds) takes at least as many --folds, not \(folds): each round has other new users")
            }
            guard UserColdCut.historyLengths.contains(longestHistory) else {
                throw ValidationError("--longest-history takes one of \(UserColdCut.historyLengths), not \(longestHistory)")
            }
        }

        func run() throws {
            try common.runs().userCold(UserColdRun.Options(folds: folds, rounds: seeds, longestHistory: longestHistory))
        }
    }

    /// `freshet evaluate few-shot`
    struct FewShot: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "few-shot", abstract: "Categories treated as new are adapted to from a few events.")
        @OptionGroup var common: Common
        @Option(help: "Rounds, each with another seed.") var seeds = 3

        func validate() throws { try EvaluateCommand.check(seeds: seeds) }
        func run() throws { try common.runs().fewShot(FewShotRun.Options(seeds: seeds)) }
    }

    /// `freshet evaluate tail`
    struct Tail: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What each setting for rare items gives and costs.")
        @OptionGroup var common: Common
        @OptionGroup var page: Page
        @Option(
            name: .customLong("values"),
            help: ArgumentHelp(
                "Only this setting, and those of further --values, at these values, such as train.tail_beta=0.9,0.99.",
                valueName: "key=list"))
        var values: [String] = []
        @Option(help: "Epochs of a training instead of train.epochs.") var epochs: Int?
        @Option(help: "Rounds, each with another seed.") var seeds = 3

        func validate() throws {
            try EvaluateCommand.check(seeds: seeds)
            guard (1...10_000).contains(epochs ?? 1) else { throw ValidationError("--epochs takes 1 to 10000, not \(epochs ?? 0)") }
            for text in values where TailSetting.parse(text) == nil { throw ValidationError(TailSetting.refusal(of: text)) }
        }

        func run() throws { try common.runs(report: page.report).tail(values, epochs: epochs, seeds: seeds) }
    }

    private static func check(seeds: Int) throws {
        guard (1...100).contains(seeds) else { throw ValidationError("--seeds takes 1 to 100, not \(seeds)") }
    }
}

extension TailSetting {
    /// What is said of a text that names no setting with values.
    static func refusal(of text: String) -> String {
        let names = allCases.map(\.rawValue).joined(separator: ", ")
        return "--values takes one of \(names), =, and numbers above 0 with commas, not '\(text)'"
    }
}
