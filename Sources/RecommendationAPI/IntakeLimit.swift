import Synchronization

/// How much may wait for Kafka at once, so that intake never takes the places and the memory that answers need.
///
/// What is beyond is refused at once: a caller that tries again later is better off than one that waits behind an outage.
public final class IntakeLimit: Sendable {
    private struct State {
        var requests = 0
        var bytes = 0
        var refused: Int64 = 0
    }

    /// Requests that may wait at once.
    public let maxRequests: Int
    /// Bytes of their records. A request that is larger by itself passes where no other waits.
    public let maxBytes: Int
    private let state = Mutex(State())

    /// Makes a limit; both bounds are at least 1.
    public init(maxRequests: Int, maxBytes: Int) {
        self.maxRequests = max(1, maxRequests)
        self.maxBytes = max(1, maxBytes)
    }

    /// Requests that wait now.
    public var waitingRequests: Int { state.withLock { $0.requests } }
    /// Bytes of their records.
    public var waitingBytes: Int { state.withLock { $0.bytes } }
    /// Requests that found no place so far.
    public var refusedRequests: Int64 { state.withLock { $0.refused } }

    /// Does `work` in a place of its own, which is free again when it has ended, whoever still waits for it.
    ///
    /// - Throws: ``ServiceError`` `unavailable` at once where there is no place; what `work` throws.
    public func hold<Value: Sendable>(bytes: Int, _ work: () async throws -> Value) async throws -> Value {
        guard take(bytes) else {
            throw ServiceError(
                .unavailable,
                "\(maxRequests) requests or \(maxBytes) bytes wait for Kafka already (http.max_intake_requests, http.max_intake_bytes): "
                    + "it is slower than what is sent. Send the request again: records with the same event_id, or under the same "
                    + "Idempotency-Key, count once.", retryAfterSeconds: 1)
        }
        defer { giveBack(bytes) }
        return try await work()
    }

    /// Does `work` where there is a place for it; nil at once where there is none.
    public func holdIfFree<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value? {
        guard take(0) else { return nil }
        defer { giveBack(0) }
        return try await work()
    }

    private func take(_ bytes: Int) -> Bool {
        state.withLock { state in
            let fits = state.requests < maxRequests && (state.requests == 0 || bytes <= maxBytes - min(state.bytes, maxBytes))
            if fits {
                state.requests += 1
                state.bytes += bytes
            } else {
                state.refused += 1
            }
            return fits
        }
    }

    private func giveBack(_ bytes: Int) {
        state.withLock { state in
            state.requests -= 1
            state.bytes -= bytes
        }
    }
}
