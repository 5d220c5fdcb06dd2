import EventStream
import FeatureStore
import Foundation
import Interactions
import RecommendationAPI

/// What comes in over HTTP goes out through Kafka: checked by the decoder that the consumer uses, then acknowledged by the broker.
struct IntakeFlow: Sendable {
    private static let waitLimit = Duration.seconds(5)
    /// The pause between two looks at the database grows from the first to the second.
    private static let pause = (first: Duration.milliseconds(3), longest: Duration.milliseconds(50))

    let producer: StreamProducer
    let store: StoreQueries
    let decoder: RecordDecoder
    let topics: Topics
    /// The cluster that the producer writes to, once it is known.
    let cluster: SnapshotCell<String?>

    /// The topics' names.
    struct Topics: Sendable {
        var events: String
        var items: String
        var users: String
    }

    /// `POST /v1/events`
    func submit(_ submission: EventSubmission) async throws -> IntakeOutcome {
        let now = EventTime.now
        var refusals: [IntakeOutcome.Refusal] = []
        var accepted: [(key: [UInt8], value: [UInt8])] = []
        for index in 0..<submission.count {
            submission.withEvent(at: index) { bytes in
                switch decoder.interaction(bytes, origin: Self.origin, now: now) {
                case .success(let interaction):
                    accepted.append((Array(interaction.userID.utf8), Array(bytes)))
                case .failure(let rejection):
                    refusals.append(IntakeOutcome.Refusal(index: index, rejection: rejection))
                }
            }
        }
        let positions = try await produce(accepted, to: topics.events)
        let committed = submission.waitsForCommit ? try await wait(for: positions, in: topics.events) : nil
        return IntakeOutcome(
            accepted: accepted.count, refusals: refusals, watermark: Watermark(positions).text, isCommitted: committed)
    }

    /// `PUT /v1/items/{id}`
    func putItem(_ submission: RecordSubmission) async throws -> IntakeOutcome {
        try await put(submission, topic: topics.items) { bytes in
            decoder.item(bytes, origin: Self.origin, now: EventTime.now).map { _ in () }
        }
    }

    /// `PUT /v1/users/{id}`
    func putUser(_ submission: RecordSubmission) async throws -> IntakeOutcome {
        try await put(submission, topic: topics.users) { bytes in
            decoder.user(bytes, origin: Self.origin, now: EventTime.now).map { _ in () }
        }
    }

    /// `DELETE /v1/items/{id}`
    func deleteItem(_ request: DeletionRequest) async throws -> IntakeOutcome {
        try await delete(request, topic: topics.items)
    }

    /// `DELETE /v1/users/{id}`
    func deleteUser(_ request: DeletionRequest) async throws -> IntakeOutcome {
        try await delete(request, topic: topics.users)
    }

    /// Waits until the database holds what `watermark` names in the events topic.
    func wait(for watermark: Watermark) async throws {
        let positions = watermark.offsets.map { Position(partition: $0.key, offset: $0.value) }
        guard try await wait(for: positions, in: topics.events) else {
            throw ServiceError(.timedOut, "the events up to \(watermark.text ?? "") were not stored within \(Self.waitLimit); is `freshet ingest` running?")
        }
    }

    private static let origin = RecordOrigin(source: "http", cluster: "http", position: Position(partition: 0, offset: 0))

    private func put(
        _ submission: RecordSubmission, topic: String, check: (UnsafeRawBufferPointer) -> Result<Void, Rejection>
    ) async throws -> IntakeOutcome {
        if case .failure(let rejection) = submission.body.withUnsafeBytes(check) {
            return IntakeOutcome(accepted: 0, refusals: [IntakeOutcome.Refusal(index: 0, rejection: rejection)])
        }
        let positions = try await produce([(Array(submission.id.utf8), submission.body)], to: topic)
        let committed = submission.waitsForCommit ? try await wait(for: positions, in: topic) : nil
        return IntakeOutcome(accepted: 1, isCommitted: committed)
    }

    private func delete(_ request: DeletionRequest, topic: String) async throws -> IntakeOutcome {
        let position = try await explaining { try await producer.produceAcknowledged(topic: topic, key: Array(request.id.utf8), value: nil) }
        let committed = request.waitsForCommit ? try await wait(for: [position], in: topic) : nil
        return IntakeOutcome(accepted: 1, isCommitted: committed)
    }

    private func produce(_ records: [(key: [UInt8], value: [UInt8])], to topic: String) async throws -> [Position] {
        if records.count == 1 {
            return [try await explaining { try await producer.produceAcknowledged(topic: topic, key: records[0].key, value: records[0].value) }]
        }
        return try await explaining {
            try await withThrowingTaskGroup(of: Position.self) { group in
                for record in records {
                    group.addTask { try await producer.produceAcknowledged(topic: topic, key: record.key, value: record.value) }
                }
                var positions: [Position] = []
                for try await position in group { positions.append(position) }
                return positions
            }
        }
    }

    private func wait(for positions: [Position], in topic: String) async throws -> Bool {
        guard !positions.isEmpty else { return true }
        let limit = ContinuousClock.now + Self.waitLimit
        var pause = Self.pause.first
        let cluster = cluster.current
        repeat {
            if try await store.run({ store throws(StoreError) in
                try store.isCommitted(positions.map { (topic: topic, position: $0) }, cluster: cluster)
            }) { return true }
            try await Task.sleep(for: pause)
            pause = min(Self.pause.longest, pause * 1.3)
        } while ContinuousClock.now < limit
        return false
    }

    /// Turns the stream's errors into answers that a caller can act on.
    private func explaining<Result: Sendable>(_ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch let error as StreamError {
            throw ServiceError(.unavailable, "the broker did not take the record: \(error.message)", retryAfterSeconds: 1)
        }
    }
}
