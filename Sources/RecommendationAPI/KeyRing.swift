import Synchronization

/// The keys that open the service now. They can be exchanged while it answers.
///
/// Each secret has a number of its own for as long as it stays, so that limits and kept answers never pass from one caller to another.
public final class KeyRing: Sendable {
    /// A key with the number of its caller.
    struct Entry: Sendable {
        let key: APIKey
        let caller: Int
    }

    private struct State {
        var entries: [Entry] = []
        /// 0 is who sends no key.
        var nextCaller = 1
    }

    private let state: Mutex<State>

    /// A ring with these keys; none means that everybody may do everything.
    public init(_ keys: [APIKey] = []) {
        state = Mutex(State())
        replace(by: keys)
    }

    /// The keys in force.
    public var keys: [APIKey] { entries.map(\.key) }

    /// Whether nobody needs a key.
    public var isEmpty: Bool { state.withLock { $0.entries.isEmpty } }

    /// Puts other keys in force. Requests that were let in before go on.
    public func replace(by keys: [APIKey]) {
        state.withLock { state in
            state.entries = keys.map { key in
                if let known = state.entries.first(where: { $0.key.secret == key.secret }) { return Entry(key: key, caller: known.caller) }
                defer { state.nextCaller += 1 }
                return Entry(key: key, caller: state.nextCaller)
            }
        }
    }

    var entries: [Entry] { state.withLock { $0.entries } }
}

extension [KeyRing.Entry] {
    /// The key with this secret, or nil.
    ///
    /// Every key is compared to its end whatever matched before, so that the time taken does not tell how much was right.
    func entry(presented: [UInt8]) -> KeyRing.Entry? {
        var found: KeyRing.Entry?
        for entry in self {
            let secret = entry.key.secret
            var difference = UInt64(truncatingIfNeeded: presented.count ^ secret.count)
            for position in secret.indices {
                let byte = position < presented.count ? presented[position] : 0
                difference |= UInt64(byte ^ secret[position])
            }
            if difference == 0, !secret.isEmpty { found = entry }
        }
        return found
    }
}
