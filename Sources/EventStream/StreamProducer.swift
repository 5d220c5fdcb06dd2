import CRDKafka
import Interactions
import Synchronization

/// Writes records to Kafka: idempotent, so that a retry never writes one twice, and in order for each key.
///
/// Keys choose partitions as Kafka's Java clients do (murmur2). Records wait in a queue of at most 500,000 records and 128 MiB
/// (`queue.buffering.max.messages`, `queue.buffering.max.kbytes`). All functions may be called from any thread.
public final class StreamProducer: Sendable {
    /// What the producer is tuned for.
    public enum Mode: Sendable {
        /// Records leave at once; an answer fails after 30 s. For single events that somebody waits for.
        case latency
        /// Records wait up to 5 ms for company. For many records at once.
        case throughput
    }

    /// What to do when the queue is full.
    public enum WhenFull: Sendable {
        /// Throw a ``StreamError`` with code `queueFull`.
        case fail
        /// Hold the calling thread up until there is room. Not for use on the threads of Swift concurrency.
        case wait
    }

    /// librdkafka's flags: the library copies the record; or it also blocks.
    private static let copies = Int32(RD_KAFKA_MSG_F_COPY)
    private static let copiesAndBlocks = Int32(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK)

    private struct State {
        var session: ProducerSession
        /// Sessions that ended with an error for good, so long that whoever still sends through one has left it.
        var ended: [ProducerSession] = []
        var isClosed = false
    }
    /// How many ended sessions are kept.
    private static let endedSessionsLimit = 3

    private let state: Mutex<State>
    private let reports: DeliveryReports
    private let settings: KafkaSettings
    private let mode: Mode
    /// Records that librdkafka took. (Its own count of what waits includes error events.)
    private let accepted = Atomic<Int64>(0)

    /// Makes a producer. Returns at once, whether or not a broker answers.
    ///
    /// - Throws: ``StreamError`` with code `configuration`.
    public init(_ settings: KafkaSettings, mode: Mode = .latency) throws(StreamError) {
        self.settings = settings
        self.mode = mode
        reports = DeliveryReports(log: settings.log)
        state = Mutex(State(session: try ProducerSession(settings, mode, reports)))
    }

    deinit { close(timeoutMilliseconds: 0) }

    private var client: ClientHandle { state.withLock { $0.session.client } }

    static let defaults: [(String, String)] = [
        ("enable.idempotence", "true"),
        ("partitioner", "murmur2_random"),
        // Costs little, and an embedded broker's bound of 5 MiB a partition counts compressed bytes.
        ("compression.type", "lz4"),
        // The broker has its own bound and says so; this one is above records of 10 MB.
        ("message.max.bytes", "16777216"),
        ("queue.buffering.max.messages", "500000"),
        ("queue.buffering.max.kbytes", "131072"),
        ("socket.keepalive.enable", "true"),
        ("socket.timeout.ms", "15000"),
        ("socket.connection.setup.timeout.ms", "10000"),
        ("reconnect.backoff.max.ms", "2000"),
        ("client.id", "freshet"),
    ]
    static let latencyDefaults: [(String, String)] = [("linger.ms", "0"), ("message.timeout.ms", "30000")]
    static let throughputDefaults: [(String, String)] = [("linger.ms", "5"), ("batch.num.messages", "20000")]

    // MARK: Sending

    /// Queues a record and returns; its delivery shows in ``counts``.
    ///
    /// - Parameters:
    ///   - key: records with the same key keep their order; nil spreads records over partitions.
    ///   - value: nil writes a deletion (a tombstone).
    ///   - partition: overrides the key's choice.
    /// - Throws: ``StreamError`` with code `queueFull` (retriable), `messageTooLarge`, `unknownTopic` or `closed`.
    public func produce(
        topic: String, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, partition: Int32? = nil,
        whenFull: WhenFull = .fail
    ) throws(StreamError) {
        try send(topic, key, value, partition, whenFull == .wait ? Self.copiesAndBlocks : Self.copies, nil)
    }

    /// Queues a record and returns, as its twin that takes buffers.
    public func produce(
        topic: String, key: [UInt8]?, value: [UInt8]?, partition: Int32? = nil, whenFull: WhenFull = .fail
    ) throws(StreamError) {
        try Self.withBytes(key, value) { (key, value) throws(StreamError) in
            try produce(topic: topic, key: key, value: value, partition: partition, whenFull: whenFull)
        }
    }

    /// Queues a record of text and returns, as its twin that takes buffers.
    public func produce(
        topic: String, key: String, value: String?, whenFull: WhenFull = .fail
    ) throws(StreamError) {
        try produce(topic: topic, key: Array(key.utf8), value: value.map { Array($0.utf8) }, whenFull: whenFull)
    }

