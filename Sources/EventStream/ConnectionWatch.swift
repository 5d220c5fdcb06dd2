import CRDKafka

/// Turns librdkafka's repeated errors into one report when the connection is lost and one when it is back.
struct ConnectionWatch {
    private var isDown = false
    private var reported: Set<String> = []
    private var lastTransportText: String?
    private var nextCheck: ContinuousClock.Instant?

    /// How often a broker is asked whether it is back, and for how long the question may hold up a poll.
    private static let checkInterval = Duration.milliseconds(500)
    private static let checkTimeoutMilliseconds: Int32 = 100

    /// Takes in what one poll saw.
    mutating func note(
        _ errors: [(code: rd_kafka_resp_err_t, text: String)], sawData: Bool, _ client: ClientHandle,
        _ happenings: inout [StreamHappening]
    ) {
        if sawData { sawBroker(&happenings) }
        for (code, text) in errors {
            switch code {
            case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                guard !isDown else { continue }
                isDown = true
                nextCheck = .now + Self.checkInterval
                happenings.append(.disconnected(StreamError(code, "Kafka", text: lastTransportText ?? text)))
            case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE:
                // One broker of several, or the reason of the report that follows when it was the last.
                lastTransportText = text
            case RD_KAFKA_RESP_ERR__FATAL: break  // poll throws it
            default: trouble(StreamError(code, "Kafka", text: text), &happenings)
            }
        }
        // Without records nothing else would tell that the broker is back.
        if isDown, let check = nextCheck, check <= .now {
            nextCheck = .now + Self.checkInterval
            if (try? client.partitionCounts(.known, timeoutMilliseconds: Self.checkTimeoutMilliseconds)) != nil {
                sawBroker(&happenings)
            }
        }
    }

    /// A broker answered.
    mutating func sawBroker(_ happenings: inout [StreamHappening]) {
        guard isDown else { return }
        isDown = false
        reported = []
        lastTransportText = nil
        happenings.append(.reconnected)
    }

    /// Reports a lasting trouble, once.
    mutating func trouble(_ error: StreamError, _ happenings: inout [StreamHappening]) {
        if reported.count < 256, reported.insert(error.message).inserted { happenings.append(.trouble(error)) }
    }
}
