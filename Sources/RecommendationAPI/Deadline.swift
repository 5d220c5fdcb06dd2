import NIOCore
import NIOPosix
import Synchronization

/// Ends work that takes too long. One ticking timer for all requests together costs less than a timer for each; it ticks on an event loop,
/// so that a limit holds where every thread that answers is at work.
package final class DeadlineClock: Sendable {
    /// A clock without deadlines.
    package init() {}

    private struct Entry {
        var deadline: ContinuousClock.Instant
        var expire: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var nextID: UInt64 = 0
        var isTicking = false
    }

    private static let tick = TimeAmount.milliseconds(20)
    private let state = Mutex(State())
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    /// Runs `work` in a task of its own and returns its result, or throws ``Expired`` once `limit` is over and cancels it.
    ///
    /// It returns at the limit even where `work` does not heed its cancellation. It ends as early where the caller of `connection` leaves,
    /// with a `CancellationError`.
    func run<Value: Sendable>(
        limit: Duration, from now: ContinuousClock.Instant, for connection: Connection? = nil, on executor: (any TaskExecutor)? = nil,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        defer { connection?.whenCallerLeaves(nil) }
        return try await withCheckedThrowingContinuation { continuation in
            let race = Race(continuation)
            let id = reserve()
            let task = Task(executorPreference: executor) {
                let result: Result<Value, any Error>
                do { result = .success(try await work()) } catch { result = .failure(error) }
                self.remove(id)
                race.finish(result)
            }
            add(id, deadline: now + limit) {
                task.cancel()
                race.finish(.failure(Expired()))
            }
            connection?.whenCallerLeaves {
                task.cancel()
                race.finish(.failure(CancellationError()))
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
        if startsTicking { tickLater(idleTicks: 0) }
    }

    private func remove(_ id: UInt64) {
        state.withLock { $0.entries[id] = nil }
    }

    private func tickLater(idleTicks: Int) {
        loop.scheduleTask(in: Self.tick) { self.tick(idleTicks: idleTicks) }
    }

    private func tick(idleTicks: Int) {
        let now = ContinuousClock.now
        let (expired, isIdle): ([@Sendable () -> Void], Bool) = state.withLock { state in
            let isIdle = state.entries.isEmpty
            if isIdle, idleTicks >= 250 { state.isTicking = false }
            let due = state.entries.filter { $0.value.deadline <= now }
            for id in due.keys { state.entries[id] = nil }
            return (due.values.map(\.expire), isIdle)
        }
        for expire in expired { expire() }
        if isIdle, idleTicks >= 250 { return }
        tickLater(idleTicks: isIdle ? idleTicks + 1 : 0)
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
