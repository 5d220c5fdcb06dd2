import ArgumentParser
import Console
import FeatureStore
import Foundation
import Intake
import Interactions
import Learning

/// `freshet dead-letters`
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Rejected records, with their reasons.",
        subcommands: [List.self, Show.self, DeadLettersReplay.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rejected records, newest first.")
        @OptionGroup var options: GlobalOptions
        @Option(help: "Only those with this reason.") var code: String?
        @Option(help: "At most so many.") var limit = 100
        @Option(help: "Only those with a smaller id: the next page.") var before: Int64?
        @Flag(help: "Print as JSON Lines.") var json = false

        func validate() throws {
            guard limit >= 1 else { throw ValidationError("--limit is \(limit), but at least 1 is listed") }
        }

        func run() throws {
            let code = try DeadLettersCommand.code(code)
            let store = try ModelsCommand.store(options)
            var listed = 0, last = before
            while listed < limit {
                let wanted = min(limit - listed, StoreQueries.listedRowsLimit)
                let page = try store.deadLetters(code: code, before: last, limit: wanted)
                for letter in page { show(letter) }
                listed += page.count
                last = page.last?.id ?? last
                if page.count < wanted { return }
            }
            let more = try store.deadLetterCount(code: code, before: last)
            if more > 0, let last { StandardError.write("\(more) more: --before \(last) lists on, a larger --limit more at once\n") }
        }

        private func show(_ letter: DeadLetter) {
            if json { return StandardOutput.line(DeadLettersCommand.line(letter, whole: false).json) }
            let origin = letter.record.origin, rejection = letter.record.rejection
            let state = letter.replayedAt == nil ? "" : letter.isRefusedAgain ? "\t(refused again)" : "\t(replayed)"
            StandardOutput.line(
                "\(letter.id)\t\(letter.receivedAt.rfc3339())\t\(origin.source)/\(origin.position.partition)@\(origin.position.offset)\t"
                    + "\(rejection.code.rawValue)\t\(rejection.field.map { "\($0) " } ?? "")\(rejection.detail)\(state)")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One rejected record, whole.")
        @OptionGroup var options: GlobalOptions
        @Argument var id: Int64

        func run() throws {
            guard let letter = try ModelsCommand.store(options).deadLetter(id) else {
                throw CommandFailure("there is no dead letter \(id)")
            }
            DeadLettersCommand.line(letter, whole: true).print(asJSON: true)
        }
    }

    static func code(_ name: String?) throws -> RejectionCode? {
        guard let name else { return nil }
        guard let code = RejectionCode(rawValue: name) else {
            throw ValidationError("--code is \(name), but takes one of \(RejectionCode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return code
    }

    static func line(_ letter: DeadLetter, whole: Bool) -> ResultLine {
        let record = letter.record
        var line = ResultLine([
            "id": .integer(Int(letter.id)), "received_at": .text(letter.receivedAt.rfc3339()),
            "source": .text(record.origin.source), "partition": .integer(Int(record.origin.position.partition)),
            "offset": .integer(Int(record.origin.position.offset)), "code": .text(record.rejection.code.rawValue),
            "field": record.rejection.field.map { .text($0) } ?? .null, "detail": .text(record.rejection.detail),
            "payload_bytes": .integer(record.payloadBytes),
            "replayed_at": letter.replayedAt.map { .text($0.rfc3339()) } ?? .null, "refused_again": .boolean(letter.isRefusedAgain),
        ])
        if whole {
            line.add("key", record.key.map { .text(String(decoding: $0, as: UTF8.self)) } ?? .null)
            line.add("payload", .text(String(decoding: record.payload, as: UTF8.self)))
        }
        return line
    }
}
