import ArgumentParser
import Bytes
import Console
import EventStream
import Foundation
import Intake
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
        guard files.count(where: { $0 == "-" }) <= 1 else { throw ValidationError("- can be read once: standard input has one end") }
        guard !topic.allSatisfy(\.isWhitespace) else { throw ValidationError("--topic is empty: name events, items, users or impressions") }
        let configuration = try options.configuration()
        let kinds = RecordKind.allCases.map(\.rawValue)
        if !kinds.contains(topic), !configuration.topics.contains(topic),
            let near = NearestName.close(to: topic, among: kinds + configuration.topics)
        {
            throw ValidationError("--topic \(topic) is no topic that ingest reads; did you mean \(near)?")
        }
        let name = RecordKind(rawValue: topic).map(configuration.topic) ?? topic
        let field = name == configuration.text(.topicsItems) ? "item_id" : "user_id"
        let decoder = RecordDecoder(rules: DecodingRules(maxRecordBytes: Self.maxLineBytes, idForm: .nfc))
        let producer = try StreamProducer(configuration.kafkaSettings, mode: .throughput)
        let stop = StopSignal.onSignals()
        let started = ContinuousClock.now
        var sent = 0
        var tooLong = 0
        var damage: StreamError?
        for file in files where !stop.isRaised && damage == nil {
            let progress = ProgressLine("produce \(file == "-" ? "standard input" : URL(fileURLWithPath: file).lastPathComponent)")
            guard let reader = Self.open(file, { stop.isRaised }, &damage) else { break }
            while !stop.isRaised, let line = Self.next(reader, &damage) {
                guard !line.isBlank else { continue }
                guard !line.isOverlong else { tooLong += 1; continue }
                try send(line.bytes, field: field, decoder, topic: name, by: producer)
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
        if let damage { throw CommandFailure("\(damage.message) \(sent - failed) records were sent.") }
        if failed > 0 || tooLong > 0 {
            throw CommandFailure(
                "\(failed) records were not acknowledged by the broker, \(tooLong) lines were over \(Self.maxLineBytes) bytes")
        }
        if stop.isRaised { throw CommandFailure("stopped before the end, after \(sent) records; what was sent is in the topic") }
    }

    /// Opens a file, or says what is wrong with it: what earlier ones held is sent all the same.
    private static func open(_ file: String, _ isStopping: @escaping () -> Bool, _ damage: inout StreamError?) -> LineReader? {
        do throws(StreamError) {
            return try LineReader(path: file, maxLineBytes: maxLineBytes, isStopping: isStopping)
        } catch {
            damage = error
            return nil
        }
    }

    /// The next line; nil at the end, and where damage ends the file early: what was whole before it is sent all the same.
    private static func next(_ reader: LineReader, _ damage: inout StreamError?) -> LineReader.Line? {
        do throws(StreamError) {
            return try reader.next()
        } catch {
            damage = error
            return nil
        }
    }

    /// Queues a line; waits while the queue is full, so that memory stays bounded.
    private func send(
        _ line: UnsafeRawBufferPointer, field: String, _ decoder: RecordDecoder, topic: String, by producer: StreamProducer
    ) throws(StreamError) {
        // A line without an id goes without a key: what is wrong with it is for the consumer to say.
        guard case .success(let id) = decoder.identifier(field, in: line) else {
            return try producer.produce(topic: topic, key: nil, value: line, whenFull: .wait)
        }
        var key = id
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
