import ForeignClients
import HTTPTypes
import Interactions

/// What the doors for clients of other systems write: records of our own, through Kafka, and committed before the client is answered.
struct DoorWrites {
    /// Records that are on their way at once.
    private static let recordsAtOnce = 16

    let exchange: Exchange

    private var operations: ServiceOperations { exchange.service.operations }

    var doors: ForeignDoors {
        get throws {
            guard let doors = operations.foreign else { throw Problem(.notFound, "not-configured", "This door is not open here.") }
            return doors
        }
    }

    /// Stores users or items; returns when all are committed.
    func put(_ records: [DoorRecord], isPatch: Bool = false, users: Bool) async throws {
        let put = users ? operations.putUser : operations.putItem
        let bounds = exchange.service.configuration
        for record in records { _ = users ? try bounds.userID(record.id, "UserId") : try bounds.id(record.id, "ItemId") }
        try await withThrowingTaskGroup(of: IntakeOutcome.self) { group in
            var waiting = 0
            for record in records {
                if waiting == Self.recordsAtOnce, let outcome = try await group.next() {
                    try check(outcome)
                    waiting -= 1
                }
                group.addTask {
                    try await put(RecordSubmission(id: record.id, body: record.body, isPatch: isPatch, waitsForCommit: true))
                }
                waiting += 1
            }
            while let outcome = try await group.next() { try check(outcome) }
        }
    }

    /// Makes items that are named and of which nothing is stored, as Gorse does.
    func makeItems(_ ids: [String]) async throws {
        let named = Array(Set(ids)).sorted()
        if named.isEmpty { return }
        let unknown = try await doors.unknownItems(named)
        if !unknown.isEmpty { try await put(unknown.map { GorseObjects.bareItem($0) }, users: false) }
    }

    /// Stores events; returns when all are committed.
    @discardableResult
    func send(_ events: [[UInt8]], mayRefuse: (IntakeOutcome.Refusal) -> Bool = { _ in false }) async throws -> IntakeOutcome {
        if events.isEmpty { return IntakeOutcome(accepted: 0) }
        var body: [UInt8] = [], ranges: [Range<Int>] = []
        for event in events {
            ranges.append(body.count..<body.count + event.count)
            body += event
        }
        var outcome = try await operations.submitEvents(EventSubmission(body: body, ranges: ranges, waitsForCommit: true))
        let refused = outcome.refusals
        outcome.refusals = refused.filter { !mayRefuse($0) }
        try check(outcome)
        outcome.refusals = refused
        return outcome
    }

    /// Erases a user.
    func deleteUser(_ id: String) async throws {
        let id = try exchange.service.configuration.userID(id, "user_id")
        try check(try await operations.deleteUser(DeletionRequest(id: id, waitsForCommit: true)))
    }

    /// Takes an item out of the catalogue.
    func deleteItem(_ id: String) async throws {
        let id = try exchange.service.configuration.id(id, "item_id")
        try check(try await operations.deleteItem(DeletionRequest(id: id, waitsForCommit: true)))
    }

    /// A client is told that all is stored, or what is not.
    private func check(_ outcome: IntakeOutcome) throws(Problem) {
        if let refusal = outcome.refusals.first {
            let rest = outcome.accepted > 0 ? " \(outcome.accepted) others of this request are stored; sent again, they count once." : ""
            throw Problem(
                .badRequest, refusal.code, "\(refusal.index): \(refusal.field.map { "\($0) " } ?? "")\(refusal.detail).\(rest)")
        }
        if outcome.isCommitted == false {
            throw Problem(
                .serviceUnavailable, "not-committed",
                "Kafka has it, but it was not stored within 5 s; is `freshet ingest` running? Sent again, it counts once.",
                headers: [.retryAfter: "1"])
        }
    }
}
