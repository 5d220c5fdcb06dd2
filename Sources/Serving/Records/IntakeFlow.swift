import FeatureStore
import Intake
import Interactions
import RecommendationAPI

/// What comes in over HTTP goes out through Kafka: checked by the decoder that the consumer uses, then acknowledged by the broker.
package struct IntakeFlow: Sendable {
    private static let waitLimit = Duration.seconds(5)
    /// Between two looks at the database.
    private static let pause = GrowingPause(first: .milliseconds(3), longest: .milliseconds(50), factor: 1.3)

    /// What hands records to Kafka.
    package let gate: IntakeGate
    private let store: StoreQueries
    private let commitWaits: IntakeLimit
    private let decoder: RecordDecoder
    private let topics: Topics
    private let cluster: SnapshotCell<String?>
    private let clock: ServiceClock

    /// A way in.
    ///
    /// - Parameters:
    ///   - store: with connections of its own: no answer waits for one while writers wait for their commits.
    ///   - commitWaits: requests that wait for their commit.
    ///   - cluster: the one that the producer writes to, once it is known.
    package init(
        gate: IntakeGate, store: StoreQueries, commitWaits: IntakeLimit, decoder: RecordDecoder, topics: Topics,
        cluster: SnapshotCell<String?>, clock: ServiceClock
    ) {
        self.gate = gate
        self.store = store
        self.commitWaits = commitWaits
        self.decoder = decoder
        self.topics = topics
        self.cluster = cluster
        self.clock = clock
    }

    /// The topics' names.
    package struct Topics: Sendable {
        fileprivate var events: String
        fileprivate var items: String
        fileprivate var users: String

        /// All of them.
        package init(events: String, items: String, users: String) {
            self.events = events
            self.items = items
            self.users = users
        }
    }

    /// `POST /v1/events`
    package func submit(_ submission: EventSubmission) async throws -> IntakeOutcome {
        let now = clock.now()
        let origin = Self.origin(at: now)
        var outcome = IntakeOutcome(accepted: 0)
        var accepted: [Accepted] = []
        for index in 0..<submission.count {
            // A request whose time is over, or whose caller left, ends here, before anything is sent.
            try Task.checkCancellation()
            submission.withEvent(at: index) { bytes in
                switch decoder.interaction(bytes, origin: origin, now: now) {
                case .success(let event):
                    accepted.append(
                        Accepted(index: index, userID: event.userID, time: event.time, eventID: event.eventID, value: Array(bytes)))
                case .failure(var rejection):
                    if rejection.code == .unknownType {
                        switch decoder.identity(bytes, origin: origin, now: now) {
                        case .success(let identity?):
                            return accepted.append(
                                Accepted(index: index, userID: identity.userID, time: identity.time ?? now, value: Array(bytes)))
                        case .success(nil): break
                        case .failure(let own): rejection = own
                        }
                    }
                    outcome.refusals.append(IntakeOutcome.Refusal(index: index, rejection: rejection))
                }
            }
        }
        let positions = try await gate.produce(
            accepted.map { (Array($0.userID.utf8), $0.value) }, to: topics.events, at: now)
        outcome.accepted = accepted.count
        outcome.watermark = Watermark(positions).text
        guard submission.waitsForCommit else { return outcome }
        var sent = SentRecords(kind: .events, topic: topics.events)
        sent.events = zip(accepted, positions).map { record, position in
            // One that was derived from the place that stands for none means nothing.
            let id = record.eventID == decoder.derivedEventID(at: origin) ? nil : record.eventID
            return (record.index, SentEvent(position: position, userID: record.userID, time: record.time, eventID: id))
        }
        try await settle(sent, at: positions, &outcome)
        return outcome
    }

    /// An event of a request that is handed to Kafka.
    private struct Accepted {
        var index: Int
        var userID: String
        var time: EventTime
        /// Nil of one that joins ids, which needs none.
        var eventID: String?
        var value: [UInt8]
    }

    /// `PUT` and `PATCH /v1/items/{id}`
    package func putItem(_ submission: RecordSubmission) async throws -> IntakeOutcome {
        try await put(submission, .item, topic: topics.items) { bytes, origin in
            decoder.itemChange(bytes, origin: origin, now: clock.now())
        }
    }

    /// `PUT` and `PATCH /v1/users/{id}`
    package func putUser(_ submission: RecordSubmission) async throws -> IntakeOutcome {
        try await put(submission, .user, topic: topics.users) { bytes, origin in
            decoder.userChange(bytes, origin: origin, now: clock.now())
        }
    }

    /// `DELETE /v1/items/{id}`
    package func deleteItem(_ request: DeletionRequest) async throws -> IntakeOutcome {
        try await delete(request, .item, topic: topics.items)
    }

    /// `DELETE /v1/users/{id}`
    package func deleteUser(_ request: DeletionRequest) async throws -> IntakeOutcome {
        try await delete(request, .user, topic: topics.users)
    }

    /// Waits until the database holds what `watermark` names in the events topic.
    package func wait(for watermark: Watermark) async throws {
        let positions = watermark.offsets.map { Position(partition: $0.key, offset: $0.value) }
        guard try await wait(for: positions, in: topics.events) else {
            throw ServiceError(
                .timedOut,
                "the events up to \(watermark.text ?? "") were not stored within \(Self.waitLimit); is `freshet ingest` running?")
        }
    }

    /// What came in over HTTP has no place in a topic yet; its time is now.
    private static func origin(at now: EventTime) -> RecordOrigin {
        RecordOrigin(source: "http", cluster: "http", position: Position(partition: 0, offset: 0), recordTime: now)
    }

    private func put<Record: PatchableRecord>(
        _ submission: RecordSubmission, _ kind: SentRecords.Kind, topic: String,
        read: (UnsafeRawBufferPointer, RecordOrigin) -> Result<RecordChange<Record>, Rejection>
    ) async throws -> IntakeOutcome {
        let now = clock.now()
        func refused(_ rejection: Rejection) -> IntakeOutcome {
            IntakeOutcome(accepted: 0, refusals: [IntakeOutcome.Refusal(index: 0, rejection: rejection)])
        }
        let record: (id: String, updatedAt: EventTime?, key: [UInt8])
        var statesOthers = false
        switch submission.body.withUnsafeBytes({ read($0, Self.origin(at: now)) }) {
        case .success(.upsert(let whole)): record = (whole.id, whole.updatedAt, RecordKey.bytes(of: submission.id))
        case .success(.patch(let patch)):
            guard submission.isPatch else {
                return refused(Rejection(.outOfRange, field: "patch", "is true, but PUT replaces the whole record: send it by PATCH"))
            }
            statesOthers = !patch.fields.isEmpty
            record = (patch.id, patch.updatedAt, RecordKey.bytes(ofPatch: submission.id, of: Record.self))
        case .success(.delete): return refused(Rejection(.wrongType, "the record is a deletion: send DELETE"))
        case .failure(let rejection): return refused(rejection)
        }
        let positions = try await gate.produce([(record.key, submission.body)], to: topic, at: now)
        var outcome = IntakeOutcome(accepted: 1)
        guard submission.waitsForCommit else { return outcome }
        var sent = SentRecords(kind: kind, topic: topic)
        sent.record = SentRecord(
            id: record.id, position: positions[0], isDeletion: false, isPatch: submission.isPatch,
            time: SentRecords.time(record.updatedAt, sentAt: now))
        sent.record?.statesOthers = statesOthers
        try await settle(sent, at: positions, &outcome)
        return outcome
    }

    private func delete(_ request: DeletionRequest, _ kind: SentRecords.Kind, topic: String) async throws -> IntakeOutcome {
        if let rejection = Self.rejection(of: request.id, kind, decoder) {
            return IntakeOutcome(accepted: 0, refusals: [IntakeOutcome.Refusal(index: 0, rejection: rejection)])
        }
        let now = clock.now()
        // In a compacted topic what was patched has a key of its own, and goes with the record.
        let patches = kind == .user
            ? RecordKey.bytes(ofPatch: request.id, of: UserRecord.self) : RecordKey.bytes(ofPatch: request.id, of: ItemRecord.self)
        let positions = try await gate.produce([(RecordKey.bytes(of: request.id), nil), (patches, nil)], to: topic, at: now)
        var outcome = IntakeOutcome(accepted: 1)
        guard request.waitsForCommit else { return outcome }
        var sent = SentRecords(kind: kind, topic: topic)
        sent.record = SentRecord(
            id: IDForm.nfc.of(request.id), position: positions[0], isDeletion: true, time: SentRecords.time(nil, sentAt: now))
        let limit = ContinuousClock.now + Self.waitLimit
        try await settle(sent, at: positions, &outcome)
        if kind == .user { outcome.isErased = try await isErased(IDForm.nfc.of(request.id), outcome, until: limit) }
        return outcome
    }

    /// Whether the rows of a user whose deletion is committed are gone before the time is up.
    private func isErased(_ userID: String, _ outcome: IntakeOutcome, until limit: ContinuousClock.Instant) async throws -> Bool {
        guard outcome.isCommitted == true else { return false }
        return try await isTrue(until: limit) { store throws(StoreError) in try store.isErasureFinished(of: userID) }
    }

    /// Asks the database again and again until it says yes or the time is up. One that is away only delays that.
    private func isTrue(
        until limit: ContinuousClock.Instant, _ question: @escaping @Sendable (StoreQueries) throws(StoreError) -> Bool
    ) async throws -> Bool {
        var pause = Self.pause
        while true {
            do {
                if try await store.run(question) { return true }
            } catch {
                guard error.isRetriable else { throw error }
            }
            guard ContinuousClock.now < limit else { return false }
            try await Task.sleep(for: pause.take())
        }
    }

    /// Why no record can have this id.
    private static func rejection(of id: String, _ kind: SentRecords.Kind, _ decoder: RecordDecoder) -> Rejection? {
        do throws(Rejection) {
            _ = try decoder.rules.id(id, of: kind == .user ? .user : .thing, field: "id")
            return nil
        } catch {
            return error
        }
    }

    /// Waits for the commit, then adds what it found to the outcome.
    private func settle(_ sent: SentRecords, at positions: [Position], _ outcome: inout IntakeOutcome) async throws {
        // Kafka has the records: where too many wait already, this one is told that its commit was not waited for.
        let isCommitted = try await commitWaits.holdIfFree { try await wait(for: positions, in: sent.topic) } ?? false
        outcome.isCommitted = isCommitted
        if isCommitted { try await sent.settle(&outcome, store: store, cluster: cluster.current) }
    }

    private func wait(for positions: [Position], in topic: String) async throws -> Bool {
        guard !positions.isEmpty else { return true }
        let cluster = cluster.current
        return try await isTrue(until: ContinuousClock.now + Self.waitLimit) { store throws(StoreError) in
            try store.isCommitted(positions.map { (topic: topic, position: $0) }, cluster: cluster)
        }
    }
}
