import EventStream
import ForeignFormats
import Foundation
import Interactions
import Logging

/// Sends the rows of other systems' files to Kafka's topics, as records of ours: checking them is the consumer's work, as for `produce`.
///
/// Events carry their ids, so that a file that is sent twice, or sent and stored directly, counts once. A row of which no record can be
/// made is announced on the dead-letter topic with its file and line.
public final class ForeignSending {
    /// What became of files.
    public struct Totals: Sendable {
        /// Records that the producer took.
        public var sent = 0
        /// Rows of which no record could be made.
        public var refused = 0
        /// The first of them, each with a reason of its own: `line 3: timestamp …`.
        public var firstReasons: [String] = []
        /// What ended a file early.
        public var damage: StreamError?

        /// Nothing yet.
        public init() {}

        fileprivate var told: Set<String> = []
    }

    private let producer: StreamProducer
    private let topic: (RecordKind) -> String
    private let announcer: RejectionAnnouncer
    private let decoder: RecordDecoder
    private let isStopping: @Sendable () -> Bool
    /// What became of the files so far.
    public private(set) var totals = Totals()

    /// - Parameters:
    ///   - topic: the topic of a kind of records.
    ///   - deadLetters: the topic on which refused rows are announced.
    public init(
        producer: StreamProducer, topic: @escaping (RecordKind) -> String, deadLetters: String, rules: DecodingRules, logger: Logger,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        self.producer = producer
        self.topic = topic
        announcer = RejectionAnnouncer(producer: producer, topic: deadLetters, logger: logger)
        decoder = RecordDecoder(rules: rules)
        self.isStopping = isStopping
    }

    /// Queues the records of a file; waits while the queue is full, so that memory stays bounded.
    ///
    /// - Throws: `StreamError` where the file cannot be opened or the broker takes nothing.
    public func send(_ file: ForeignFile, progress: (Totals) -> Void = { _ in }) throws(StreamError) {
        let source = try ForeignSource(file, isStopping: isStopping)
        let name = file.path == "-" ? "stdin" : URL(fileURLWithPath: file.path).lastPathComponent
        while !isStopping(), let row = next(source) {
            switch row.content {
            case .record(let bytes, _):
                try send(bytes, file.kind)
                totals.sent += 1
            case .refused(let rejection, let text):
                refuse(rejection, text, RecordOrigin(
                    source: "file:\(file.kind.rawValue):\(name)", cluster: "",
                    position: Position(partition: Position.filePartition, offset: row.number)))
            }
            progress(totals)
        }
    }

    /// Waits until all that was queued is acknowledged.
    ///
    /// - Returns: how many records were not.
    /// - Throws: `StreamError` where that takes more than a minute.
    public func finish() throws(StreamError) -> Int {
        try producer.flush(timeoutMilliseconds: 60_000)
        announcer.finish()
        return Int(producer.counts.failed)
    }

    private func next(_ source: ForeignSource) -> SourceRecord? {
        do throws(StreamError) {
            return try source.nextRecord()
        } catch {
            totals.damage = error
            return nil
        }
    }

    private func send(_ value: UnsafeRawBufferPointer, _ kind: RecordKind) throws(StreamError) {
        // A record without an id goes without a key: what is wrong with it is for the consumer to say.
        let id = try? decoder.identifier(kind == .items ? "item_id" : "user_id", in: value).get()
        try producer.produce(topic: topic(kind), key: id.map { Array($0.utf8) }, value: Array(value), whenFull: .wait)
    }

    private func refuse(_ rejection: Rejection, _ row: ForeignRecord, _ origin: RecordOrigin) {
        totals.refused += 1
        let kind = "\(rejection.code) \(rejection.field ?? "")"
        if totals.firstReasons.count < BackfillRun.Totals.reasonsLimit, totals.told.insert(kind).inserted {
            totals.firstReasons.append("line \(origin.position.offset + 1): \((rejection.field.map { "\($0) " } ?? "") + rejection.detail)")
        }
        let user = row.userID.map { Array($0.utf8) }
        announcer.announce([
            RejectedRecord(
                origin: origin, key: user, userID: user, payload: Array(row.text.prefix(RecordIntake.rejectedPayloadBytes)),
                payloadBytes: row.textBytes, rejection: rejection)
        ])
    }
}
