import CRDKafka

/// An operating error of Kafka or of a file of records: what was wrong, where, and what to do about it.
public struct StreamError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of error it is, for code that decides.
    public enum Code: String, Sendable {
        /// A setting that does not exist, has a wrong value, or would break a promise of the consumer.
        case configuration
        /// The fixed port of an embedded broker is in use.
        case portTaken = "port_taken"
        /// No broker answers.
        case unreachable
        /// The broker does not accept the credentials or the certificate.
        case authentication
        /// The credentials are good but do not allow this.
        case authorization
        case unknownTopic = "unknown_topic"
        /// The producer's bounded queue is full: wait, then send again.
        case queueFull = "queue_full"
        case messageTooLarge = "message_too_large"
        /// An answer did not come in time.
        case timedOut = "timed_out"
        /// The producer or consumer was closed.
        case closed
        /// The file does not exist or may not be read.
        case fileUnreadable = "file_unreadable"
        /// A compressed file ends in the middle.
        case fileTruncated = "file_truncated"
        /// A compressed file that holds something else.
        case fileCorrupt = "file_corrupt"
        /// A file of another kind than lines of UTF-8: UTF-16, an archive, a Parquet file.
        case fileForeign = "file_foreign"
        /// What is to be written cannot be: no right, no space, nobody who reads it.
        case fileUnwritable = "file_unwritable"
        /// What the library or the broker says that has no code of its own here.
        case other
    }

    /// The kind of failure.
    public var code: Code
    /// Whether the same call may succeed later with nothing changed by a person.
    public var isRetriable: Bool
    /// A sentence or two for a person. It holds no secret.
    public var message: String

    /// Makes an error.
    public init(_ code: Code, isRetriable: Bool = false, _ message: String) {
        self.code = code
        self.isRetriable = isRetriable
        self.message = message
    }

    public var description: String { message }

    /// Makes an error from librdkafka's code, with where it happened and, if the library gave one, its text.
    init(_ error: rd_kafka_resp_err_t, _ place: String, text: String? = nil) {
        let said = text ?? String(cString: rd_kafka_err2str(error))
        (self.code, self.isRetriable) = Self.kind(of: error)
        let advice =
            switch self.code {
            case .unreachable:
                " Check kafka.bootstrap_servers and that the broker runs; the connection comes back by itself once it does."
            case .authentication: " Check the sasl.* and ssl.* settings under kafka.properties."
            case .authorization: " Ask for the missing right on the topic or group."
            case .unknownTopic: " Create the topic, or correct its name under topics."
            case .queueFull: " Wait until the broker has taken what is queued, then send again."
            case .messageTooLarge: " Raise message.max.bytes of the topic or send a smaller record."
            default: ""
            }
        message = "\(place): \(said)." + advice
    }

    private static func kind(of error: rd_kafka_resp_err_t) -> (Code, Bool) {
        switch error {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
            (.unreachable, true)
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            (.authentication, false)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            (.authorization, false)
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            (.unknownTopic, true)
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: (.queueFull, true)
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: (.messageTooLarge, false)
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
            (.timedOut, true)
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__DESTROY:
            (.closed, false)
        // A cluster that moves leaders and coordinators about, or a disk of a broker: it passes.
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
            RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, RD_KAFKA_RESP_ERR__WAIT_COORD:
            (.other, true)
        case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR_INVALID_CONFIG: (.configuration, false)
        default: (.other, false)
        }
    }
}
