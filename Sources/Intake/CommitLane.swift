import FeatureStore
import Foundation
import Logging

/// A thread that stores one batch while the next is being read and decoded.
///
/// The store is the lane's alone: everything that is done with it, claims too, happens on the lane's thread, so that no two threads meet on
/// its connection, however a run ends. One batch may be under way and none waits: memory stays bound by two batches. The thread ends with
/// the lane, after the batch that it has in hand, and the store with the thread.
final class CommitLane: Sendable {
    private let core: Core

    /// Takes the store over and starts the thread. `isStopping` ends the waiting for a database that is away.
    init(store: sending IngestStore, logger: Logger, isStopping: @escaping @Sendable () -> Bool) {
        core = Core(logger: logger, isStopping: isStopping)
        let own = LaneStore(store)
        let thread = Thread { [core] in core.run(own.store) }
        thread.name = "freshet-commit"
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { core.close() }

    /// Hands over a batch; waits until the one before is stored.
    ///
    /// - Throws: the error that ended an earlier batch for good.
    func submit(_ batch: IngestBatch) throws(StoreError) { try core.give(.batch(batch)) }

    /// Waits until nothing is under way.
    func drain() throws(StoreError) { try core.drain() }

    /// Asks the store for something, on the lane's thread, once the batch under way is stored.
    ///
    /// - Throws: what `body` throws, or the error that ended an earlier batch for good.
    func use<R: Sendable>(_ body: @escaping @Sendable (IngestStore) throws(StoreError) -> R) throws(StoreError) -> R {
        let answer = LaneAnswer<R>()
        try core.give(.question { store in
            do throws(StoreError) {
                answer.result = .success(try body(store))
            } catch {
                answer.result = .failure(error)
            }
        })
        try core.drain()
        guard let result = answer.result else {
            throw StoreError(.closed, isRetriable: true, "the thread that stores has ended")
        }
        return try result.get()
    }

    /// Throws the error that ended a batch for good, as soon as it is known. Waits for nothing.
    func check() throws(StoreError) { try core.check() }

    /// What was stored since the last call, oldest first.
    func takeFinished() -> [(offsets: [ClaimedOffset], summary: IngestSummary)] { core.takeFinished() }

    /// Whether a batch is under way.
    var isBusy: Bool { core.isBusy }

    /// Takes nothing more; a batch that waits for the database is given up, since whoever comes next reads it again.
    func close() { core.close() }
}

/// A store on its way to the lane's thread, which alone uses it from then on.
private struct LaneStore: @unchecked Sendable {
    let store: IngestStore
    init(_ store: sending IngestStore) { self.store = store }
}

/// An answer: written by the lane's thread before ``Core/drain()`` returns, read after it.
private final class LaneAnswer<R: Sendable>: @unchecked Sendable {
    var result: Result<R, StoreError>?
}

/// What the lane's thread and its owner share. `@unchecked Sendable`: every stored variable is read and written under `condition` only.
private final class Core: @unchecked Sendable {
    enum Work {
        case batch(IngestBatch)
        case question(@Sendable (IngestStore) -> Void)
    }

    private let condition = NSCondition()
    private var waiting: Work?
    private var busy = false
    private var closed = false
    private var failure: StoreError?
    private var finished: [(offsets: [ClaimedOffset], summary: IngestSummary)] = []
    private let logger: Logger
    private let isStopping: @Sendable () -> Bool

    init(logger: Logger, isStopping: @escaping @Sendable () -> Bool) {
        self.logger = logger
        self.isStopping = isStopping
    }

    private func locked<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
        condition.lock()
        defer { condition.unlock() }
        return try body()
    }

    private func waitUntilIdle() throws(StoreError) {
        while busy, failure == nil { condition.wait() }
        if let failure { throw failure }
    }

    func give(_ work: Work) throws(StoreError) {
        try locked { () throws(StoreError) in
            try waitUntilIdle()
            guard !closed else { throw StoreError(.closed, "the thread that stores was told to end") }
            waiting = work
            busy = true
            condition.broadcast()
        }
    }

    func drain() throws(StoreError) { try locked { () throws(StoreError) in try waitUntilIdle() } }

    func check() throws(StoreError) {
        try locked { () throws(StoreError) in if let failure { throw failure } }
    }

    func takeFinished() -> [(offsets: [ClaimedOffset], summary: IngestSummary)] {
        condition.lock()
        defer { condition.unlock() }
        let taken = finished
        finished = []
        return taken
    }

    var isBusy: Bool {
        condition.lock()
        defer { condition.unlock() }
        return busy
    }

    private var isClosed: Bool {
        condition.lock()
        defer { condition.unlock() }
        return closed
    }

    func close() {
        condition.lock()
        closed = true
        condition.broadcast()
        condition.unlock()
    }

    func run(_ store: IngestStore) {
        while let work = next() {
            switch work {
            case .question(let ask):
                ask(store)
                done {}
            case .batch(let batch):
                let outcome = storePatiently(batch, store)
                done {
                    switch outcome {
                    case .success(let summary): finished.append((batch.offsets, summary))
                    case .failure(let error): failure = error
                    }
                }
            }
        }
    }

    private func next() -> Work? {
        condition.lock()
        defer { condition.unlock() }
        while waiting == nil, !closed { condition.wait() }
        defer { waiting = nil }
        return waiting
    }

    private func done(_ note: () -> Void) {
        condition.lock()
        note()
        busy = false
        condition.broadcast()
        condition.unlock()
    }

    /// Stores a batch; waits out a database that is away or busy, however long that takes.
    private func storePatiently(_ batch: IngestBatch, _ store: IngestStore) -> Result<IngestSummary, StoreError> {
        var pause = GrowingPause(first: .milliseconds(100), longest: .seconds(5))
        var told = false
        while true {
            do throws(StoreError) {
                let summary = try store.commit(batch)
                if told { logger.notice("the database answers again; nothing was lost") }
                return .success(summary)
            } catch {
                guard error.isRetriable, !isStopping(), !isClosed else { return .failure(error) }
                if !told || pause.next == pause.longest { logger.warning("waiting for the database: \(error.message)") }
                told = true
                pause.sleep()
            }
        }
    }
}
