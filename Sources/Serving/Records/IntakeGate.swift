import Console
import EventStream
import Interactions
import Logging
import RecommendationAPI
import Synchronization

/// Hands records to Kafka for somebody who waits: acknowledged within a few seconds, or refused with what to do.
///
/// While Kafka does not take records nobody waits: requests are refused at once until the broker answers and one has gone through.
package final class IntakeGate: Sendable {
    /// Kafka has this long to take a record; a caller's patience is shorter than a broker's outage.
    package static let brokerLimitMilliseconds = 4_000
    /// While it does not, it is asked so often whether it is back.
    private static let askEvery = Duration.milliseconds(500)
    private static let answerLimitMilliseconds = 1_000

    private let producer: StreamProducer
    private let settings: KafkaSettings
    private let limit: IntakeLimit
    private let parts: PartsBoard
    private let logger: Logger
    private let outage = Mutex(BrokerOutage())
    private let refusals: IntakeRefusals

    /// Connects; returns at once, whether or not a broker answers.
    package init(_ settings: KafkaSettings, limit: IntakeLimit, parts: PartsBoard, logger: Logger) throws(StreamError) {
        self.settings = settings
        self.limit = limit
        self.parts = parts
        self.logger = logger
        var settings = settings
        let names = ["message.timeout.ms", "delivery.timeout.ms"]
        if names.allSatisfy({ settings.properties[$0] == nil }) {
            settings.properties["message.timeout.ms"] = String(Self.brokerLimitMilliseconds)
        }
        producer = try StreamProducer(settings, mode: .latency)
        refusals = IntakeRefusals(place: settings.bootstrapServers)
    }

    /// Sends records to a topic, dated `time`, and gives back where they stand, in their order.
    ///
    /// - Throws: ``ServiceError``: `unavailable` where the broker did not take all of them, at once where it is known to take none or
    ///   too much waits for it already.
    package func produce(
        _ records: [(key: [UInt8], value: [UInt8]?)], to topic: String, at time: EventTime
    ) async throws -> [Position] {
        guard !records.isEmpty else { return [] }
        let bytes = records.reduce(0) { $0 + $1.key.count + ($1.value?.count ?? 0) }
        return try await limit.hold(bytes: bytes) {
            guard outage.withLock({ $0.admits() }) else {
                throw refusals.untried(since: outage.withLock { $0.since }, now: .now)
            }
            let sent = await send(records, to: topic, at: time)
            var positions: [Position] = []
            var failure: StreamError?
            for result in sent {
                switch result {
                case .success(let position): positions.append(position)
                case .failure(let error): failure = failure ?? error
                }
            }
            note(failure)
            if let failure { throw refusals.of(failure, taken: positions.count, of: records.count) }
            return positions
        }
    }

    /// What `/metrics` adds.
    package func gauges() -> [Gauge] {
        [
            Gauge(name: "freshet_intake_waiting_requests", help: "Requests that wait for Kafka.", value: Double(limit.waitingRequests)),
            Gauge(name: "freshet_intake_waiting_bytes", help: "Bytes of records that wait for Kafka.", value: Double(limit.waitingBytes)),
            Gauge(
                name: "freshet_intake_refused_requests_total", help: "Requests refused as too much waited for Kafka.", kind: .counter,
                value: Double(limit.refusedRequests)),
        ]
    }

    private func send(
        _ records: [(key: [UInt8], value: [UInt8]?)], to topic: String, at time: EventTime
    ) async -> [Result<Position, StreamError>] {
        let producer = producer
        return await withTaskGroup(of: (Int, Result<Position, StreamError>).self) { group in
            for (place, record) in records.enumerated() {
                group.addTask {
                    do throws(StreamError) {
                        let position = try await producer.produceAcknowledged(
                            topic: topic, key: record.key, value: record.value, time: time)
                        return (place, .success(position))
                    } catch {
                        return (place, .failure(error))
                    }
                }
            }
            var results = [Result<Position, StreamError>?](repeating: nil, count: records.count)
            for await (place, result) in group { results[place] = result }
            return results.compactMap { $0 }
        }
    }

    /// Takes in how a request ended; the first that Kafka did not take in time begins the questions whether it is back.
    private func note(_ failure: StreamError?) {
        let isOutage = failure.map { $0.code == .timedOut || $0.code == .unreachable } ?? false
        let change = outage.withLock { outage in
            let before = outage.since
            let wasAsking = outage.wantsQuestion
            if isOutage { _ = outage.failed(at: .now) } else { outage.delivered() }
            return (before: before, after: outage.since, asks: outage.wantsQuestion && !wasAsking)
        }
        guard change.before != change.after || change.asks else { return }
        parts.update { $0.intakeAwaySince = change.after }
        if change.before == nil, let failure {
            let what = "what is sent is answered 503 at once until it does, recommendations go on"
            logger.warning("Kafka does not take records: \(what): \(failure)")
        }
        if change.after == nil { logger.notice("Kafka takes records again") }
        if change.asks { Task { await askUntilAnswered() } }
    }

    private func askUntilAnswered() async {
        let settings = settings
        while outage.withLock({ $0.wantsQuestion }) {
            try? await Task.sleep(for: Self.askEvery)
            let answers = try? await OwnThread.run(named: "freshet-intake") { Self.answers(settings) }
            if answers == true { outage.withLock { $0.answered() } }
        }
    }

    /// Whether the broker answers a question, whatever it says.
    private static func answers(_ settings: KafkaSettings) -> Bool {
        do throws(StreamError) {
            let consumer = try StreamConsumer(reading: settings)
            defer { consumer.close() }
            _ = try consumer.clusterID(timeoutMilliseconds: answerLimitMilliseconds)
            return true
        } catch {
            return error.code != .timedOut && error.code != .unreachable
        }
    }
}
