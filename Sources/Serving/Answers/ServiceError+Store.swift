import FeatureStore
import RecommendationAPI
import Recommending

/// Does something with the database, and turns its errors into answers that a caller can act on.
func explaining<Result: Sendable>(_ work: () async throws -> Result) async throws -> Result {
    do {
        return try await work()
    } catch let error as StoreError {
        guard let answer = ServiceError(error) else { throw error }
        throw answer
    }
}

extension ServiceError {
    /// What a caller is told of a failure of the database; nil of one that nobody foresaw.
    package init?(_ error: StoreError) {
        switch error.code {
        case .notFound: self.init(.notFound, error.message)
        case .conflict: self.init(.conflict, error.message)
        case .authentication, .insufficientPrivilege, .missingDatabase:
            // An operator mends it, in the database or in the settings; what it said is on /readyz and in the log, not here.
            self.init(.unavailable, "the database does not let this service do that; its operator sees why", retryAfterSeconds: 30)
        default:
            guard error.isRetriable else { return nil }
            self.init(.unavailable, "the database does not answer; try again shortly", retryAfterSeconds: 1)
        }
    }
}

extension ObjectiveWeights {
    private static let largest = 1_000.0

    /// The goals that a request names, each with its weight; nil where it names none.
    ///
    /// - Throws: ``ServiceError``: `invalid` for other names, and for weights that are too large.
    package init?(named weights: [String: Double]) throws(ServiceError) {
        guard !weights.isEmpty else { return nil }
        for (name, weight) in weights {
            guard ["click", "conversion", "value"].contains(name) else {
                throw ServiceError(.invalid, "objective knows click, conversion and value, not \(name)")
            }
            guard abs(weight) <= Self.largest else {
                throw ServiceError(.invalid, "objective.\(name) is \(weight), but takes a number up to \(Self.largest)")
            }
        }
        self.init(
            click: Float(weights["click"] ?? 1), value: Float(weights["value"] ?? 0), conversion: Float(weights["conversion"] ?? 0))
    }
}
