import Bytes
import Synchronization

/// The answers of recent requests that carried an `Idempotency-Key`, so that a repeated one gets the same answer and nothing
/// is sent twice.
///
/// Bounded by count, by age and by bytes, keys and paths included; the oldest go first. One that would not fit at all is not kept: its
/// repeat is done again, and its events count once by the ids that they get from the key.
package final class IdempotencyCache: Sendable {
    /// A key belongs to a caller and a route.
    package struct Key: Hashable, Sendable {
        /// Who sent the request: a number for each key of the API.
        package var caller: Int
        /// Which route it was sent to.
        package var route: Int
        /// The path with what it names.
        package var path: String
        /// What `Idempotency-Key` says.
        package var key: String

        /// Makes a key.
        package init(caller: Int, route: Int, path: String, key: String) {
            self.caller = caller
            self.route = route
            self.path = path
            self.key = key
        }
    }

    /// What to do with a request.
    package enum Admission {
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
    package struct Answer: Sendable {
        /// The body of the answer.
        package var body: [UInt8]

        /// Makes an answer.
        package init(body: [UInt8]) { self.body = body }
    }

    private struct Entry {
        var fingerprint: UInt64
        var began: ContinuousClock.Instant
        var answer: Answer?
        /// What the key and the answer hold.
        var bytes: Int
    }

    /// What an entry holds beside its texts.
    private static let entryBytes = 256

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Keys from oldest to newest, with when each began; `head` is the first that counts.
        var order: [(key: Key, began: ContinuousClock.Instant)] = []
        var head = 0
        /// What all entries hold.
        var bytes = 0

        /// Forgets the entry of a key that began then; a later one of the same key stays.
        mutating func remove(_ key: Key, began: ContinuousClock.Instant) {
            guard let entry = entries[key], entry.began == began else { return }
            bytes -= entry.bytes
            entries[key] = nil
        }
    }

    private let state = Mutex(State())
    private let maxKeys: Int
    private let maxBytes: Int
    private let lifetime: Duration

    /// Makes a cache that holds so many keys and so many bytes of answers at most, each for so long.
    package init(maxKeys: Int, maxBytes: Int, lifetimeSeconds: Int) {
        self.maxKeys = max(1, maxKeys)
        self.maxBytes = max(0, maxBytes)
        lifetime = .seconds(lifetimeSeconds)
    }

    /// What all kept answers hold in bytes, with their keys and paths.
    package var bytes: Int { state.withLock { $0.bytes } }

    /// Says what to do with a request: answer anew, repeat an answer, wait, or refuse.
    package func admit(_ key: Key, fingerprint: UInt64, now: ContinuousClock.Instant) -> Admission {
        state.withLock { state in
            dropOldest(&state, now: now, isFull: false)
            if let entry = state.entries[key] {
                guard entry.fingerprint == fingerprint else { return .mismatch }
                return entry.answer.map { .replay($0) } ?? .inProgress
            }
            dropOldest(&state, now: now, isFull: state.order.count - state.head >= maxKeys)
            let entry = Entry(fingerprint: fingerprint, began: now, answer: nil, bytes: Self.bytes(of: key))
            state.entries[key] = entry
            state.bytes += entry.bytes
            state.order.append((key, now))
            return .proceed
        }
    }

    /// Keeps the answer of a request that was admitted as new.
    package func finish(_ key: Key, answer: Answer) {
        state.withLock { state in
            guard var entry = state.entries[key], entry.answer == nil else { return }
            guard entry.bytes + answer.body.count <= maxBytes else { return state.remove(key, began: entry.began) }
            state.bytes += answer.body.count
            entry.bytes += answer.body.count
            // Without the room that its writer had to spare: what is kept is what is counted.
            let body = [UInt8](unsafeUninitializedCapacity: answer.body.count) { $1 = $0.initialize(fromContentsOf: answer.body) }
            entry.answer = Answer(body: body)
            state.entries[key] = entry
            while state.bytes > maxBytes, state.head < state.order.count { dropOne(&state) }
        }
    }

    /// Forgets a request that failed, so that it can be tried again.
    package func abandon(_ key: Key) {
        state.withLock { state in
            if let entry = state.entries[key], entry.answer == nil { state.remove(key, began: entry.began) }
        }
    }

    private static func bytes(of key: Key) -> Int { entryBytes + key.path.utf8.count + key.key.utf8.count }

    /// Forgets what is too old, and the oldest one where there is no room for another.
    private func dropOldest(_ state: inout State, now: ContinuousClock.Instant, isFull: Bool) {
        var mustDrop = isFull
        while state.head < state.order.count {
            guard mustDrop || now - state.order[state.head].began > lifetime else { break }
            mustDrop = false
            dropOne(&state)
        }
    }

    private func dropOne(_ state: inout State) {
        let oldest = state.order[state.head]
        state.remove(oldest.key, began: oldest.began)
        state.head += 1
        // What was forgotten holds its key until it goes from here, too.
        if state.head > min(maxKeys, 1_024) {
            state.order.removeFirst(state.head)
            state.head = 0
        }
    }

    /// A hash of the body and of what else decides the answer.
    static func fingerprint(_ body: [UInt8], waitsForCommit: Bool) -> UInt64 {
        var hash = FNV1a()
        for byte in body { hash.combine(byte) }
        hash.combine(waitsForCommit ? 1 : 0)
        return hash.value
    }
}
