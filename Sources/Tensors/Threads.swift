import COpenBLAS
import CKernels

/// How many threads numeric code uses.
///
/// Two pools exist. Ours parks its threads in the kernel between calls, splits work into contiguous parts that depend only on
/// the number of slots, and runs each part's BLAS calls on one thread: the same thread count gives the same result, bit for
/// bit. OpenBLAS has its own, process-wide pool; it stays at one thread unless `set(blas:)` says otherwise, because two pools
/// on the same cores slow each other down.
public enum Threads {
    /// Processors that this process may run on.
    public static var processors: Int { max(1, Int(openblas_get_num_procs())) }

    /// The slots that `multiply`, `parallelFor` and everything above them use where the caller does not say; 1 at start, so
    /// that code which serves requests in parallel does not split each of them.
    public static var current: Int { Int(fk_default_threads()) }

    /// Sets `current` for the whole process, 1 to 256.
    public static func set(current threads: Int) {
        precondition((1...256).contains(threads), "\(threads) threads: 1 to 256 are possible")
        fk_set_default_threads(Int32(threads))
    }

    /// Threads that OpenBLAS uses inside one call.
    public static var blas: Int {
        _ = prepared
        return Int(openblas_get_num_threads())
    }

    /// Sets the threads that OpenBLAS uses inside one call, for the whole process. Call it once at start, if at all; code that
    /// uses `parallelFor` wants 1.
    public static func set(blas threads: Int) {
        precondition((1...256).contains(threads), "\(threads) BLAS threads: 1 to 256 are possible")
        _ = prepared
        openblas_set_num_threads(Int32(threads))
    }

    /// Evaluated before the first BLAS call: OpenBLAS starts with a thread a processor.
    static let prepared: Void = openblas_set_num_threads(1)
}

/// Splits `0..<count` into `threads` contiguous ranges of nearly equal size and runs `body(range, slot)` for each, at once on
/// parked threads; returns when all are done.
///
/// The ranges depend only on `count`, `threads` and `minimumChunk`, so sums kept per slot and added in slot order are the same
/// in every run. Empty ranges are not called. `body` must write only what belongs to its range or slot; the compiler does not
/// check this. A call from inside a `body`, or while another thread uses the pool, runs its ranges one after the other on the
/// calling thread.
///
/// - Parameters:
///   - minimumChunk: fewer elements than this a slot are not worth a thread; fewer slots are used then.
/// - Complexity: below a microsecond while the workers are still looking for work, about 20 to wake them from sleep.
public func parallelFor(
    count: Int, threads: Int = Threads.current, minimumChunk: Int = 1, _ body: (Range<Int>, Int) -> Void
) {
    precondition(count >= 0, "parallelFor over \(count) elements")
    guard count > 0 else { return }
    let slots = max(1, min(threads, poolLimitThreads, count / max(1, minimumChunk)))
    if slots == 1 { return body(0..<count, 0) }
    withoutActuallyEscaping(body) { escapable in
        var job = ParallelJob(count: count, slots: slots, body: escapable)
        withUnsafeMutablePointer(to: &job) { pointer in
            fk_pool_run(
                Int32(slots),
                { context, slot in
                    guard let job = context?.assumingMemoryBound(to: ParallelJob.self).pointee else { return }
                    let slot = Int(slot)
                    let size = job.count / job.slots, rest = job.count % job.slots
                    let start = slot * size + min(slot, rest)
                    job.body(start..<(start + size + (slot < rest ? 1 : 0)), slot)
                }, pointer)
        }
    }
}

private let poolLimitThreads = 256

private struct ParallelJob {
    let count: Int
    let slots: Int
    let body: (Range<Int>, Int) -> Void
}
