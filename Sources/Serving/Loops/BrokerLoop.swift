import Console
import EventStream
import FeatureStore
import RecommendationAPI

/// Looks every two seconds how far ingest is behind, what is still to be erased, what the gate refused, and whether Kafka answers.
struct BrokerLoop: Sendable {
    let store: StoreQueries
    let board: StatisticsBoard
    /// Told which cluster the broker says it is.
    let cluster: SnapshotCell<String?>
    let kafka: KafkaSettings
    let topics: [String]

    private static let every = Duration.seconds(2)

    func run() async {
        while !Task.isCancelled {
            // Without the stored offsets there is no lag; whether the broker answers is asked all the same. A database that is away is
            // told by the catalogue loop.
            let figures = try? await store.run { store throws(StoreError) in try store.watchedFigures() }
            if let figures { board.sampled(figures) }
            await board.parts.watching(\.broker) { try await ask(stored: figures?.offsets) }
            try? await Task.sleep(for: Self.every)
        }
    }

    private func ask(stored offsets: [StoredOffset]?) async throws {
        do {
            let reading = try await read()
            cluster.replace(by: reading.cluster)
            board.read(reading, stored: offsets)
        } catch {
            board.read(nil, stored: offsets)
            throw error
        }
    }

    private func read() async throws -> LagReading {
        let kafka = kafka, topics = topics
        return try await OwnThread.run(named: "freshet-lag") { try LagReading(kafka, topics: topics) }
    }
}

/// How far the stored offsets are behind the topics' ends.
struct LagReading: Sendable {
    let cluster: String
    /// Topics that the cluster does not have.
    let missingTopics: [String]
    /// The first and the next offset of every partition.
    private let bounds: [TopicPartition: ClosedRange<Int64>]

    /// Asks the broker.
    init(_ settings: KafkaSettings, topics: [String]) throws {
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
        self.bounds = bounds
        missingTopics = missing
        cluster = try consumer.clusterID(timeoutMilliseconds: 3_000)
    }

    /// The stored offsets that mean something here: of this cluster, and of partitions that it has.
    func current(_ stored: [StoredOffset]) -> [StoredOffset] {
        stored.filter { $0.cluster == cluster && bounds[TopicPartition($0.topic, $0.partition)] != nil }
    }

    /// What of the records is not stored. Rows of former clusters, topics and partitions say nothing of it.
    func ingest(stored: [StoredOffset]?) -> ReadinessFacts.Ingest {
        guard let stored else { return ReadinessFacts.Ingest(missingTopics: missingTopics) }
        var left: [TopicPartition: Int64] = bounds.mapValues { $0.upperBound - $0.lowerBound }
        for offset in current(stored) {
            let partition = TopicPartition(offset.topic, offset.partition)
            // Nothing is owed below the first record that the broker still has.
            guard let range = bounds[partition] else { continue }
            left[partition] = range.upperBound - min(max(offset.nextOffset ?? 0, range.lowerBound), range.upperBound)
        }
        let foreign = stored.count { $0.cluster != cluster && bounds[TopicPartition($0.topic, $0.partition)] != nil }
        // What a broker says may be anything: its sum ends nothing.
        let lag: Int64 = left.values.reduce(Int64(0)) { sum, next in
            let (larger, isBeyond) = sum.addingReportingOverflow(next)
            return isBeyond ? Int64.max : larger
        }
        let storedOffsets = current(stored).reduce(Int64(0)) { $0 &+ ($1.nextOffset ?? 0) }
        return ReadinessFacts.Ingest(
            foreignPartitions: foreign, missingTopics: missingTopics, lagRecords: lag, storedOffsets: storedOffsets)
    }
}
