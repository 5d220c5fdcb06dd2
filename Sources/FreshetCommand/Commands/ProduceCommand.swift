import ArgumentParser
import EventStream
import Foundation
import Interactions

/// `freshet produce`
struct ProduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Sends JSON Lines to a topic: plain or .gz files, or - for standard input.",
        discussion: """
            Lines are sent as they are: checking them is the consumer's work. The key is the line's user_id (events,
            impressions, users) or item_id (items), so that one user's events keep their order.
            """)

    /// A longer line is not sent but counted and named.
    static let maxLineBytes = 16 << 20

    @OptionGroup var options: GlobalOptions
    @Option(help: "The topic: events, items, users, impressions, or a full topic name.") var topic: String
    @Flag(help: "Print the result as JSON.") var json = false
    @Argument(help: "Files, or - for standard input.") var files: [String]

    func run() throws {
        let configuration = try options.configuration()
        let name = ["events", "items", "users", "impressions"].contains(topic) ? configuration.text("topics.\(topic)") : topic
        let field = name == configuration.text("topics.items") ? "item_id" : "user_id"
        let producer = try StreamProducer(configuration.kafkaSettings, mode: .throughput)
        let stop = StopSignal.onSignals()
        let started = ContinuousClock.now
        var sent = 0
        var tooLong = 0
        for file in files where !stop.isRaised {
            let reader = try LineReader(path: file, maxLineBytes: Self.maxLineBytes)
            let progress = ProgressLine("produce \(file == "-" ? "standard input" : URL(fileURLWithPath: file).lastPathComponent)")
            while !stop.isRaised, let line = try reader.next() {
                guard !line.bytes.isEmpty else { continue }
                guard !line.isOverlong else { tooLong += 1; continue }
                try send(line.bytes, field: field, topic: name, by: producer)
                sent += 1
                progress.update(sent)
            }
            progress.finish(sent)
        }
        try producer.flush(timeoutMilliseconds: 60_000)
        let failed = Int(producer.counts.failed)
        let elapsed = started.duration(to: .now)
        ResultLine([
            "topic": .text(name), "sent": .integer(sent - failed), "failed": .integer(failed), "too_long": .integer(tooLong),
            "seconds": .number(elapsed.inSeconds),
        ]).print(asJSON: json)
        if failed > 0 || tooLong > 0 {
            throw CommandFailure("\(failed) records were not acknowledged by the broker, \(tooLong) lines were over \(Self.maxLineBytes) bytes")
        }
    }

    /// Queues a line; waits while the queue is full, so that memory stays bounded.
    private func send(
        _ line: UnsafeRawBufferPointer, field: String, topic: String, by producer: StreamProducer
    ) throws(StreamError) {
        guard var key = KeyField.value(of: field, in: line) else {
            return try producer.produce(topic: topic, key: nil, value: line, whenFull: .wait)
        }
        let result = key.withUTF8 { bytes -> Result<Void, StreamError> in
            do throws(StreamError) {
                return .success(try producer.produce(topic: topic, key: UnsafeRawBufferPointer(bytes), value: line, whenFull: .wait))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}

/// Finds a record's key without judging the record.
enum KeyField {
    /// The string value of the first `"field":"…"` in `bytes`; nil where there is none that is plain.
    static func value(of field: String, in bytes: UnsafeRawBufferPointer) -> String? {
        let needle = Array("\"\(field)\"".utf8)
        guard bytes.count > needle.count else { return nil }
        var start = 0
        while start + needle.count < bytes.count {
            guard bytes[start] == needle[0], bytes[start..<start + needle.count].elementsEqual(needle) else {
                start += 1
                continue
            }
            var index = start + needle.count
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x3A { index += 1 }
            guard index < bytes.count, bytes[index] == 0x22 else { return nil }
            let value = index + 1
            index = value
            while index < bytes.count, bytes[index] != 0x22 {
                if bytes[index] == 0x5C { return nil }
                index += 1
            }
            return index < bytes.count ? String(validating: bytes[value..<index], as: UTF8.self) : nil
        }
        return nil
    }
}

extension Duration {
    /// As floating seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
