import ArgumentParser
import FeatureStore
import Foundation
import Intake

/// `freshet backfill`
struct BackfillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill",
        abstract: "History from files, through the same decoding, folding and storing as Kafka's records.",
        discussion: """
            Files are JSON Lines, plain or .gz, and are stored in the order items, users, events. A run that was stopped goes on
            where it was; a file that is stored already changes nothing.
            """)

    @OptionGroup var options: GlobalOptions
    @Option(help: "Item records; may be repeated.") var items: [String] = []
    @Option(help: "User records; may be repeated.") var users: [String] = []
    @Option(help: "Events; may be repeated.") var events: [String] = []
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
        guard !(items + users + events).isEmpty else {
            throw ValidationError("nothing to do: name files with --items, --users or --events")
        }
        let configuration = try options.configuration()
        let stop = StopSignal.onSignals()
        let settings = try configuration.ingestSettings()
        try Migrator(url: settings.databaseURL).check()
        let store = try IngestStore(url: settings.databaseURL, rules: settings.featureRules)
        let run = BackfillRun(
            store: store, settings: settings, logger: configuration.logger("backfill"), isStopping: { stop.isRaised })
        let started = ContinuousClock.now
        var sum = BackfillRun.Totals()
        for (paths, kind) in [(items, RecordKind.items), (users, .users), (events, .events)] {
            for path in paths where !stop.isRaised {
                let progress = ProgressLine("backfill \(URL(fileURLWithPath: path).lastPathComponent)")
                func note(_ totals: BackfillRun.Totals) -> String { "\(totals.stored) stored, \(totals.rejected) rejected" }
                let totals = try run.run(path: path, kind: kind, progress: { progress.update($0.lines, note: note($0)) })
                progress.finish(totals.lines, note: note(totals))
                sum.lines += totals.lines - totals.resumedAt
                sum.stored += totals.stored
                sum.duplicates += totals.duplicates
                sum.rejected += totals.rejected
                sum.items += totals.items
                sum.users += totals.users
                sum.resumedAt += totals.resumedAt
            }
        }
        ResultLine([
            "lines": .integer(sum.lines), "known_lines": .integer(sum.resumedAt), "stored": .integer(sum.stored),
            "duplicates": .integer(sum.duplicates), "items": .integer(sum.items), "users": .integer(sum.users),
            "rejected": .integer(sum.rejected), "seconds": .number(started.duration(to: .now).inSeconds),
        ]).print(asJSON: json)
        if stop.isRaised { throw CommandFailure("stopped before the end; the next run goes on from here") }
    }
}
