import ArgumentParser
import Console
import EventStream
import ForeignFormats
import Foundation
import Intake
import Interactions

/// `freshet import`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Other systems' exports: tables, feeds and logs become events, items and users.",
        discussion: """
            The rows go through the same decoding, folding and storing as freshet backfill: a run that was stopped goes on where it was, the
            same file counts once, and a row of which no record can be made is a dead letter with its line. --dry-run shows what is
            understood and stores nothing. Other names of event types are set by ingest.event_types.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var reading: ImportOptions
    @Flag(name: .customLong("dry-run"), help: "Show ten rows, what is understood, what is not, and why; store nothing.") var dryRun = false
    @Flag(name: .customLong("to-kafka"), help: "Send the records to their topics instead of storing them.") var toKafka = false
    @Flag(help: "Print the result as JSON.") var json = false
    @Argument(help: "Files, plain or .gz, or - for standard input.") var files: [String]

    func validate() throws {
        guard files.count(where: { $0 == "-" }) <= 1 else { throw ValidationError("- can be read once: standard input has one end") }
        guard !dryRun || !toKafka else { throw ValidationError("--dry-run sends nothing: leave --to-kafka out") }
    }

    func run() throws {
        let configuration = try options.configuration()
        let rules = try configuration.decodingRules()
        let own = try reading.foreignOptions(rules, now: .now)
        for path in files where path != "-" { try FileStoring.checkReadable(path) }
        let kinds = reading.kind.map { [$0] }
        let parts = files.flatMap { path in (kinds ?? reading.format.kinds(ofFileNamed: path)).map { (path: path, kind: $0) } }
            .sorted { Self.order($0.kind) < Self.order($1.kind) }
        if parts.contains(where: { part in part.path == "-" && parts.count(where: { $0.path == "-" }) > 1 }) {
            throw ValidationError("- is read once, and \(reading.format.rawValue) has records of several kinds: say --kind")
        }
        func file(_ part: (path: String, kind: RecordKind), _ stop: StopSignal) throws -> ForeignFile {
            try ForeignFile(
                path: part.path, format: reading.format, kind: part.kind, encoding: reading.encoding, options: own,
                isStopping: { stop.isRaised })
        }
        if dryRun {
            let stop = StopSignal.onSignals()
            for part in parts where !stop.isRaised {
                let progress = ProgressLine("reading \(part.path)")
                let trial = try ForeignTrial(
                    try file(part, stop), rules: rules, now: .now, isStopping: { stop.isRaised }, progress: { progress.update($0) })
                progress.finish(trial.accepted + trial.refused)
                ImportTelling.tell(trial, defaultCurrency: rules.defaultCurrency, asJSON: json)
            }
            return
        }
        if toKafka { return try send(parts, configuration, rules, file) }
        var storing = try FileStoring(configuration, as: "import")
        let stop = storing.stop
        // Before anything is stored: a column that there is not is found at once.
        let looked = try parts.map { try file($0, stop) }
        for file in looked where storing.goesOn {
            let isPart = parts.count { $0.path == file.path } > 1
            try storing.store(file.path, file.kind, isPart: isPart) { run, progress in try run.run(file, progress: progress) }
        }
        try storing.tell(asJSON: json)
    }

    /// Items and users before what was done with them.
    private static func order(_ kind: RecordKind) -> Int {
        switch kind {
        case .items: 0
        case .users: 1
        case .impressions: 2
        case .events: 3
        }
    }

    private func send(
        _ parts: [(path: String, kind: RecordKind)], _ configuration: Configuration, _ rules: DecodingRules,
        _ file: ((path: String, kind: RecordKind), StopSignal) throws -> ForeignFile
    ) throws {
        let stop = StopSignal.onSignals()
        let started = ContinuousClock.now
        let looked = try parts.map { try file($0, stop) }
        let sending = ForeignSending(
            producer: try StreamProducer(configuration.kafkaSettings, mode: .throughput), topic: configuration.topic(of:),
            deadLetters: configuration.text(.topicsDeadLetters), rules: rules, logger: configuration.logger("import"),
            isStopping: { stop.isRaised })
        for file in looked where !stop.isRaised && sending.totals.damage == nil {
            let progress = ProgressLine("import \(file.path)")
            try sending.send(file, progress: { progress.update($0.sent, note: "\($0.refused) refused") })
            progress.finish(sending.totals.sent, note: "\(sending.totals.refused) refused")
        }
        let failed = try sending.finish()
        let totals = sending.totals
        ResultLine([
            "sent": .integer(totals.sent - failed), "failed": .integer(failed), "rejected": .integer(totals.refused),
            "seconds": .number(started.duration(to: .now).inSeconds),
        ]).print(asJSON: json)
        if totals.refused > 0 {
            let reasons = totals.firstReasons.joined(separator: "; ")
            configuration.logger("import").warning("\(totals.refused) rows became no record and were announced as dead letters; \(reasons)")
        }
        if let damage = totals.damage { throw CommandFailure("\(damage.message) \(totals.sent - failed) records were sent.") }
        if failed > 0 { throw CommandFailure("\(failed) records were not acknowledged by the broker") }
        if totals.sent == 0, totals.refused > 0 { throw CommandFailure("not one row became a record; --dry-run shows why") }
        if stop.isRaised { throw CommandFailure("stopped before the end, after \(totals.sent) records; what was sent is in the topics") }
    }
}
