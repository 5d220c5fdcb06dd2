import Console
import Logging
import ServiceLifecycle

/// Blocking work as a member of a service group: runs on a thread of its own and is asked to stop through its signal.
struct ThreadService: Service {
    let name: String
    let stop: StopSignal
    let work: @Sendable () throws -> Void

    func run() async throws {
        // A failure of another service cancels the group: a thread has to be told of that, too.
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await OwnThread.run(named: name, work)
            } onGracefulShutdown: {
                stop.raise()
            }
        } onCancel: {
            stop.raise()
        }
    }
}

/// A loop as a member of a service group: cancelled on graceful shutdown.
struct LoopService: Service {
    let work: @Sendable () async throws -> Void

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await work()
            } catch is CancellationError {}
        }
    }
}
