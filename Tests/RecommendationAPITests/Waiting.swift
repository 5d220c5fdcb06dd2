import Synchronization

/// Counts calls.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    /// The number of calls before this one.
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// Holds back whoever passes until it is opened.
actor Gate {
    private var isOpen = false
    private var hasArrival = false
    private var passing: [CheckedContinuation<Void, Never>] = []
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        hasArrival = true
        for continuation in waiting { continuation.resume() }
        waiting = []
        guard !isOpen else { return }
        await withCheckedContinuation { passing.append($0) }
    }

    func waitForArrival() async {
        guard !hasArrival else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in passing { continuation.resume() }
        passing = []
    }
}
