import EventStream
import FeatureStore
import RecommendationAPI

/// How far the stored offsets are behind the topics' ends.
package struct LagReading: Sendable {
    /// The cluster that was asked.
    package let cluster: String
    /// Topics that the cluster does not have.
    package let missingTopics: [String]
    /// The first and the next offset of every partition.
    private let bounds: [TopicPartition: ClosedRange<Int64>]

    /// What a broker said.
    package init(cluster: String, missingTopics: [String] = [], bounds: [TopicPartition: ClosedRange<Int64>]) {
        self.cluster = cluster
        self.missingTopics = missingTopics
        self.bounds = bounds
    }

    /// Asks the broker.
    package init(_ settings: KafkaSettings, topics: [String]) throws {
        let consumer = try StreamConsumer(reading: settings)
        defer { consumer.close() }
        var bounds: [TopicPartition: ClosedRange<Int64>] = [:]
        var missing: [String] = []
        for topic in topics {
            do throws(StreamError) {
                for found in try consumer.endOffsets(topic, timeoutMilliseconds: 3_000) {
                    bounds[TopicPartition(topic, found.partition)] = max(0, min(found.low, found.high))...max(0, found.high)
                }
            } catch {
                guard error.code == .unknownTopic else { throw error }
                missing.append(topic)
            }
        }
        self.init(cluster: try consumer.clusterID(timeoutMilliseconds: 3_000), missingTopics: missing, bounds: bounds)
    }

    /// The stored offsets that mean something here: of this cluster, and of partitions that it has.
    package func current(_ stored: [StoredOffset]) -> [StoredOffset] {
        stored.filter { $0.cluster == cluster && bounds[TopicPartition($0.topic, $0.partition)] != nil }
    }

    /// What of the records is not stored. Rows of former clusters, topics and partitions say nothing of it.
    package func ingest(stored: [StoredOffset]?) -> ReadinessFacts.Ingest {
        guard let stored else { return ReadinessFacts.Ingest(missingTopics: missingTopics) }
        var left: [TopicPartition: Int64] = bounds.mapValues { $0.upperBound - $0.lowerBound }
        for offset in current(stored) {
            let partition = TopicPartition(offset.topic, offset.partition)
            // Nothing is owed below the first record that the broker still has.
            guard let range = bounds[partition] else { continue }
            left[partition] = range.upperBound - min(max(offset.nextOffset ?? 0, range.lowerBound), range.upperBound)
        }
        let foreign = stored.count { $0.cluster != cluster && bounds[TopicPartition($0.topic, $0.partition)] != nil }
        let storedOffsets = current(stored).reduce(Int64(0)) { $0 &+ ($1.nextOffset ?? 0) }
        return ReadinessFacts.Ingest(
            foreignPartitions: foreign, missingTopics: missingTopics, lagRecords: boundedSum(left.values), storedOffsets: storedOffsets)
    }
}
