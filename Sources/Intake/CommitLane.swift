import FeatureStore
import Foundation
import Logging

/// A thread that stores one batch while the next is being read and decoded.
///
/// One batch may be under way and none waits: memory stays bound by two batches. The store belongs to the lane while a batch is
/// under way; after ``drain()`` the caller may use it until the next ``submit(_:)``.
final class CommitLane: @unchecked Sendable {
    // Sendable by hand: every stored variable is read and written under `condition` only; `store` is used by the lane's thread
    // while `busy`, and by the submitting thread otherwise.
    private let condition = NSCondition()
    private var waiting: IngestBatch?
    private var busy = false
    private var closed = false
    private var failure: StoreError?
    private var finished: [(offsets: [ClaimedOffset], summary: IngestSummary)] = []
    private let store: IngestStore
    private let logger: Logger
    private let isStopping: @Sendable () -> Bool

    /// Starts the lane's thread. `isStopping` ends the waiting for a database that is away.
    init(store: IngestStore, logger: Logger, isStopping: @escaping @Sendable () -> Bool) {
        self.store = store
        self.logger = logger
        self.isStopping = isStopping
        let thread = Thread { [self] in run() }
        thread.name = "freshet-commit"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Hands over a batch; waits until the one before is stored.
    ///
    /// - Throws: the error that ended an earlier batch for good.
    func submit(_ batch: IngestBatch) throws(StoreError) {
        condition.lock()
        while busy, failure == nil { condition.wait() }
        if let failure { condition.unlock(); throw failure }
        waiting = batch
        busy = true
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until nothing is under way.
    func drain() throws(StoreError) {
        condition.lock()
        while busy, failure == nil { condition.wait() }
        let failure = failure
        condition.unlock()
        if let failure { throw failure }
    }

    /// What was stored since the last call, oldest first.
    func takeFinished() -> [(offsets: [ClaimedOffset], summary: IngestSummary)] {
        condition.lock()
        defer { condition.unlock() }
        let taken = finished
        finished = []
        return taken
    }

    /// Whether a batch is under way.
    var isBusy: Bool {
        condition.lock()
        defer { condition.unlock() }
        return busy
    }

    /// Ends the thread once the batch under way is done.
    func close() {
        condition.lock()
        closed = true
        condition.broadcast()
        condition.unlock()
    }

    private func run() {
        while true {
            condition.lock()
            while waiting == nil, !closed { condition.wait() }
            guard let batch = waiting else { condition.unlock(); return }
            waiting = nil
            condition.unlock()

            let outcome = storePatiently(batch)

            condition.lock()
            switch outcome {
            case .success(let summary): finished.append((batch.offsets, summary))
            case .failure(let error): failure = error
            }
            busy = false
            condition.broadcast()
            condition.unlock()
        }
    }

    /// Stores a batch; waits out a database that is away or busy, however long that takes.
    private func storePatiently(_ batch: IngestBatch) -> Result<IngestSummary, StoreError> {
        var pause = 0.1
        var told = false
        while true {
            do throws(StoreError) {
                let summary = try store.commit(batch)
                if told { logger.notice("the database answers again; nothing was lost") }
                return .success(summary)
            } catch {
                guard error.isRetriable, !isStopping() else { return .failure(error) }
                if !told || pause >= 5 { logger.warning("waiting for the database: \(error.message)") }
                told = true
                Thread.sleep(forTimeInterval: pause)
                pause = min(5, pause * 2)
            }
        }
    }
}
