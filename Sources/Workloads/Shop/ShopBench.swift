import Features
import Interactions
import Logging
import Recommending
import Simulation
import TrainingFiles

/// A closed loop over the simulated shop: what popularity, one goal and several goals sell to the same shoppers. It is a simulation:
/// shoppers behave as `Simulation` says, and tastes are hidden from what recommends.
package struct ShopBench {
    private static let noHistory = UserHistory(limit: FeatureRules().historyLimitEvents)
    // Fixed before anything was measured with them.
    static let users = 1_000, items = 1_500, pastEvents = 120_000, pastDays = 28, visits = 6_000, visitDays = 2, listItems = 10
    /// The seeds of the shops that are measured.
    package static let seeds: [UInt64] = [7_101, 7_202, 7_303]
    /// Largest share of NDCG@10, in percent, that several goals give up for rare items.
    package static let tailBudgetPercent = "1"
    /// The share of items, by past events, that are no tail.
    static let headShare = 0.2

    /// What recommends.
    package enum Arm: String, CaseIterable {
        case popularity, singleObjective = "single_objective", multiObjective = "multi_objective"
    }

    /// Learns a model of a shop's past once, as a training does: heads tuned for value, rare items lifted within
    /// ``tailBudgetPercent``.
    package typealias Training = (_ log: TrainingLog, _ seed: UInt64) throws -> ShopModel

    private let logger: Logger
    private let train: Training

    /// A bench that learns with `train`.
    package init(logger: Logger, train: @escaping Training) {
        self.logger = logger
        self.train = train
    }

    /// Runs every seed and gives one JSON object.
    package func run(seeds: [UInt64]) throws -> ResultLine {
        var tallies: [Arm: [ShopTally]] = [:]
        var perSeed: [String] = []
        for seed in seeds {
            let found = try run(seed: seed)
            var line = ResultLine(["seed": .integer(Int(seed))])
            for arm in Arm.allCases {
                tallies[arm, default: []] += found[arm] ?? []
                line.add(arm.rawValue, .json(ShopTally.sums(found[arm] ?? []).json))
            }
            perSeed.append(line.json)
            logger.notice("seed measured", metadata: ["seed": "\(seed)", "result": "\(line.json)"])
        }
        var line = ResultLine([
            "simulation": .boolean(true), "users": .integer(Self.users * seeds.count), "visits": .integer(Self.visits * seeds.count),
        ])
        line.add("seeds", .json("[" + perSeed.joined(separator: ",") + "]"))
        for arm in Arm.allCases { line.add(arm.rawValue, .json(ShopTally.sums(tallies[arm] ?? []).json)) }
        for (name, arm, base) in [
            ("multi_over_popularity", Arm.multiObjective, Arm.popularity), ("multi_over_single", .multiObjective, .singleObjective),
            ("single_over_popularity", .singleObjective, .popularity),
        ] {
            line.add(name, .json(ShopTally.gains(tallies[arm] ?? [], over: tallies[base] ?? []).json))
        }
        return line
    }

    private func run(seed: UInt64) throws -> [Arm: [ShopTally]] {
        var shop = Shop(
            configuration: ShopConfiguration(
                users: Self.users, items: Self.items, newItemsPerDay: 0, slateItems: Self.listItems, logsImpressions: true,
                anonymousShare: 0),
            seed: seed)
        let opening = shop.configuration.opening
        let past = shop.history(
            events: Self.pastEvents, from: EventTime(milliseconds: opening.milliseconds - Int64(Self.pastDays) * 86_400_000), to: opening)
        let records = shop.catalogue(openedBy: opening)
        let log = TrainingLog(events: past, items: records, users: shop.users())
        let trained = try train(log, seed)
        let histories = past.reduce(into: [String: UserHistory]()) { histories, event in
            if event.type != .impression { histories[event.userID, default: Self.noHistory].insert(HistoryEntry(event)) }
        }
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        for item in log.items { counts[Int(item)] += 1 }
        let order = counts.indices.sorted { (counts[$0], log.itemIDs[$1]) > (counts[$1], log.itemIDs[$0]) }
        let head = Set(order.prefix(Int(Double(order.count) * Self.headShare)).map { log.itemIDs[$0] })
        let popular = order.map { log.itemIDs[$0] }
        // Who comes when is decided once, so that every arm meets the same shoppers.
        let visits = (0..<Self.visits).map { index in
            shop.shopper(
                nextAt: EventTime(
                    milliseconds: opening.milliseconds + Int64(index) * Int64(Self.visitDays) * 86_400_000 / Int64(Self.visits)))
        }
        var result: [Arm: [ShopTally]] = [:]
        for arm in Arm.allCases {
            result[arm] = visit(
                shop, visits, histories: histories, head: head, popular: popular,
                recommender: arm == .popularity ? nil : trained.recommender(log, records, arm: arm), userIDs: log.userIDs,
                attributes: Dictionary(uniqueKeysWithValues: shop.users().map { ($0.userID, $0.attributes) }))
        }
        return result
    }

    /// One arm's shoppers: what they are shown, and what they do.
    private func visit(
        _ start: Shop, _ visits: [ShopVisit], histories: [String: UserHistory], head: Set<String>, popular: [String],
        recommender: BatchRecommender?, userIDs: [String], attributes: [String: String?]
    ) -> [ShopTally] {
        var shop = start, histories = histories
        var bought = histories.mapValues { history in Set(history.entries.lazy.filter { $0.type == .purchase }.map(\.itemID)) }
        var tallies: [String: ShopTally] = [:]
        for visit in visits {
            var clock = visit.start.milliseconds
            for _ in 0..<visit.lists {
                let excluded = bought[visit.userID] ?? []
                let shown: [String]
                if let recommender {
                    shown = recommender.recommend(
                        count: Self.listItems, history: histories[visit.userID] ?? Self.noHistory, excluded: Array(excluded),
                        attributes: attributes[visit.userID] ?? nil, now: EventTime(milliseconds: clock)).map(\.itemID)
                } else {
                    shown = Array(popular.lazy.filter { !excluded.contains($0) }.prefix(Self.listItems))
                }
                let events = shop.react(userID: visit.userID, sessionID: visit.sessionID, shown: shown, at: EventTime(milliseconds: clock))
                var tally = tallies[visit.userID] ?? ShopTally()
                tally.shown += Double(shown.count)
                tally.tail += Double(shown.count { !head.contains($0) })
                for event in events {
                    histories[visit.userID, default: Self.noHistory].insert(HistoryEntry(event))
                    if event.type == .click { tally.clicks += 1 }
                    guard event.type == .purchase else { continue }
                    tally.value += Double(event.amountMinor ?? 0) / 100
                    bought[visit.userID, default: []].insert(event.itemID)
                }
                tallies[visit.userID] = tally
                clock += 60_000
            }
        }
        return userIDs.map { tallies[$0] ?? ShopTally() }
    }
}
