import Features
import Interactions
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// A model that was trained without the new users, asked about them as it would serve: the snapshot of its bundle, segments and rules, and
/// what is trending at the moment of each question.
package struct UserColdServing {
    /// Moments at which the trending list is read anew, at most.
    private static let momentsLimit = 500

    private let cut: UserColdCut
    private let log: TrainingLog
    private let recommender: BatchRecommender
    private let featureRules: FeatureRules
    private let trendingLimitItems: Int
    private let served: ServedLists

    /// - Parameters:
    ///   - bundle: learned from the known users.
    ///   - usesAttributes: whether the questions say the users' attributes.
    package init(
        _ cut: UserColdCut, bundle: ModelBundle, settings: LearningSettings, rules: RecommendingRules, usesAttributes: Bool, threads: Int
    ) {
        self.cut = cut
        log = cut.log
        featureRules = settings.features
        trendingLimitItems = settings.blend.trendingLimitItems
        let log = cut.log
        served = ServedLists(
            log, excludes: settings.holdout.exclusion(of: bundle), historyLimit: settings.blend.historyLimitEvents,
            usesAttributes: usesAttributes)
        let rows = log.userIDs.indices.map { cut.isNew[$0] ? log.userStarts[$0]..<log.userStarts[$0] : log.rows(of: $0) }
        var snapshot = bundle.snapshot(
            over: log.servedCatalogue(of: bundle, threads: threads), version: 1,
            settings: ServedSettings(rules: rules, tailDial: settings.served.tailDial))
        if let segments = settings.segments, usesAttributes {
            snapshot = snapshot.withSegments(
                Self.segmentCounts(log, rows, minimumUsers: segments.minimumUsers),
                priorEvents: segments.priorEvents)
        }
        recommender = BatchRecommender(snapshot: snapshot)
    }

    /// The first `count` item rows for each question, by its row.
    package func lists(_ count: Int, _ questions: [UserColdCut.Question]) -> [Int: [Int32]] {
        let known = cut.known
        var order: [Int32] = []
        for user in known.userIDs.indices { order += known.rows(of: user).map { Int32($0) } }
        order.sort { known.times[Int($0)] < known.times[Int($1)] }
        var clock = TrendingClock(itemCount: log.itemIDs.count, rules: featureRules), next = 0
        var asked = recommender
        var lists: [Int: [Int32]] = [:]
        let step = max(1, (questions.count + Self.momentsLimit - 1) / Self.momentsLimit)
        for (place, question) in questions.sorted(by: { ($0.time, $0.row) < ($1.time, $1.row) }).enumerated() {
            if place % step == 0 {
                while next < order.count, known.times[Int(order[next])] < question.time {
                    let row = Int(order[next])
                    clock.add(known.items[row], type: known.types[row], at: known.times[row])
                    next += 1
                }
                let trending = clock.popular(trendingLimitItems, at: question.time, itemIDs: log.itemIDs, isHidden: log.isHidden)
                asked = recommender.with(snapshot: recommender.current.withTrending(trending))
            }
            lists[question.row] = served.list(count, of: question.user, known: question.known, at: question.time, by: asked)
        }
        return lists
    }

    /// What a store would count by segment, without decay.
    private static func segmentCounts(_ log: TrainingLog, _ rows: [Range<Int>], minimumUsers: Int) -> [SegmentCount] {
        var users: [String: Int] = [:]
        for user in rows.indices where !rows[user].isEmpty { for token in log.attributes[user] { users[token, default: 0] += 1 } }
        var counts: [String: [Int32: Double]] = [:]
        for user in rows.indices {
            let segments = [""] + log.attributes[user].filter { users[$0, default: 0] >= minimumUsers }
            for row in rows[user] { for segment in segments { counts[segment, default: [:]][log.items[row], default: 0] += 1 } }
        }
        return counts.flatMap { segment, items in
            items.map { SegmentCount(segment: segment, itemID: log.itemIDs[Int($0.key)], events: $0.value) }
        }
    }
}
