import Foundation

/// Threads of the store's own that run blocking calls in the order of their arrival, so that libpq never holds up one of
/// Swift's cooperative threads.
///
/// `@unchecked Sendable`: the queue guards itself; the threads hold nothing else.
final class StoreThreads: @unchecked Sendable {
    /// How many calls may wait for a thread; beyond that they are refused.
    static let waitingCallsLimit = 4_096

    private let queue = CallQueue()

    /// Starts `count` threads. They end with the value, after the calls that wait.
    init(count: Int) {
        for number in 0..<max(1, count) {
            let thread = Thread { [queue] in
                while let call = queue.take() { call() }
            }
            thread.name = "freshet-store-\(number)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    deinit { queue.close() }

    /// Queues a call. False where too many wait already.
    func add(_ call: @escaping @Sendable () -> Void) -> Bool { queue.add(call) }
}

/// Calls that wait for a thread. `@unchecked Sendable`: the fields change only under `condition`.
private final class CallQueue: @unchecked Sendable {
    private let condition = NSCondition()
    /// Those before `first` were taken.
    private var waiting: [(@Sendable () -> Void)?] = []
    private var first = 0
    private var isClosed = false

    func add(_ call: @escaping @Sendable () -> Void) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard waiting.count - first < StoreThreads.waitingCallsLimit else { return false }
        waiting.append(call)
        condition.signal()
        return true
    }

    /// Waits for a call. Nil when the queue is closed and empty.
    func take() -> (@Sendable () -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while first == waiting.count {
            if isClosed { return nil }
            condition.wait()
        }
        let call = waiting[first]
        waiting[first] = nil
        first += 1
        // What was taken goes now and then, also where the queue never runs empty.
        if first == waiting.count || first >= StoreThreads.waitingCallsLimit {
            waiting.removeFirst(first)
            first = 0
        }
        return call
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
