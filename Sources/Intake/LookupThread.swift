import Dispatch

/// Runs the calls of a schema registry, so that they do not wait for whatever keeps the shared threads busy meanwhile.
package final class LookupThread: TaskExecutor {
    private let queue: DispatchQueue

    /// - Parameter name: of the thread.
    package init(named name: String = "freshet-registry") { queue = DispatchQueue(label: name) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job), executor = asUnownedTaskExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
