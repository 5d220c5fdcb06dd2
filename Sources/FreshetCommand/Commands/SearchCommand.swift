import ArgumentParser
import Console
import EventStream
import Evaluation
import Foundation
import Interactions
import Learning
import Tensors
import TrainingFiles
import Yams

/// `freshet search`
struct SearchCommand: ParsableCommand {
    /// How trials get their time.
    enum Method: String, ExpressibleByArgument, CaseIterable {
        case random
        case halving
    }

    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Tries settings of a training and writes the best as a recipe.",
        discussion: """
            Each trial trains on one snapshot of the interactions and is judged on the part that train.holdout holds out. Nothing is
            registered or promoted. Trial 0 is the configuration as it stands. The table of trials lies under artifacts.path; the
            same search started again goes on where it was.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(
        name: .customLong("range"),
        help: ArgumentHelp(
            """
            A setting to search over: train.learning_rate=1e-4..1e-2:log, train.epochs=3..12, train.preset=small,default. May be \
            repeated.
            """,
            valueName: "key=range"))
    var ranges: [String] = []
    @Option(help: ArgumentHelp("The same as YAML: a key and a range, or a list of values, a line.", valueName: "file")) var space: String?
    @Option(help: "random gives each trial a whole training; halving gives many little and the best of them more.")
    var method = Method.halving
    @Option(help: "Trials, the configuration as it stands included.") var trials = 27
    @Option(help: "Halving: one trial in so many goes on.") var keepOneIn = 3
    @Option(help: "Halving: steps.") var rungs = 3
    @Option(help: "Decides which settings are drawn.") var seed: UInt64 = 1
    @Option(help: "No trial goes on after so many minutes.") var minutes: Double?
    @Option(help: "Name of the search's folder under artifacts.path/searches.") var name = "search"
    @Option(help: ArgumentHelp("Write the best recipe there, too.", valueName: "file")) var output: String?
    @Flag(help: "Print the result as JSON.") var json = false

    func validate() throws {
        guard (1...100_000).contains(trials) else { throw ValidationError("--trials takes 1 to 100000, not \(trials)") }
        guard (2...100).contains(keepOneIn) else { throw ValidationError("--keep-one-in takes 2 to 100, not \(keepOneIn)") }
        guard (1...10).contains(rungs) else { throw ValidationError("--rungs takes 1 to 10, not \(rungs)") }
        guard minutes ?? 1 > 0 else { throw ValidationError("--minutes takes a number above 0") }
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D }) else {
            throw ValidationError("--name takes lower-case letters, digits and hyphens, not '\(name)'")
        }
        guard trials == 1 || !ranges.isEmpty || space != nil else {
            throw ValidationError("there is nothing to search over: name --range or --space")
        }
    }

    func run() throws {
        let given = try options.configuration(trainerKeys: true)
        let space = try searchSpace()
        for range in space.ranges {
            // A wrong key or value ends the search before its first trial.
            for share in [0, 0.999] {
                do { _ = try given.setting([(range.key, range.value(at: share))], source: "--range") } catch {
                    throw ValidationError(error.description)
                }
            }
        }
        let stop = StopSignal.onSignals(), folder = given.text(.artifactsPath) + "/searches/" + name
        let until = try asOf.time()
        let (configuration, file) = try Self.chosen(given, folder: folder, until: until, stop: stop)
        let run = SearchRun(
            settings: configuration.learningSettings, configured: { try configuration.setting($0, source: $1).runSettings() },
            recipe: SearchRun.Recipe(
                settings: configuration.recipe, yaml: { try configuration.setting($0, source: $1).recipeYAML }),
            options: SearchRun.Options(
                space: space, plan: SuccessiveHalving(trials: trials, keepOneIn: keepOneIn, rungs: method == .halving ? rungs : 1),
                seed: seed, minutes: minutes),
            machines: configuration.text(.trainDataGate) == "enforce" ? (configuration.dataGate, configuration.userBounds) : nil,
            folder: folder, logger: configuration.logger("search"), stop: stop)
        let found = try run.run { file }
        let recipePath = output ?? folder + "/best.yaml"
        try LineWriter.write(found.recipe, to: recipePath)
        if json {
            StandardOutput.line(line(found, recipePath).json)
        } else {
            words(found, recipePath).forEach(StandardOutput.line)
        }
    }

    /// The file of all trials with the settings that a training would choose for it, kept beside the table, too.
    private static func chosen(
        _ given: Configuration, folder: String, until: EventTime?, stop: StopSignal
    ) throws -> (configuration: Configuration, file: TrainingFile) {
        let path = folder + "/choice.json"
        if given.isAutomatic, let kept = FileManager.default.contents(atPath: path) {
            guard let choice = try? JSONDecoder().decode(ChoiceRecord.self, from: kept) else {
                throw CommandFailure("\(path) cannot be read: remove the folder \(folder), and the search begins anew")
            }
            let configuration = try given.keeping(choice)
            return (configuration, try snapshot(configuration, folder: folder, until: until, stop: stop).file)
        }
        let found = try given.chosen(logger: given.logger("search")) { configuration in
            let (file, ratings) = try snapshot(configuration, folder: folder, until: until, stop: stop, isNew: given.isAutomatic)
            return (file, file.log, ratings)
        }
        if let choice = found.choice { try JSONEncoder().encode(choice).write(to: URL(fileURLWithPath: path), options: .atomic) }
        return (found.configuration, found.kept)
    }

    /// The one training file of all trials: read from the database once, then kept beside the table.
    ///
    /// - Parameter isNew: whether it is read again though there is one.
    private static func snapshot(
        _ configuration: Configuration, folder: String, until: EventTime?, stop: StopSignal, isNew: Bool = false
    ) throws -> (file: TrainingFile, ratings: RatingLook?) {
        let path = folder + "/log.freshet-training"
        var ratings: RatingLook?
        if isNew || !FileManager.default.fileExists(atPath: path) {
            let url = try configuration.databaseURL()
            let progress = ProgressLine("read interactions")
            let read = try SnapshotExport(url: url, configuration: configuration).write(
                to: path, until: until, isStopped: { stop.isRaised }
            ) { progress.update($0) }
            progress.finish(read.interactions)
            ratings = read.ratings
        }
        return (try TrainingFile(path: path), ratings)
    }

    private func searchSpace() throws -> SearchSpace {
        do {
            return SearchSpace(try (space.map(Self.ranges) ?? []) + ranges.map { try SearchRange($0) })
        } catch let error as SearchRange.Malformed {
            throw ValidationError(error.description)
        }
    }

    /// Ranges of a YAML file.
    private static func ranges(at path: String) throws -> [SearchRange] {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8),
            let node = try? Yams.compose(yaml: text), let mapping = node.mapping
        else { throw ValidationError("\(path) is no YAML file of keys and ranges") }
        return try mapping.map { key, value in
            guard let name = key.scalar?.string else { throw ValidationError("\(path): a key must be a plain word") }
            if let list = value.sequence {
                return SearchRange(key: name, values: .choices(list.compactMap { $0.scalar?.string }))
            }
            guard let range = value.scalar?.string else { throw ValidationError("\(path): \(name) takes a range or a list of values") }
            return try SearchRange(key: name, text: range)
        }
    }

    private func line(_ found: SearchRun.Found, _ recipePath: String) -> ResultLine {
        var settings = ResultLine()
        for (key, value) in found.best.settings.sorted(by: { $0.key < $1.key }) { settings.add(key, .text(value)) }
        var line = ResultLine([
            "trials": .integer(found.table.trials.count), "complete": .boolean(!found.isCut), "users": .integer(found.users),
            "best_trial": .integer(found.best.trial), "rung": .integer(found.best.rung), "ndcg@10": .number(found.best.ndcg ?? .nan),
            "settings": .json(settings.json), "recipe": .text(recipePath), "table": .text(found.table.path),
            "seconds": .number(found.table.trials.reduce(0) { $0 + $1.seconds }),
        ])
        if let baseline = found.baseline?.ndcg { line.add("as_it_stands_ndcg@10", .number(baseline)) }
        return line
    }

    private func words(_ found: SearchRun.Found, _ recipePath: String) -> [String] {
        func row(_ trial: SearchTable.Trial) -> String {
            let score = trial.ndcg.map { String(format: "%.4f ± %.4f", $0, trial.standardError ?? 0) } ?? "failed"
            let settings = trial.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            return "rung \(trial.rung)  trial \(trial.trial)  \(score)  \(trial.epochs) epochs  \(Int(trial.seconds)) s  "
                + (trial.trial == 0 ? "as it stands" : settings)
        }
        let ranked = found.table.trials.sorted { ($0.rung, $0.ndcg ?? -1, -$0.trial) > ($1.rung, $1.ndcg ?? -1, -$1.trial) }
        var lines = ranked.prefix(20).map(row)
        if found.isCut { lines.append("Time was up before all trials; the same command goes on.") }
        let best = String(format: "%.4f", found.best.ndcg ?? 0)
        lines.append(
            "best: trial \(found.best.trial), NDCG@10 \(best) over \(found.users) users"
                + (found.baseline?.ndcg.map { String(format: "; as it stands %.4f", $0) } ?? ""))
        lines.append("recipe: \(recipePath), trials: \(found.table.path)")
        return lines
    }
}
