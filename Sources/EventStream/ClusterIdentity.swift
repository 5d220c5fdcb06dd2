import CRDKafka

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Tells one Kafka cluster from another, and one life of an embedded broker from the next.
///
/// A real cluster has a random id for life. librdkafka's mock cluster makes its id from a memory address, which comes again
/// after a restart, so an embedded broker creates a topic whose name holds a random number (its incarnation), and the identity
/// is both.
enum ClusterIdentity {
    static let markerPrefix = "__freshet.incarnation."
    private static let mockPrefix = "mockCluster"

    /// Names the marker topic of a broker's new life.
    static func newMarker(_ random: inout some RandomNumberGenerator) -> String {
        let hex = (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return markerPrefix + hex.joined()
    }

    /// Asks the cluster for its identity: a real cluster's id, `embedded-…` of an embedded broker, or a mock cluster's own id,
    /// which is weak, where it was started by something else.
    static func ask(_ client: ClientHandle, timeoutMilliseconds: Int) throws(StreamError) -> String {
        let timeout = Int32(clamping: timeoutMilliseconds)
        // librdkafka remembers the first id that it saw; a fresh answer of the broker replaces it.
        _ = try client.partitionCounts(.known, timeoutMilliseconds: timeout)
        guard let text = rd_kafka_clusterid(client.pointer, timeout) else {
            throw StreamError(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "asking for the cluster's id", text: "no broker answered")
        }
        defer { rd_kafka_mem_free(client.pointer, text) }
        let id = String(cString: text)
        guard id.hasPrefix(mockPrefix) else { return id }
        for attempt in 0..<5 {
            // A broker that is just starting listens a moment before it has its marker.
            if attempt > 0 { usleep(50_000) }
            let topics = try client.partitionCounts(.all, timeoutMilliseconds: timeout)
            if let marker = topics.keys.first(where: { $0.hasPrefix(markerPrefix) }) {
                return "embedded-" + marker.dropFirst(markerPrefix.count)
            }
        }
        return id
    }
}
