import Foundation

/// Long or blocking work on a thread of its own, so that the cooperative pool stays free for requests.
public enum OwnThread {
    /// Runs `work` on a new thread and waits for it without blocking the caller's.
    public static func run<Result: Sendable>(
        named name: String, _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result { try work() }) }
            thread.name = name
            thread.stackSize = 16 << 20
            thread.start()
        }
    }
}
