import Console
import Foundation
import Interactions

/// What a measurement needs of a running service, asked before it begins: what is missing is said at once, and not found out by
/// waiting for it with every request.
public struct BenchReadiness: Sendable {
    /// What is needed besides a service that answers.
    public enum Need: Sendable {
        /// A model in force: without one nothing is personal.
        case model
        /// A consumer that stores what the service takes.
        case ingest
    }

    let service: ServiceClient
    /// Of whom an answer is asked for.
    let userID: String

    private static let limit = Duration.seconds(10)

    /// Makes the check.
    ///
    /// - Parameter userID: of whom an answer is asked for.
    public init(service: ServiceClient, userID: String) {
        self.service = service
        self.userID = userID
    }

    /// Returns where everything is there.
    ///
    /// - Throws: ``CommandFailure`` that says what is missing and what to do.
    public func check(_ needs: [Need]) async throws {
        try await reach()
        let answer = try await asked { try await service.recommendations(userID: userID, count: 1, timeout: Self.limit) }
        if needs.contains(.model), answer.model_version == nil {
            throw CommandFailure(
                "the service at \(service.base) has no model, and without one nothing is personal: run freshet train first")
        }
        if needs.contains(.ingest) { try await store() }
    }

    private func reach() async throws {
        do {
            // The call tries to connect for as long as this: a service that lives answers in milliseconds.
            _ = try await service.send(.get, "/healthz", body: nil, timeout: .seconds(5))
        } catch let refused as ServiceClient.Refused {
            throw CommandFailure("what listens at \(service.base) is no Freshet service (GET /healthz: \(refused.status)): correct --url")
        } catch let cancelled as CancellationError {
            throw cancelled
        } catch {
            throw CommandFailure(
                "no service answers at \(service.base) (\(error)): start freshet serve, or name the one that runs with --url")
        }
    }

    /// Sends the deletion of an item that nobody has and waits until it is stored.
    private func store() async throws {
        let id = "freshet-bench-\(EventTime.now.milliseconds)"
        let data = try await asked { try await service.send(.delete, "/v1/items/\(id)?wait=true", body: nil, timeout: .seconds(30)) }
        guard try Self.isCommitted(data) else {
            throw CommandFailure(
                "what the service at \(service.base) takes is not stored within its 5 s: start freshet ingest, or wait until it has "
                    + "caught up (freshet doctor says what is away)")
        }
    }

    /// Whether an answer to `?wait=true` says that what was sent is stored.
    static func isCommitted(_ answer: Data) throws -> Bool {
        (try JSONSerialization.jsonObject(with: answer) as? [String: Any])?["committed"] as? Bool == true
    }

    private func asked<Answer>(_ question: () async throws -> Answer) async throws -> Answer {
        do {
            return try await question()
        } catch let refused as ServiceClient.Refused where refused.status == 401 || refused.status == 403 {
            throw CommandFailure(
                "the service at \(service.base) wants a key (it answered \(refused.status)): put one that may read and write into "
                    + "FRESHET_BENCH_KEY")
        }
    }
}
