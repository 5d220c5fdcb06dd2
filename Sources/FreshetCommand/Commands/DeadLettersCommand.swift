import ArgumentParser
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions

/// `freshet dead-letters`
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Rejected records, with their reasons.",
        subcommands: [List.self, Show.self, Replay.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rejected records, newest first.")
        @OptionGroup var options: GlobalOptions
        @Option(help: "Only those with this reason.") var code: String?
        @Option(help: "At most so many.") var limit = 100
        @Flag(help: "Print as JSON Lines.") var json = false

        func run() throws {
            let code = try DeadLettersCommand.code(code)
            let store = try ModelsCommand.store(options)
            for letter in try store.deadLetters(code: code, limit: limit) {
                if json {
                    StandardOutput.line(DeadLettersCommand.line(letter, whole: false).json)
                } else {
                    let place = "\(letter.record.origin.source)/\(letter.record.origin.position.partition)@\(letter.record.origin.position.offset)"
                    StandardOutput.line(
                        "\(letter.id)\t\(letter.receivedAt.rfc3339())\t\(place)\t\(letter.record.rejection.code.rawValue)\t\(letter.record.rejection.detail)\(letter.replayedAt == nil ? "" : "\t(replayed)")")
                }
            }
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

    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends rejected records to their topic again.",
            discussion: "For records that a corrected configuration accepts now, such as a mapped event type. Records that were cut are left out.")
        @OptionGroup var options: GlobalOptions
        @Argument(help: "Ids; without any, all that were never replayed.") var ids: [Int64] = []
        @Option(help: "Only those with this reason.") var code: String?
        @Flag(help: "Print the result as JSON.") var json = false

        func run() throws {
            let configuration = try options.configuration()
            let reason = try DeadLettersCommand.code(code)
            let store = try ModelsCommand.store(options)
            let letters = ids.isEmpty
                ? try store.deadLetters(code: reason, notReplayed: true, limit: 1_000)
                : try ids.compactMap { try store.deadLetter($0) }
            let producer = try StreamProducer(configuration.kafkaSettings, mode: .throughput)
            var sent: [Int64] = []
            var left = 0
            for letter in letters {
                let record = letter.record
                guard record.payload.count == record.payloadBytes, record.payloadBytes > 0 else { left += 1; continue }
                // A file's source is file:KIND:NAME:IDENTITY.
                let parts = record.origin.source.split(separator: ":")
                let isFile = parts.count >= 3 && parts[0] == "file" && RecordKind(rawValue: String(parts[1])) != nil
                let topic = isFile ? configuration.text("topics.\(parts[1])") : record.origin.source
                try producer.produce(topic: topic, key: record.key, value: record.payload, whenFull: .wait)
                sent.append(letter.id)
            }
            try producer.flush(timeoutMilliseconds: 60_000)
            let failed = Int(producer.counts.failed)
            if failed == 0, !sent.isEmpty { _ = try store.markReplayed(sent) }
            ResultLine(["replayed": .integer(sent.count - failed), "left_out": .integer(left), "failed": .integer(failed)]).print(asJSON: json)
            if failed > 0 { throw CommandFailure("\(failed) records were not acknowledged by the broker") }
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
            "replayed_at": letter.replayedAt.map { .text($0.rfc3339()) } ?? .null,
        ])
        if whole {
            line.add("key", record.key.map { .text(String(decoding: $0, as: UTF8.self)) } ?? .null)
            line.add("payload", .text(String(decoding: record.payload, as: UTF8.self)))
        }
        return line
    }
}
