import CandidateRanking
import Features
import Interactions

/// What a request knows of its user, in the space of the item vectors.
struct UserTaste {
    /// The newest items of the history that have a vector, oldest first.
    var input: UserTowerInput
    /// `[dimension]`, or nil where nothing is known that the model can use.
    var vector: [Float]?
    /// Whether ``vector`` is only that of the newest item, for want of a user tower's answer.
    var isNewestItem = false
    /// What the tables of the snapshot's blend say of the user; nil without a blend.
    private(set) var signals: UserSignals?
    /// What was bought, with what was paid; empty where the snapshot has no heads.
    private(set) var purchases: [(row: Int32, amountMinor: UInt32)] = []
    /// What the signals add to the score of items, by row.
    private(set) var bonuses = UserBonuses()
    /// What the tables of the snapshot's ranker say of the user; nil without a ranker.
    private(set) var counted: CandidateSignals?
    /// What the user's history says of items by their content; nil where the snapshot does not ask.
    private(set) var content: ContentSignals.Taste?
    /// Ids of the items that the user dealt with, oldest first; empty where there are no groups, whose members alone are chosen by it.
    private(set) var metItemIDs: [String] = []

    init(
        history: UserHistory, attributes: String?, context: [String: String], snapshot: ServingSnapshot, now: EventTime
    ) {
        input = UserTowerInput(vectors: [], rows: [], types: [], times: [], attributes: attributes, context: context)
        if snapshot.catalogue.hasVariants { metItemIDs = history.entries.filter { $0.type.isAct }.map(\.itemID) }
        guard let model = snapshot.model else { return }
        let history = history.rated(from: model.ratingsFrom)
        if let blend = snapshot.blend?.blend {
            let known = history.entries.compactMap { entry in
                entry.type == .impression ? nil : snapshot.catalogue.row(of: entry.itemID).map { (row: $0, time: entry.time.milliseconds) }
            }
            let signals = blend.signals(history: known.map(\.row), times: known.map(\.time), now: now.milliseconds)
            bonuses = blend.bonuses(signals)
            self.signals = signals
            if snapshot.heads != nil {
                purchases = history.entries.compactMap { entry in
                    snapshot.comparableAmount(entry).flatMap { amount in
                        snapshot.catalogue.row(of: entry.itemID).map { (row: $0, amountMinor: amount) }
                    }
                }
            }
        }
        if let ranker = snapshot.ranker {
            let known = Self.candidateHistory(history, snapshot: snapshot, now: now)
            // It learned from people who had done something: of others it knows no more than what is popular.
            if known.rows.contains(where: { $0 >= 0 }) { counted = CandidateSignals(known, tables: ranker.tables) }
        }
        var newestFirst: [(row: Int32, entry: HistoryEntry)] = []
        for entry in history.entries.reversed() where newestFirst.count < model.historyLimitItems {
            guard let row = snapshot.catalogue.row(of: entry.itemID), snapshot.vectors.hasVector(row) else { continue }
            newestFirst.append((row, entry))
        }
        input.vectors.reserveCapacity(newestFirst.count * model.dimension)
        for (row, entry) in newestFirst.reversed() {
            snapshot.vectors.withVector(row) {
                input.vectors.append(contentsOf: UnsafeBufferPointer(start: $0, count: model.dimension))
            }
            input.rows.append(row)
            input.types.append(entry.type)
            input.times.append(entry.time)
        }
        if let encoded = model.encodeUser(input, now), encoded.count == model.dimension, isFinite(encoded) {
            vector = encoded
        } else if let newest = input.rows.last {
            vector = snapshot.likeness(of: newest)
            isNewestItem = true
        }
        content = snapshot.content?.taste(
            history: history.entries.compactMap { $0.type == .impression ? nil : snapshot.catalogue.row(of: $0.itemID) },
            vector: isNewestItem ? nil : vector)
    }

    /// What the ranker reads of a history: all but what was only shown.
    private static func candidateHistory(_ history: UserHistory, snapshot: ServingSnapshot, now: EventTime) -> CandidateHistory {
        let entries = history.entries.filter { $0.type.isAct }
        return CandidateHistory(
            rows: entries.map { snapshot.catalogue.row(of: $0.itemID) ?? -1 }, times: entries.map(\.time.milliseconds),
            amounts: entries.map { $0.type == .purchase ? Int64(snapshot.comparableAmount($0) ?? 0) : 0 },
            isPurchase: entries.map { $0.type == .purchase }, now: now.milliseconds)
    }

    /// Whether nothing that the user did can be used: the snapshot's model sees none of it, or there is nothing.
    var isNewcomer: Bool { input.rows.isEmpty }

    /// The row of the item that the user met last.
    var newestRow: Int32? { input.rows.last }
}
