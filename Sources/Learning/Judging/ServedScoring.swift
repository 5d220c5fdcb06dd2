import Features
import Interactions
import Recommending
import TrainingFiles

/// Models with their parts as they would serve, asked the questions of a holdout: the lists of their snapshots, so that the figure is the
/// figure of what serves.
///
/// With the snapshot goes all that serving does with a ranking: heads reorder it, content scores what was not trained on, the rules of
/// `rules.*` spread it, the tail dial turns it. What is popular is what was popular at the end of what may be learned from.
package struct ServedScoring {
    private let log: TrainingLog
    private let excludes: Set<UInt8>
    private let historyLimit: Int
    /// One for everybody, or one for users of even rows and one for those of odd ones.
    private let recommenders: [BatchRecommender]
    private let rowOf: [String: Int32]
    /// By user row, JSON objects.
    private let attributes: [String?]

    /// Builds the snapshots.
    ///
    /// - Parameters:
    ///   - bundles: one, or two of the same towers, for users of even and of odd rows: where each half of the users is judged by weights
    ///     that the other half gave.
    ///   - scoring: whose log the items come from, and whose training part what is popular.
    package init(_ bundles: [ModelBundle], scoring: HoldoutScoring, settings: LearningSettings) {
        precondition(!bundles.isEmpty && bundles.count <= 2, "\(bundles.count) models for two halves of the users")
        let log = scoring.log
        self.log = log
        excludes = scoring.excludes
        historyLimit = settings.blend.historyLimitEvents
        rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        attributes = log.userIDs.indices.map { log.attributesObject(of: $0) }
        let trending = BlendTraining(log: log, settings: settings.blend)
            .trending(log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        var catalogue = log.servedCatalogue(of: bundles[0], threads: scoring.threads)
        catalogue.trending = trending.map { TrendingItem(itemID: log.itemIDs[Int($0.row)], score: Double($0.share)) }
        let settings = ServedSettings(rules: settings.served.rules, tailDial: settings.served.tailDial)
        let first = BatchRecommender(snapshot: bundles[0].snapshot(over: catalogue, version: 1, settings: settings))
        let others = bundles.dropFirst().map { $0.snapshot(over: catalogue, version: 1, settings: settings) }
        recommenders = [first] + others.map { first.with(snapshot: $0) }
    }

    /// The first `count` rows of the log for a question, best first.
    package func list(_ count: Int, _ question: Holdout.Question) -> [Int32] {
        var history = UserHistory(limit: historyLimit), excluded: [String] = []
        for row in question.known where excludes.contains(log.types[row]) { excluded.append(log.itemIDs[Int(log.items[row])]) }
        for row in question.known.suffix(historyLimit) { history.insert(log.historyEntry(at: row)) }
        return recommenders[question.user % recommenders.count].recommend(
            count: count, history: history, excluded: excluded, attributes: attributes[question.user],
            now: EventTime(milliseconds: question.time), userID: log.userIDs[question.user]
        ).compactMap { rowOf[$0.itemID] }
    }
}

extension HoldoutScoring {
    /// What models with their parts answer as they serve; see ``ServedScoring``.
    package func score(_ bundles: [ModelBundle], settings: LearningSettings) -> Outcome {
        let served = ServedScoring(bundles, scoring: self, settings: settings)
        return collect(lists: { served.list($0, $1) })
    }
}
