import FeatureStore
import Features
import Interactions
import Learning
import MetaLearning

/// The database as adapting sees it.
struct StoredAdaptations: AdaptationStore {
    let store: StoreQueries

    func adapted(version: Int32, field: String) throws -> [String: Int64] {
        Dictionary(try store.adapters(ofVersion: version, field: field).map { ($0.category, $0.events) }) { first, _ in first }
    }

    func count(of itemIDs: [String]) throws -> (count: Int64, first: EventTime?) { try store.interactions(withItems: itemIDs) }

    func events(of itemIDs: [String], from: EventTime, limit: Int) throws -> [(userID: String, itemID: String)] {
        try store.events(withItems: itemIDs, from: from, limit: limit).map { ($0.userID, $0.itemID) }
    }

    func history(of userID: String) throws -> [HistoryEntry] { try store.userFeatures(userID)?.history.kept.entries ?? [] }

    func keep(
        version: Int32, field: String, category: String, events: Int64, supportItemIDs: [String], payload: [UInt8], metrics: String
    ) throws {
        _ = try store.storeAdapter(
            version: version, field: field, category: category, events: events, supportItemIDs: supportItemIDs, payload: payload,
            metrics: metrics)
    }
}

extension AdaptRun {
    /// As the configuration has it.
    init(store: StoreQueries, configuration: Configuration) {
        self.init(
            store: StoredAdaptations(store: store), support: configuration.integer(.adaptationSupport),
            eventsLimit: configuration.integer(.adaptationSupportLimitEvents),
            method: AdaptationMethod(rawValue: configuration.text(.adaptationMethod)) ?? .meta)
    }
}
