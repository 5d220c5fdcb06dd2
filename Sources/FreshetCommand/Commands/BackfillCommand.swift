import ArgumentParser
import Console
import FeatureStore
import Foundation
import Intake
import Logging

/// `freshet backfill`
struct BackfillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill",
        abstract: "History from files, through the same decoding, folding and storing as Kafka's records.",
        discussion: """
            Files are JSON Lines, plain or .gz, and are stored in the order items, users, events. A run that was stopped goes on
            where it was; of a file that is stored already, only the lines that were refused are read again, so that the same
            command stores them once the configuration accepts them. A pipe, or - for standard input, is read once, as it comes, and
            cannot be gone on with: given again, its events count once by their event_id, else by their content and line.
            Status 1 where not one line of a file was accepted.
            """)

    @OptionGroup var options: GlobalOptions
    @Option(help: "Item records; may be repeated.") var items: [String] = []
    @Option(help: "User records; may be repeated.") var users: [String] = []
    @Option(help: "Events; may be repeated.") var events: [String] = []
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
        let files = items.map { ($0, RecordKind.items) } + users.map { ($0, .users) } + events.map { ($0, .events) }
        guard !files.isEmpty else {
            throw ValidationError("nothing to do: name files with --items, --users or --events")
        }
        guard files.count(where: { $0.0 == "-" }) <= 1 else { throw ValidationError("- can be read once: standard input has one end") }
        let configuration = try options.configuration()
        let stop = StopSignal.onSignals()
        let settings = try configuration.ingestSettings()
        try Migrator(url: settings.databaseURL).check()
        // Before anything is stored: a name that is wrong is found at once.
        for (path, _) in files where path != "-" { try Self.checkReadable(path) }
        let store = try IngestStore(url: settings.databaseURL, rules: settings.featureRules)
        let logger = configuration.logger("backfill")
        let run = BackfillRun(store: store, settings: settings, logger: logger, isStopping: { stop.isRaised })
        let started = ContinuousClock.now
        var sum = BackfillSum()
        for (path, kind) in files where !stop.isRaised && sum.damage == nil {
            let name = path == "-" ? "standard input" : URL(fileURLWithPath: path).lastPathComponent
            let progress = ProgressLine("backfill \(name)")
            func note(_ totals: BackfillRun.Totals) -> String {
                let what = switch kind {
                case .items: "\(totals.items) changed"
                case .users: "\(totals.users) changed"
                default: "\(totals.stored) stored"
                }
                return "\(what), \(totals.rejected) rejected"
            }
            let totals = try run.run(path: path, kind: kind, progress: { progress.update($0.lines, note: note($0)) })
            progress.finish(totals.lines, note: note(totals))
            sum.add(totals, of: path, wasStopped: stop.isRaised, told: logger)
        }
        sum.line(seconds: started.duration(to: .now).inSeconds).print(asJSON: json)
        if let damage = sum.damage { throw CommandFailure("\(damage.message) What was whole before is stored.") }
        if stop.isRaised { throw CommandFailure("stopped before the end; the next run goes on from here, but a pipe begins anew") }
        if !sum.refusedFiles.isEmpty {
            throw CommandFailure(
                "not one line of \(sum.refusedFiles.joined(separator: ", ")) was accepted: freshet dead-letters list shows the reasons")
        }
    }

    private static func checkReadable(_ path: String) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw CommandFailure("\(path): is a directory. Name the files in it.")
        }
        guard access(path, R_OK) == 0 else {
            throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))")
        }
    }
}
