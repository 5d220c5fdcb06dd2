import Synchronization

/// What each item may be in an answer, by the order in which changes began and ended.
///
/// A change counts from when it began: it may be stored before its sender hears of it. What it replaced counts until it ended.
package final class ItemLedger: Sendable {
    private struct State {
        /// Nil: hidden or removed.
        var category: String?
        /// When it ended; nil while it is under way.
        var ended: Int?
    }

    private struct Contents {
        var states: [String: [State]] = [:]
        var clock = 0
    }

    private let contents = Mutex(Contents())

    /// A ledger of no items.
    package init() {}

    /// The present moment.
    package var now: Int { contents.withLock { $0.clock } }

    /// A change is about to be sent.
    package func began(_ itemID: String, category: String?) {
        contents.withLock { $0.states[itemID, default: []].append(State(category: category, ended: nil)) }
    }

    /// The item's latest change is stored.
    package func ended(_ itemID: String) {
        contents.withLock { contents in
            contents.clock += 1
            guard let last = contents.states[itemID]?.indices.last else { return }
            contents.states[itemID]?[last].ended = contents.clock
        }
    }

    /// Whether an answer to a question that was asked at `moment`, for a category or for any, may show the item.
    package func mayShow(_ itemID: String, category: String?, since moment: Int) -> Bool {
        contents.withLock { contents in
            let states = contents.states[itemID] ?? []
            let first = states.lastIndex { $0.ended.map { $0 <= moment } ?? false } ?? 0
            return states[min(first, states.count)...].contains { state in
                state.category.map { category == nil || $0 == category } ?? false
            }
        }
    }
}
