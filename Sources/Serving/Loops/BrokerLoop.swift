import Console
import EventStream
import FeatureStore

/// Looks every two seconds how far ingest is behind, what is still to be erased, what the gate refused, and whether Kafka answers.
package struct BrokerLoop: Sendable {
    private let store: StoreQueries
    private let board: StatisticsBoard
    private let cluster: SnapshotCell<String?>
    private let kafka: KafkaSettings
    private let topics: [String]

    /// A loop that looks at these topics.
    ///
    /// - Parameter cluster: told which cluster the broker says it is.
    package init(store: StoreQueries, board: StatisticsBoard, cluster: SnapshotCell<String?>, kafka: KafkaSettings, topics: [String]) {
        self.store = store
        self.board = board
        self.cluster = cluster
        self.kafka = kafka
        self.topics = topics
    }

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
