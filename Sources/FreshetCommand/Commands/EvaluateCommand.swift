import ArgumentParser
import FeatureStore
import Foundation
import ModelArtifacts

/// `freshet evaluate`
struct EvaluateCommand: ParsableCommand {
    /// How the question is put.
    enum Question: String, ExpressibleByArgument, CaseIterable {
        case timeSplit = "time-split"
        case leaveOneOut = "leave-one-out"
    }

    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Offline metrics of a model on a held-out part of what is stored, with head, tail and cold apart.",
        discussion: """
            The whole catalogue is ranked. A model may have learned from the part that is held out here: the result says from
            which time on it has not.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted
    @Option(name: .customLong("protocol"), help: "time-split or leave-one-out.") var question = Question.timeSplit
    @Option(help: "Share of the newest interactions that a time split holds out, in percent.") var percent = 10.0
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
        guard percent > 0, percent < 100 else { throw ValidationError("--percent takes a number between 0 and 100, not \(percent)") }
        let configuration = try options.configuration()
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
        let version = try model.find(in: store)
        let towers = try ArtifactStore(root: configuration.text("artifacts.path"))
            .model(of: version)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-evaluate-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try SnapshotExport(url: url, configuration: configuration).write(to: path, until: try asOf.time()) { _ in }
        let log = try TrainingFile(path: path).log
        let excludes = Set(configuration.excludedTypes.map(\.rawValue))
        let users = configuration.integer("train.evaluation_users")
        let holdout: Holdout =
            switch question {
            case .timeSplit: .newest(share: percent / 100, of: log, excludes: excludes, maxUsers: users)
            case .leaveOneOut: .leaveOneOut(of: log, excludes: excludes, maxUsers: users)
            }
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludes, threads: 2)
        let outcome = scoring.score(towers)
        let popularity = scoring.scorePopularity()
        let recent = scoring.scoreRecentPopularity()
        if json {
            ResultLine([
                "version": .integer(Int(version.version)), "split": .text(holdout.description),
                "model": .json(outcome.report.json), "popularity": .json(popularity.report.json),
                "recent_popularity": .json(recent.report.json), "trained_on": .json(version.watermark),
            ]).print(asJSON: true)
            return
        }
        StandardOutput.line("version \(version.version), \(holdout.description), \(holdout.questions.count) users")
        StandardOutput.line("                     NDCG@10  Recall@10 Recall@100  coverage  head    tail    cold")
        for (name, report) in [("model", outcome.report), ("popularity", popularity.report), ("recent popularity", recent.report)] {
            var line = name.padding(toLength: 20, withPad: " ", startingAt: 0)
            for value in [report["NDCG@10"], report["Recall@10"], report["Recall@100"], report.coverageAt10] {
                line += String(format: " %8.4f", value)
            }
            for slice in ["head", "tail", "cold"] {
                line += report.slices[slice].map { String(format: "  %6.4f", $0.metrics["NDCG@10"]?.mean ?? 0) } ?? "       –"
            }
            StandardOutput.line(line)
        }
        StandardOutput.line("The model may have learned from what is held out, up to \(version.watermark.prefix(120))…")
    }
}
