import Synchronization

/// Ends work that takes too long. One ticking task for all requests together costs less than a timer for each.
final class DeadlineClock: Sendable {
    private struct Entry {
        var deadline: ContinuousClock.Instant
        var expire: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var nextID: UInt64 = 0
        var isTicking = false
    }

    private static let tick = Duration.milliseconds(20)
    private let state = Mutex(State())

    /// Runs `work` in a task of its own and returns its result, or throws ``Expired`` once `limit` is over and cancels it.
    ///
    /// It returns at the limit even where `work` does not heed its cancellation.
    func run<Value: Sendable>(
        limit: Duration, from now: ContinuousClock.Instant, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let race = Race(continuation)
            let id = reserve()
            let task = Task {
                let result: Result<Value, any Error>
                do { result = .success(try await work()) } catch { result = .failure(error) }
                self.remove(id)
                race.finish(result)
            }
            add(id, deadline: now + limit) {
                task.cancel()
                race.finish(.failure(Expired()))
            }
            // The work may have ended before its entry was added.
            if race.isFinished { remove(id) }
        }
    }

    /// The limit is over.
    struct Expired: Error {}

    private func reserve() -> UInt64 {
        state.withLock { state in
            state.nextID &+= 1
            return state.nextID
        }
    }

    private func add(_ id: UInt64, deadline: ContinuousClock.Instant, expire: @escaping @Sendable () -> Void) {
        let startsTicking = state.withLock { state in
            state.entries[id] = Entry(deadline: deadline, expire: expire)
            defer { state.isTicking = true }
            return !state.isTicking
        }
        if startsTicking { Task { await self.tickWhileNeeded() } }
    }

    private func remove(_ id: UInt64) {
        state.withLock { $0.entries[id] = nil }
    }

    private func tickWhileNeeded() async {
        var idleTicks = 0
        while true {
            try? await Task.sleep(for: Self.tick)
            let now = ContinuousClock.now
            let expired: [@Sendable () -> Void]? = state.withLock { state in
                idleTicks = state.entries.isEmpty ? idleTicks + 1 : 0
                if idleTicks > 250 {
                    state.isTicking = false
                    return nil
                }
                let due = state.entries.filter { $0.value.deadline <= now }
                for id in due.keys { state.entries[id] = nil }
                return due.values.map(\.expire)
            }
            guard let expired else { return }
            for expire in expired { expire() }
        }
    }
}

/// Resumes a continuation with whatever comes first.
private final class Race<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ continuation: CheckedContinuation<Value, any Error>) {
        self.continuation = Mutex(continuation)
    }

    var isFinished: Bool { continuation.withLock { $0 == nil } }

    func finish(_ result: Result<Value, any Error>) {
        let waiting = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(with: result)
    }
}
