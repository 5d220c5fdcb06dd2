import CBrokerPort
import CRDKafka
import Synchronization

#if canImport(Glibc)
import Glibc
private let closeDescriptor = Glibc.close
#else
import Darwin
private let closeDescriptor = Darwin.close
#endif

/// A Kafka broker inside this process, for development, demonstrations and tests. It listens on 127.0.0.1 only.
///
/// It is librdkafka's mock cluster, which speaks the real protocol to other processes: consumer groups, idempotent producers,
/// all compressions. What it does not do:
/// - It keeps everything in memory; a restart is empty. ``StreamConsumer/clusterID(timeoutMilliseconds:)`` tells one life from
///   the next.
/// - It keeps 5 MiB (as compressed by the producer) in each partition and then drops the oldest data **without a word**. Hence
///   64 partitions by default; a consumer reports ``StreamHappening/gap(_:)`` or ``StreamHappening/offsetOutOfRange(_:)``.
/// - It has no offsets by time, no topic administration and no isolation of transactions. A topic that a client creates by using
///   it gets four partitions.
/// - A record (or batch of records) that is larger than those 5 MiB displaces everything in its partition, and itself unless it is
///   the partition's first. Compressible records of 10 MB pass.
/// - Topics are never compacted, and a consumer that subscribes to a missing topic creates it.
/// - A group's first members wait 3 s for each other.
///
/// ### The fixed port
/// The mock cluster binds a random port and tells clients that address. A forwarder on the fixed port would carry only the first
/// request, and all the rest would depend on the random port. Instead, on Linux the target `CBrokerPort` defines `bind` in the
/// executable and lends the mock cluster a socket that this class has bound before. So the advertised port is the fixed one, a
/// taken port is found out before librdkafka is involved (2.0.2 hangs when its own bind fails), and the port may be used again
/// right after ``close()``.
///
/// ### Groups
/// The mock cluster of librdkafka 2.0.2 ends its process by an assertion where a member joins while an earlier request of the same
/// member still waits, as happens after a consumer was stopped past its session timeout. On Linux `CBrokerPort` gives such a
/// member a new id before the mock cluster sees it. Against failures that nobody has foreseen,
/// ``beginAgainAfterFailure(arguments:)`` makes a process that is nothing but a broker begin again as another, empty cluster.
public final class EmbeddedBroker: Sendable {
    /// `127.0.0.1:port`.
    public let bootstrapServers: String
    /// The port that it listens on.
    public let port: UInt16

    /// What is freed on close. Unchecked: the pointer is only used under the lock.
    private struct Running: @unchecked Sendable {
        var cluster: OpaquePointer
        var client: ClientHandle
    }

    private let running: Mutex<Running?>

