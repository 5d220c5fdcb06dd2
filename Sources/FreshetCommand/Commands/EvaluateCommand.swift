import ArgumentParser
import FeatureStore
import Foundation
import Interactions
import ModelArtifacts

/// `freshet evaluate`
struct EvaluateCommand: AsyncParsableCommand {
    /// How the question is put.
    enum Question: String, ExpressibleByArgument, CaseIterable {
        case timeSplit = "time-split"
        case leaveOneOut = "leave-one-out"
        case replay
        case itemCold = "item-cold"
    }

    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Offline metrics of a model beside simple rivals, with popular, rare and new items apart.",
        discussion: """
            The whole catalogue is ranked. With time-split and leave-one-out the model may have learned from the part that is held
            out here: the result says from which time on it has not. With replay the events after --from are walked in the order of
            time: each is predicted, by the model as it serves and by rivals, and then learned. docs/evaluation.md says more.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted
    @Option(name: .customLong("protocol"), help: "time-split, leave-one-out, replay, or item-cold: items treated as new are ranked by models trained without them.") var question = Question.timeSplit
    @Option(help: "Share of the newest interactions that a time split holds out, in percent.") var percent = 10.0
    @Option(
        help: ArgumentHelp(
            "Replay the events after this time: RFC 3339, or milliseconds since 1970. Without it, those after the newest that the model may have learned.",
            valueName: "time"))
    var from: String?
    @Option(help: ArgumentHelp("Replay the events of this file, JSON Lines, plain or .gz, instead of stored ones.", valueName: "file"))
    var events: String?
    @Option(help: "Replay so many events at most.") var maxEvents: Int?
    @Option(help: "Share of the items that item-cold treats as new, in percent.") var newItems = 20.0
    @Flag(help: "With item-cold: the newest items, instead of random ones.") var newest = false
    @Option(help: "Trainings of item-cold, each with another seed.") var seeds = 3
    @Option(help: "Half-life of the recent popularity that a replay compares with.") var halfLifeDays = 7.0
    @Option(help: ArgumentHelp("Write the result as a page of HTML, too.", valueName: "file")) var report: String?
    @Flag(help: "Print the result as JSON.") var json = false

    func validate() throws {
        guard percent > 0, percent < 100 else { throw ValidationError("--percent takes a number between 0 and 100, not \(percent)") }
        guard newItems > 0, newItems < 100 else { throw ValidationError("--new-items takes a number between 0 and 100, not \(newItems)") }
        guard (1...100).contains(seeds) else { throw ValidationError("--seeds takes 1 to 100, not \(seeds)") }
        guard maxEvents ?? 1 > 0 else { throw ValidationError("--max-events takes 1 or more") }
        guard (0.001...36_500).contains(halfLifeDays) else {
            throw ValidationError("--half-life-days takes 0.001 to 36500, not \(halfLifeDays)")
        }
        if question != .replay, from != nil || events != nil || maxEvents != nil {
            throw ValidationError("--from, --events and --max-events belong to --protocol replay")
        }
    }

    func run() async throws {
        let configuration = try options.configuration()
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
        if question == .itemCold {
            // It trains its own models: none needs to be registered.
            let run = ColdRun(
                configuration: configuration, url: url, until: try asOf.time(),
                options: ColdRun.Options(percent: newItems, newest: newest, seeds: seeds))
            let found = try run.run()
            StandardOutput.line(json ? found.json : found.lines.joined(separator: "\n"))
            return
        }
        let version = try model.find(in: store)
        switch question {
        case .itemCold: break
        case .replay:
            let options = ReplayRun.Options(
                from: try AsOfOption.time(from, of: "--from"), eventsLimit: maxEvents ?? .max, file: events, halfLifeDays: halfLifeDays)
            let found = try await ReplayRun(configuration: configuration, url: url, store: store, options: options).run(version)
            if let report { try TrainingReport.write(found.page, to: report) }
            if json { StandardOutput.line(found.json) } else { found.lines.forEach(StandardOutput.line) }
        case .timeSplit, .leaveOneOut:
            let run = SplitRun(
                configuration: configuration, url: url, until: try asOf.time(), share: question == .timeSplit ? percent / 100 : nil)
            let found = try run.run(version)
            if let report { try TrainingReport.write(found.page, to: report) }
            if json { StandardOutput.line(found.json) } else { found.lines.forEach(StandardOutput.line) }
        }
    }
}