    /// Sends a record and returns where it stands once the broker has acknowledged it.
    ///
    /// It cannot be cancelled: a record that was queued may be written. It ends within `message.timeout.ms` at the latest.
    ///
    /// - Parameter time: the time that the record carries; nil is this machine's clock.
    /// - Throws: ``StreamError``: as ``produce(topic:key:value:partition:whenFull:)``, and what the broker said.
    public func produceAcknowledged(
        topic: String, key: [UInt8]?, value: [UInt8]?, partition: Int32? = nil, time: EventTime? = nil
    ) async throws(StreamError) -> Position {
        let result = await withCheckedContinuation { continuation in
            let waiter = Unmanaged.passRetained(DeliveryReports.Waiter(continuation))
            do throws(StreamError) {
                try Self.withBytes(key, value) { (key, value) throws(StreamError) in
                    try send(topic, key, value, partition, Self.copies, waiter.toOpaque(), time)
                }
            } catch {
                waiter.release()
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Sends a record of text and returns where it stands once the broker has acknowledged it.
    public func produceAcknowledged(topic: String, key: String, value: String?) async throws(StreamError) -> Position {
        try await produceAcknowledged(topic: topic, key: Array(key.utf8), value: value.map { Array($0.utf8) })
    }

    /// Waits until everything queued is delivered or has failed.
    ///
    /// - Throws: ``StreamError`` with code `timedOut`, naming how many records still wait.
    public func flush(timeoutMilliseconds: Int) throws(StreamError) {
        guard rd_kafka_flush(client.pointer, Int32(clamping: timeoutMilliseconds)) != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let why = reports.lastError.map { " The last error was: \($0.message)" } ?? ""
        throw StreamError(
            .timedOut, isRetriable: true,
            "\(waiting) records were not acknowledged within \(timeoutMilliseconds) ms.\(why)")
    }

    /// Waits up to `timeoutMilliseconds` for what is queued, gives up the rest (it counts as failed) and takes no more.
    public func close(timeoutMilliseconds: Int) {
        let first = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard first else { return }
        if timeoutMilliseconds > 0 { rd_kafka_flush(client.pointer, Int32(clamping: timeoutMilliseconds)) }
        if waiting > 0 {
            rd_kafka_purge(client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            rd_kafka_flush(client.pointer, 1_000)
        }
    }

    // MARK: What became of it

    /// Delivered and failed records so far.
    public var counts: DeliveryCounts { reports.counts }

    /// Why a record last failed.
    public var lastFailure: StreamError? { reports.lastFailure }

    /// What the client last complained about, such as a broker that does not answer.
    public var lastError: StreamError? { reports.lastError }

    /// Records that wait for the broker's acknowledgement.
    public var waiting: Int {
        // Reports first: what is accepted between the two readings counts as waiting, never less than none.
        let done = reports.counts
        return Int(accepted.load(ordering: .sequentiallyConsistent) - done.delivered - done.failed)
    }

    /// The identity of the cluster; see ``StreamConsumer/clusterID(timeoutMilliseconds:)``.
    public func clusterID(
        timeoutMilliseconds: Int = StreamConsumer.defaultAnswerTimeoutMilliseconds
    ) throws(StreamError) -> String {
        try ClusterIdentity.ask(client, timeoutMilliseconds: timeoutMilliseconds)
    }

    // MARK: Parts

    private func send(
        _ topic: String, _ key: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer?, _ partition: Int32?,
        _ flags: Int32, _ waiter: UnsafeMutableRawPointer?, _ time: EventTime? = nil
    ) throws(StreamError) {
        let session = try usableSession()
        let handle = try session.handle(of: topic)
        // Before the record can be reported as delivered.
        accepted.add(1, ordering: .sequentiallyConsistent)
        let error: rd_kafka_resp_err_t
        if let time {
            error = DatedRecord.produce(session.client.pointer, handle, key, value, partition ?? RD_KAFKA_PARTITION_UA, flags, waiter, time)
        } else {
            let result = rd_kafka_produce(
                handle, partition ?? RD_KAFKA_PARTITION_UA, flags,
                UnsafeMutableRawPointer(mutating: Self.address(value)), value?.count ?? 0,
                Self.address(key), key?.count ?? 0, waiter)
            error = result == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error()
        }
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            accepted.subtract(1, ordering: .sequentiallyConsistent)
            throw StreamError(error, "sending to topic \(topic)")
        }
    }

    /// The start of a buffer; an empty one has an address too, since no address means no value.
    static func address(_ buffer: UnsafeRawBufferPointer?) -> UnsafeRawPointer? {
        guard let buffer else { return nil }
        return buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 8)
    }

    /// The session that sends. One that ended with an error for good, as where the broker lost what makes sending idempotent, is replaced:
    /// what waited in it has failed, and whoever sent it was told.
    private func usableSession() throws(StreamError) -> ProducerSession {
        let found = state.withLock { state -> Result<ProducerSession, StreamError> in
            if state.isClosed { return .failure(StreamError(.closed, "The producer was closed; make a new one.")) }
            guard let why = state.session.endReason else { return .success(state.session) }
            do throws(StreamError) {
                let next = try ProducerSession(settings, mode, reports)
                state.session.giveUp()
                state.ended = state.ended.suffix(Self.endedSessionsLimit - 1) + [state.session]
                state.session = next
                settings.log?(3, "PRODUCER: began anew: \(why.message)")
                return .success(next)
            } catch {
                return .failure(error)
            }
        }
        return try found.get()
    }

    private static func withBytes(
        _ key: [UInt8]?, _ value: [UInt8]?,
        _ body: (UnsafeRawBufferPointer?, UnsafeRawBufferPointer?) throws(StreamError) -> Void
    ) throws(StreamError) {
        // Each array's storage stays alive through its closure; nil stays nil.
        func withKey(_ value: UnsafeRawBufferPointer?) throws(StreamError) {
            guard let key else { return try body(nil, value) }
            let outcome = key.withUnsafeBytes { bytes in attempt { () throws(StreamError) in try body(bytes, value) } }
            try outcome.get()
        }
        guard let value else { return try withKey(nil) }
        let outcome = value.withUnsafeBytes { bytes in attempt { () throws(StreamError) in try withKey(bytes) } }
        try outcome.get()
    }

    private static func attempt(_ body: () throws(StreamError) -> Void) -> Result<Void, StreamError> {
        do throws(StreamError) {
            try body()
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
