import EventStream
import Interactions
import RecommendationAPI

/// Hands records to Kafka for somebody who waits: acknowledged within a few seconds, or refused with what to do.
struct IntakeGate: Sendable {
    /// Kafka has this long to take a record; a caller's patience is shorter than a broker's outage.
    static let brokerLimitMilliseconds = 4_000

    let producer: StreamProducer
    /// Where the broker is, for people.
    let place: String

    /// Connects; returns at once, whether or not a broker answers.
    init(_ settings: KafkaSettings) throws(StreamError) {
        var settings = settings
        let names = ["message.timeout.ms", "delivery.timeout.ms"]
        if names.allSatisfy({ settings.properties[$0] == nil }) {
            settings.properties["message.timeout.ms"] = String(Self.brokerLimitMilliseconds)
        }
        producer = try StreamProducer(settings, mode: .latency)
        place = settings.bootstrapServers
    }

    /// Sends records to a topic and gives back where they stand, in their order.
    ///
    /// - Throws: ``ServiceError``: `unavailable` where the broker did not take all of them.
    func produce(_ records: [(key: [UInt8], value: [UInt8]?)], to topic: String) async throws -> [Position] {
        let producer = producer
        let sent = await withTaskGroup(of: (Int, Result<Position, StreamError>).self) { group in
            for (place, record) in records.enumerated() {
                group.addTask {
                    do throws(StreamError) {
                        let position = try await producer.produceAcknowledged(topic: topic, key: record.key, value: record.value)
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
        var positions: [Position] = []
        var failure: StreamError?
        for result in sent {
            switch result {
            case .success(let position): positions.append(position)
            case .failure(let error): failure = failure ?? error
            }
        }
        if let failure { throw problem(failure, taken: positions.count, of: records.count) }
        return positions
    }

    private func problem(_ error: StreamError, taken: Int, of count: Int) -> ServiceError {
        if error.code == .messageTooLarge {
            return ServiceError(.invalid, "the broker does not take a record of this size: \(error.message)")
        }
        let part = taken == 0 ? "" : " \(taken) of the \(count) records were taken before."
        let again = "Send the request again: records with the same event_id, or under the same Idempotency-Key, count once."
        switch error.code {
        case .timedOut, .unreachable:
            return ServiceError(
                .unavailable,
                "Kafka at \(place) did not take the records in time (\(error.message))\(part) Check that the broker runs and that "
                    + "kafka.bootstrap_servers names it. \(again)", retryAfterSeconds: 2)
        default:
            return ServiceError(
                .unavailable, "Kafka at \(place) did not take the records: \(error.message)\(part) \(again)", retryAfterSeconds: 2)
        }
    }
}
