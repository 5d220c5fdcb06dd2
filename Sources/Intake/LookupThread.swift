import Dispatch

/// Runs the calls of a schema registry, so that they do not wait for whatever keeps the shared threads busy meanwhile.
final class LookupThread: TaskExecutor {
    private let queue: DispatchQueue

    /// - Parameter name: of the thread.
    init(named name: String = "freshet-registry") { queue = DispatchQueue(label: name) }

    /// Takes a piece of work, which runs after those before it.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job), executor = asUnownedTaskExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
