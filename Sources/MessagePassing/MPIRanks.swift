import CMessagePassing
import Foundation
import TowerTraining

/// The processes that `mpirun` started, over OpenMPI, which is loaded when this is made. One thread uses it, the one that made it.
///
/// Nothing waits for ever: an exchange ends with an error when a rank has not come after ``limitSeconds``, or when this process is asked to
/// stop and the exchange does not end by itself, which is what the ranks of a lost one see. Only what rank 0 hands on may be waited for
/// as long as it takes.
public final class MPIRanks: RankGroup {
    /// Seconds that an exchange goes on after the process was asked to stop: enough where nobody is lost.
    static let graceSeconds = 0.3
    /// Bytes of one message: counts of MPI are 32-bit.
    static let messageLimitBytes = 1 << 30
    /// Bytes of a broadcast's messages.
    private static let broadcastBytes = 64 << 20

    public let rank: Int
    public let size: Int
    /// How long an exchange may take.
    public let limitSeconds: Double
    private let isStopped: @Sendable () -> Bool

    /// Whether `mpirun` started this process, and as how many; nil where nobody did.
    ///
    /// - Parameter environment: of the process.
    public static func launched(_ environment: [String: String]) -> Int? {
        environment["OMPI_COMM_WORLD_SIZE"].flatMap { Int($0) }
    }

    /// Joins the ranks.
    ///
    /// - Parameters:
    ///   - limitSeconds: how long an exchange may take.
    ///   - isStopped: whether the process was asked to stop.
    /// - Throws: where OpenMPI cannot be loaded or started.
    public init(limitSeconds: Double, isStopped: @escaping @Sendable () -> Bool) throws(RankError) {
        if let reason = freshet_mpi_join() {
            throw RankError(
                "a training of several ranks needs OpenMPI, and \(String(cString: reason)); install it on every machine (Debian: "
                    + "openmpi-bin), or train in one process"
            )
        }
        rank = Int(freshet_mpi_rank())
        size = Int(freshet_mpi_size())
        self.limitSeconds = limitSeconds
        self.isStopped = isStopped
    }

    public func exchange(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, blockBytes: Int) throws(RankError) {
        try checkSize(size * blockBytes)
        try finish(freshet_mpi_start_exchange(send, receive, Int32(blockBytes)))
    }

    public func exchange(
        _ send: UnsafeRawPointer, bytes sent: [Int], into receive: UnsafeMutableRawPointer, bytes received: [Int]
    ) throws(RankError) {
        try checkSize(max(sent.reduce(0, +), received.reduce(0, +)))
        try withParts(sent) { (sentCounts, sentOffsets) throws(RankError) in
            try withParts(received) { (counts, offsets) throws(RankError) in
                try finish(freshet_mpi_start_exchange_parts(send, sentCounts, sentOffsets, receive, counts, offsets))
            }
        }
    }

    public func gather(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, bytes: [Int]) throws(RankError) {
        try checkSize(bytes.reduce(0, +))
        try withParts(bytes) { (counts, offsets) throws(RankError) in
            try finish(freshet_mpi_start_gather(send, counts[rank], receive, counts, offsets))
        }
    }

    /// Lends the ranks' bytes and where they begin, as OpenMPI takes them; it reads both until the call is done.
    private func withParts(
        _ bytes: [Int], _ body: (UnsafePointer<Int32>, UnsafePointer<Int32>) throws(RankError) -> Void
    ) throws(RankError) {
        var offsets: [Int32] = [0]
        for count in bytes { offsets.append(offsets[offsets.count - 1] + Int32(count)) }
        let counts = bytes.map { Int32($0) }
        var failure: RankError?
        counts.withUnsafeBufferPointer { counts in
            offsets.withUnsafeBufferPointer { offsets in
                guard let counts = counts.baseAddress, let offsets = offsets.baseAddress else { return }
                do throws(RankError) { try body(counts, offsets) } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }

    public func broadcast(_ bytes: UnsafeMutableRawPointer, count: Int) throws(RankError) {
        for start in stride(from: 0, to: count, by: Self.broadcastBytes) {
            try finish(freshet_mpi_start_broadcast(bytes + start, Int32(min(Self.broadcastBytes, count - start))), limitSeconds: .infinity)
        }
    }

    /// Leaves in order; every rank does.
    public func leave() { _ = freshet_mpi_leave() }

    /// Ends all ranks with an exit status: where one cannot go on, the others would wait for it.
    public func abort(status: Int32) { freshet_mpi_abort(status) }

    private func checkSize(_ bytes: Int) throws(RankError) {
        guard bytes > Self.messageLimitBytes else { return }
        throw RankError(
            "the ranks would exchange \(bytes >> 20) MiB in one message, and \(Self.messageLimitBytes >> 20) is the most; lower "
                + "train.batch_size or train.dimension"
        )
    }

    private func finish(_ code: Int32, limitSeconds: Double? = nil) throws(RankError) {
        guard code == 0 else { throw failure(code) }
        let limit = limitSeconds ?? self.limitSeconds, started = ContinuousClock.now
        var turns = 0, stopped: Double?
        while true {
            var done: Int32 = 0
            let code = freshet_mpi_is_done(&done)
            guard code == 0 else { throw failure(code) }
            if done != 0 { return }
            turns += 1
            // An exchange takes microseconds where all are there; then others may want the processor.
            if turns < 200 { continue }
            if turns < 20_000 {
                sched_yield()
                if turns % 64 != 0 { continue }
            } else {
                usleep(200)
            }
            let waited =
                Double(started.duration(to: .now).components.seconds) + Double(started.duration(to: .now).components.attoseconds) * 1e-18
            if stopped == nil, isStopped() { stopped = waited }
            if let stopped, waited - stopped > Self.graceSeconds {
                throw RankError("rank \(rank) of \(size) was asked to stop while it waited for another rank, which seems to be lost")
            }
            if waited > limit {
                throw RankError(
                    "rank \(rank) of \(size) has waited \(Int(waited)) seconds for another rank, which seems to be lost "
                        + "(train.rank_timeout_seconds)"
                )
            }
        }
    }

    private func failure(_ code: Int32) -> RankError {
        RankError("rank \(rank) of \(size) cannot reach the others: \(String(cString: freshet_mpi_words(code)))")
    }
}
