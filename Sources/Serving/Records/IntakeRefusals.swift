import EventStream
import RecommendationAPI

/// What is answered where Kafka has not taken what was sent.
package struct IntakeRefusals: Sendable {
    private static let retryAfterSeconds = 2
    private static let check = "Check that the broker runs and that kafka.bootstrap_servers names it."
    private static let again = "Send the request again: records with the same event_id, or under the same Idempotency-Key, count once."

    /// Where the broker is, for people.
    private let place: String

    /// Refusals of the broker at an address.
    package init(place: String) {
        self.place = place
    }

    /// Of what was not tried, since Kafka has taken nothing for some time.
    package func untried(since: ContinuousClock.Instant?, now: ContinuousClock.Instant) -> ServiceError {
        let seconds = since.map { $0.duration(to: now).components.seconds } ?? 0
        return ServiceError(
            .unavailable,
            "Kafka at \(place) has not taken records for \(seconds) s, so this one was not tried. \(Self.check) \(Self.again)",
            retryAfterSeconds: Self.retryAfterSeconds)
    }

    /// Of a request that failed; `taken` of its `count` records are in the topic.
    package func of(_ error: StreamError, taken: Int, of count: Int) -> ServiceError {
        if error.code == .messageTooLarge {
            return ServiceError(.invalid, "the broker does not take a record of this size: \(error.message)")
        }
        let part = taken == 0 ? "" : " \(taken) of the \(count) records were taken before."
        switch error.code {
        case .timedOut, .unreachable:
            return ServiceError(
                .unavailable,
                "Kafka at \(place) did not take the records in time (\(error.message))\(part) \(Self.check) \(Self.again)",
                retryAfterSeconds: Self.retryAfterSeconds)
        default:
            return ServiceError(
                .unavailable, "Kafka at \(place) did not take the records: \(error.message)\(part) \(Self.again)",
                retryAfterSeconds: Self.retryAfterSeconds)
        }
    }
}
