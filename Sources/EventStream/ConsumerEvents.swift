import CRDKafka

/// What librdkafka's callbacks tell a consumer. The callbacks run inside the consumer's own calls, on its thread, except for
/// log lines, which read one immutable closure and come from any thread.
final class ConsumerEvents {
    enum Rebalance {
        case assign([TopicPartition])
        case revoke([TopicPartition], lost: Bool)
    }

    let log: (@Sendable (Int32, String) -> Void)?
    var rebalances: [Rebalance] = []
    var errors: [(code: rd_kafka_resp_err_t, text: String)] = []
    /// Set while the consumer closes: partitions are then given back within the callback, since no poll follows.
    var isClosing = false

    /// More errors than this within one poll are the same few repeated.
    private static let maxErrorsPerPoll = 64

    init(log: (@Sendable (Int32, String) -> Void)?) { self.log = log }

    func note(_ code: rd_kafka_resp_err_t, _ text: String) {
        if errors.count < Self.maxErrorsPerPoll { errors.append((code, text)) }
    }

    /// Registers the callbacks; `configuration` borrows this object, which must outlive the client.
    func install(in configuration: OpaquePointer) {
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_rebalance_cb(configuration) { client, error, list, opaque in
            guard let opaque else { return }
            let events = Unmanaged<ConsumerEvents>.fromOpaque(opaque).takeUnretainedValue()
            let partitions = PartitionList.partitions(of: list)
            if events.isClosing {
                rd_kafka_assign(client, nil)
                return
            }
            switch error {
            case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
                events.rebalances.append(.assign(partitions))
            default:
                events.rebalances.append(.revoke(partitions, lost: rd_kafka_assignment_lost(client) != 0))
            }
            // The poll that serves this callback returns now rather than when its batch is full.
            rd_kafka_yield(client)
        }
        rd_kafka_conf_set_error_cb(configuration) { _, code, reason, opaque in
            guard let opaque else { return }
            let events = Unmanaged<ConsumerEvents>.fromOpaque(opaque).takeUnretainedValue()
            events.note(rd_kafka_resp_err_t(rawValue: code), reason.map { String(cString: $0) } ?? "")
        }
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, line in
            guard let opaque = rd_kafka_opaque(client) else { return }
            let events = Unmanaged<ConsumerEvents>.fromOpaque(opaque).takeUnretainedValue()
            events.log?(level, "\(facility.map { String(cString: $0) } ?? ""): \(line.map { String(cString: $0) } ?? "")")
        }
    }
}
