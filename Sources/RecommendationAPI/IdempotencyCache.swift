import Synchronization

/// The answers of recent requests that carried an `Idempotency-Key`, so that a repeated one gets the same answer and nothing
/// is sent twice.
///
/// Bounded by count and by age; the oldest go first.
final class IdempotencyCache: Sendable {
    /// A key belongs to a caller and a route.
    struct Key: Hashable, Sendable {
        var caller: Int
        var route: Int
        var path: String
        var key: String
    }

    /// What to do with a request.
    enum Admission {
        /// New: do the work, then call ``finish(_:answer:)`` or ``abandon(_:)``.
        case proceed
        /// Done before: answer so.
        case replay(Answer)
        /// The first one is not done yet.
        case inProgress
        /// The key was used for another body.
        case mismatch
    }

    /// An answer to keep.
    struct Answer: Sendable {
        var body: [UInt8]
    }

    private struct Entry {
        var fingerprint: UInt64
        var began: ContinuousClock.Instant
        var answer: Answer?
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Keys from oldest to newest, with when each began; `head` is the first that counts.
        var order: [(key: Key, began: ContinuousClock.Instant)] = []
        var head = 0
    }

    private let state = Mutex(State())
    private let maxKeys: Int
    private let lifetime: Duration

    init(maxKeys: Int, lifetimeSeconds: Int) {
        self.maxKeys = max(1, maxKeys)
        lifetime = .seconds(lifetimeSeconds)
    }

    func admit(_ key: Key, fingerprint: UInt64, now: ContinuousClock.Instant) -> Admission {
        state.withLock { state in
            dropOldest(&state, now: now, isFull: false)
            if let entry = state.entries[key] {
                guard entry.fingerprint == fingerprint else { return .mismatch }
                return entry.answer.map { .replay($0) } ?? .inProgress
            }
            dropOldest(&state, now: now, isFull: state.order.count - state.head >= maxKeys)
            state.entries[key] = Entry(fingerprint: fingerprint, began: now, answer: nil)
            state.order.append((key, now))
            return .proceed
        }
    }

    func finish(_ key: Key, answer: Answer) {
        state.withLock { $0.entries[key]?.answer = answer }
    }

    /// Forgets a request that failed, so that it can be tried again.
    func abandon(_ key: Key) {
        state.withLock { state in
            if let entry = state.entries[key], entry.answer == nil { state.entries[key] = nil }
        }
    }

    /// Forgets what is too old, and the oldest one where there is no room for another.
    private func dropOldest(_ state: inout State, now: ContinuousClock.Instant, isFull: Bool) {
        var mustDrop = isFull
        while state.head < state.order.count {
            let oldest = state.order[state.head]
            guard mustDrop || now - oldest.began > lifetime else { break }
            mustDrop = false
            if state.entries[oldest.key]?.began == oldest.began { state.entries[oldest.key] = nil }
            state.head += 1
        }
        if state.head > maxKeys {
            state.order.removeFirst(state.head)
            state.head = 0
        }
    }

    /// FNV-1a over the body and what else decides the answer.
    static func fingerprint(_ body: [UInt8], waitsForCommit: Bool) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (hash ^ (waitsForCommit ? 1 : 0)) &* 0x100_0000_01B3
    }
}
