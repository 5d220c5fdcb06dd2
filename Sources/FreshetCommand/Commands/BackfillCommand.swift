import ArgumentParser
import Intake
import Interactions

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
        var storing = try FileStoring(try options.configuration(), as: "backfill")
        // Before anything is stored: a name that is wrong is found at once.
        for (path, _) in files where path != "-" { try FileStoring.checkReadable(path) }
        for (path, kind) in files where storing.goesOn {
            try storing.store(path, kind) { run, progress in try run.run(path: path, kind: kind, progress: progress) }
        }
        try storing.tell(asJSON: json)
    }
}
