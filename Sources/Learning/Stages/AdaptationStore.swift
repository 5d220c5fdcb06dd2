import Features
import Interactions

/// What adapting to categories reads of a store, and where it keeps what it learned.
package protocol AdaptationStore: Sendable {
    /// The categories of a version that are adapted to, with the number of events that the newest adapter of each was made from.
    func adapted(version: Int32, field: String) throws -> [String: Int64]
    /// How many interactions some items have, and when the first was; nil where there is none.
    func count(of itemIDs: [String]) throws -> (count: Int64, first: EventTime?)
    /// The newest interactions with some items, from a time on, oldest first.
    func events(of itemIDs: [String], from: EventTime, limit: Int) throws -> [(userID: String, itemID: String)]
    /// What is kept of a user's interactions, oldest first.
    func history(of userID: String) throws -> [HistoryEntry]
    /// Keeps an adapter.
    func keep(
        version: Int32, field: String, category: String, events: Int64, supportItemIDs: [String], payload: [UInt8], metrics: String) throws
}
