import Console
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging

/// Files that `backfill` and `import` store, one after the other: each with its progress, and at the end what became of them.
struct FileStoring {
    /// Raised where a signal asks for an end.
    let stop = StopSignal.onSignals()
    private let run: BackfillRun
    private let command: String
    private let logger: Logger
    private let started = ContinuousClock.now
    private var sum = BackfillSum()

    /// Opens the database, whose schema must be the newest.
    ///
    /// - Parameter command: what the one who waits has called: `backfill`.
    init(_ configuration: Configuration, as command: String) throws {
        let settings = try configuration.ingestSettings()
        try Migrator(url: settings.databaseURL).check()
        let store = try IngestStore(url: settings.databaseURL, rules: settings.featureRules, patches: settings.patches)
        self.command = command
        logger = configuration.logger(command)
        run = BackfillRun(store: store, settings: settings, logger: logger, isStopping: { [stop] in stop.isRaised })
    }

    /// Whether the next file is to be read: nobody asked for an end, and no file was damaged.
    var goesOn: Bool { !stop.isRaised && sum.damage == nil }

    /// Stores one file by `body`, which is given what to report to.
    ///
    /// - Parameter isPart: whether records of other kinds in the same file are stored beside.
    mutating func store(
        _ path: String, _ kind: RecordKind, isPart: Bool = false,
        _ body: (BackfillRun, (BackfillRun.Totals) -> Void) throws -> BackfillRun.Totals
    ) throws {
        let name = path == "-" ? "standard input" : URL(fileURLWithPath: path).lastPathComponent
        let progress = ProgressLine("\(command) \(name)")
        func note(_ totals: BackfillRun.Totals) -> String {
            let what = switch kind {
            case .items: "\(totals.items) changed"
            case .users: "\(totals.users) changed"
            default: "\(totals.stored) stored"
            }
            return "\(what), \(totals.rejected) rejected"
        }
        let totals = try body(run) { progress.update($0.lines, note: note($0)) }
        progress.finish(totals.lines, note: note(totals))
        sum.add(totals, of: path, isPart: isPart, wasStopped: stop.isRaised, told: logger)
    }

    /// Prints the result.
    ///
    /// - Throws: `CommandFailure` where a file was damaged, refused whole, or an end was asked for.
    func tell(asJSON json: Bool) throws {
        sum.line(seconds: started.duration(to: .now).inSeconds).print(asJSON: json)
        if let damage = sum.damage { throw CommandFailure("\(damage.message) What was whole before is stored.") }
        if stop.isRaised { throw CommandFailure("stopped before the end; the next run goes on from here, but a pipe begins anew") }
        if !sum.refusedFiles.isEmpty {
            throw CommandFailure(
                "not one line of \(sum.refusedFiles.joined(separator: ", ")) was accepted: freshet dead-letters list shows the reasons")
        }
    }

    /// Refuses what is no file that can be read.
    static func checkReadable(_ path: String) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw CommandFailure("\(path): is a directory. Name the files in it.")
        }
        guard access(path, R_OK) == 0 else {
            throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))")
        }
    }
}
