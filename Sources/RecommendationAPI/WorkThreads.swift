import NIOCore
import NIOPosix

/// Threads for requests with large bodies. They share the processors with the threads that answer all others, and do not take those:
/// whatever a body costs to read, a small question is answered beside it.
final class WorkThreads: TaskExecutor {
    static let shared = WorkThreads(threads: max(2, System.coreCount))

    /// From this many bytes on a body is large.
    static let largeBodyBytes = 65_536

    private let pool: NIOThreadPool

    private init(threads: Int) {
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
