import Features
import Interactions
import Recommending
import TrainingFiles

/// Asks snapshots about the users of a log, as requests would: with the history that serving reads, the user's attributes, and what the
/// rules leave out. Answers are rows of the log.
package struct ServedLists {
    private let log: TrainingLog
    private let excludes: ExclusionRule
    private let historyLimit: Int
    private let rowOf: [String: Int32]
    /// By user row, JSON objects.
    private let attributes: [String?]

    /// - Parameters:
    ///   - excludes: what is left out of the answers.
    ///   - historyLimit: interactions of a history that serving reads.
    ///   - usesAttributes: whether questions say the users' attributes.
    package init(_ log: TrainingLog, excludes: ExclusionRule, historyLimit: Int, usesAttributes: Bool = true) {
        self.log = log
        self.excludes = excludes
        self.historyLimit = historyLimit
        rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        attributes = log.userIDs.indices.map { usesAttributes ? log.attributesObject(of: $0) : nil }
    }

    /// The first `count` rows for a user of whom some rows are known, best first.
    package func list(_ count: Int, of user: Int, known: Range<Int>, at time: Int64, by recommender: BatchRecommender) -> [Int32] {
        scored(count, of: user, known: known, at: time, by: recommender).map(\.row)
    }

    /// The same with the scores that they stand by.
    package func scored(
        _ count: Int, of user: Int, known: Range<Int>, at time: Int64, by recommender: BatchRecommender
    ) -> [(row: Int32, score: Float)] {
        items(count, of: user, known: known, at: time, by: recommender).compactMap { item in rowOf[item.itemID].map { ($0, item.score) } }
    }

    /// The same as items of an answer.
    ///
    /// - Parameter explain: whether to find what moved each of them.
    package func items(
        _ count: Int, of user: Int, known: Range<Int>, at time: Int64, by recommender: BatchRecommender, explain: Bool = false
    ) -> [RecommendedItem] {
        var history = UserHistory(limit: historyLimit), excluded: [String] = []
        for row in known where log.keepsOut(row, by: excludes) { excluded.append(log.itemIDs[Int(log.items[row])]) }
        for row in known.suffix(historyLimit) { history.insert(log.historyEntry(at: row)) }
        return recommender.recommend(
            count: count, history: history, excluded: excluded, attributes: attributes[user], now: EventTime(milliseconds: time),
            userID: log.userIDs[user], explain: explain)
    }
}