    /// Starts a broker.
    ///
    /// - Parameters:
    ///   - port: 0 takes any free one.
    ///   - partitions: of each topic in `topics`; 1 to 1,024.
    ///   - topics: created before the call returns.
    ///   - sized: created as well, each with partitions of its own, which also count where `topics` has the same name.
    /// - Throws: ``StreamError`` with code `portTaken` or `configuration`.
    public init(
        port: UInt16, partitions: Int = 64, topics: [String] = [], sized: [EmbeddedTopic] = []
    ) throws(StreamError) {
        var sizes: [String: Int] = [:]
        for topic in topics { sizes[topic] = try EmbeddedTopic(topic, partitions: partitions).partitions }
        for topic in sized { sizes[topic.name] = topic.partitions }
        _ = try EmbeddedTopic.checked(partitions: partitions)
        guard let configuration = rd_kafka_conf_new() else {
            throw StreamError(.other, "librdkafka could not allocate a configuration.")
        }
        // The bound on what a client may send in one request: a batch of large records.
        rd_kafka_conf_set(configuration, "receive.message.max.bytes", "536870912", nil, 0)
        rd_kafka_conf_set(configuration, "client.id", "freshet-broker", nil, 0)
        rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in }
        let client = try ClientHandle(RD_KAFKA_PRODUCER, configuration)
        var random = SystemRandomNumberGenerator()
        sizes[ClusterIdentity.newMarker(&random)] = 1
        let listener = try Self.listener(port: port)
        defer { _ = closeDescriptor(listener) }
        var cluster: OpaquePointer?
        for _ in 0..<10 where cluster == nil {
            cluster = try Self.startCluster(client, listener, port: port, topics: sizes)
        }
        guard let cluster, let address = rd_kafka_mock_cluster_bootstraps(cluster) else {
            throw StreamError(
                .other, isRetriable: true,
                "Clients created the broker's topics with the wrong number of partitions before it could. Stop them for a moment.")
        }
        bootstrapServers = String(cString: address)
        self.port = bootstrapServers.split(separator: ":").last.flatMap { UInt16($0) } ?? port
        running = Mutex(Running(cluster: cluster, client: client))
    }

    deinit { close() }

    /// Stops listening, closes every client's connection and forgets all records. Calling it twice does nothing more.
    public func close() {
        let stopped = running.withLock { running in
            defer { running = nil }
            return running
        }
        if let stopped { rd_kafka_mock_cluster_destroy(stopped.cluster) }
    }

    // MARK: Faults, for tests of what depends on a broker

    /// What a topic can be made to answer.
    public enum TopicFault: Sendable {
        case none, unknownTopic, notAuthorized
    }

    /// Breaks every connection and refuses new ones until ``endOutage()``. Records stay.
    public func beginOutage() {
        running.withLock { _ = $0.map { rd_kafka_mock_broker_set_down($0.cluster, -1) } }
    }

    /// Accepts connections again.
    public func endOutage() {
        running.withLock { _ = $0.map { rd_kafka_mock_broker_set_up($0.cluster, -1) } }
    }

    /// Makes the broker answer questions about `topic` with an error.
    public func setFault(_ fault: TopicFault, topic: String) {
        let error =
            switch fault {
            case .none: RD_KAFKA_RESP_ERR_NO_ERROR
            case .unknownTopic: RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            case .notAuthorized: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
            }
        running.withLock { _ = $0.map { rd_kafka_mock_topic_set_error($0.cluster, topic, error) } }
    }

    /// Makes the broker forget what makes sending idempotent: the next records of a producer that has sent some are refused for good.
    public func forgetProducers() {
        // 0 is the number of the request that sends records.
        let refusal = [RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER]
        running.withLock { _ = $0.map { rd_kafka_mock_push_request_errors_array($0.cluster, 0, refusal.count, refusal) } }
    }

    // MARK: Start

    /// Starts the cluster and creates its topics. Nil where a client was faster and created one of them by asking for it.
    private static func startCluster(
        _ client: ClientHandle, _ listener: Int32, port: UInt16, topics: [String: Int]
    ) throws(StreamError) -> OpaquePointer? {
        if freshet_broker_port_supported() != 0 { freshet_broker_port_lend(listener) }
        let cluster = rd_kafka_mock_cluster_new(client.pointer, 1)
        let took = freshet_broker_port_end() != 0
        guard let cluster else {
            throw StreamError(.other, isRetriable: true, "librdkafka could not start its mock cluster on port \(port).")
        }
        guard took || port == 0 else {
            rd_kafka_mock_cluster_destroy(cluster)
            throw StreamError(
                .configuration,
                "An embedded broker cannot have the fixed port \(port) on this platform or with this build of librdkafka. Use port 0.")
        }
        for (topic, partitions) in topics {
            let error = rd_kafka_mock_topic_create(cluster, topic, Int32(partitions), 1)
            if error == RD_KAFKA_RESP_ERR_NO_ERROR { continue }
            rd_kafka_mock_cluster_destroy(cluster)
            if error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return nil }
            throw StreamError(error, "creating topic \(topic) on the embedded broker")
        }
        return cluster
    }

    /// A socket that is bound to the port on loopback.
    private static func listener(port: UInt16) throws(StreamError) -> Int32 {
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw StreamError(.other, "No socket for the embedded broker: \(reason()).") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Connections of the broker's last life linger for a minute and must not keep the port.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // Listening already here makes two brokers that start at once notice each other; librdkafka listens again, which is harmless.
        guard bound == 0, listen(descriptor, SOMAXCONN) == 0 else {
            let why = errno
            let text = reason()
            _ = closeDescriptor(descriptor)
            throw StreamError(
                why == EADDRINUSE ? .portTaken : .configuration,
                why == EADDRINUSE
                    ? "Port \(port) on 127.0.0.1 is in use: another broker runs there. Stop it, use it, or choose another port with --port."
                    : "The embedded broker cannot use port \(port) on 127.0.0.1: \(text). Choose another with --port.")
        }
        return descriptor
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
