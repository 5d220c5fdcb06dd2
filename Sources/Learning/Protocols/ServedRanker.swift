import Evaluation
import Features
import Interactions
import Recommending
import TrainingFiles

/// Freshet as a request would meet it: the model's user tower on the history so far, over a serving snapshot whose live part follows
/// the events.
package struct ServedRanker: ReplayRanker {
    /// Its name in reports.
    package let name = "freshet"

    private let log: ReplayLog
    private let rules: FeatureRules
    private let trendingItems: Int
    private var snapshot: ServingSnapshot
    private var recommender: BatchRecommender
    private var clock: TrendingClock
    private var isStale = true
    private var refreshed = Int64.min

    /// How often a server looks at what is popular, by the clock of the events.
    private static let refreshMilliseconds: Int64 = 2_000

    /// Ranks by a snapshot of the promoted, or any other, version.
    package init(_ snapshot: ServingSnapshot, log: ReplayLog, rules: FeatureRules, trendingItems: Int) {
        self.log = log
        self.rules = rules
        self.trendingItems = trendingItems
        self.snapshot = snapshot
        recommender = BatchRecommender(snapshot: snapshot)
        clock = TrendingClock(itemCount: log.itemIDs.count, rules: rules)
    }

    /// Answers from another snapshot from now on; what is popular goes on.
    package mutating func replace(_ snapshot: ServingSnapshot) {
        self.snapshot = snapshot
        recommender = BatchRecommender(snapshot: snapshot)
        isStale = true
        refreshed = .min
    }

    package mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) {
        clock.add(event.item, type: event.type, at: event.time)
        isStale = true
    }

    package mutating func rank(
        _ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool
    ) -> [Int32] {
        refresh(at: time)
        // The newest events are what the store keeps as the history; the oldest of them come first.
        var history = UserHistory(limit: rules.historyLimitEvents)
        for index in max(0, past.items.count - rules.historyLimitEvents)..<past.items.count {
            let type = InteractionType(rawValue: past.types[index]) ?? .click
            history.insert(
                HistoryEntry(
                    itemID: log.itemIDs[Int(past.items[index])], type: type,
                    time: EventTime(milliseconds: past.times[index]),
                    position: Position(partition: Position.filePartition, offset: Int64(index)),
                    amountMinor: type == .purchase ? past.paid[index] : 0))
        }
        let items = recommender.recommend(
            count: count, history: history, excluded: past.excluded.map { log.itemIDs[Int($0)] }, attributes: log.attributes[Int(user)],
            now: EventTime(milliseconds: time))
        return items.compactMap { log.row(of: $0.itemID) }
    }

    /// Takes over what is popular now, as a server does every two seconds.
    private mutating func refresh(at time: Int64) {
        guard isStale, time >= refreshed &+ Self.refreshMilliseconds || refreshed == .min else { return }
        isStale = false
        refreshed = time
        snapshot = snapshot.withTrending(clock.popular(trendingItems, at: time, itemIDs: log.itemIDs, isHidden: log.isHidden))
        recommender = recommender.with(snapshot: snapshot)
    }
}
