import Console
import Evaluation
import Features
import Foundation
import Interactions
import Learning
import Logging
import Recommending
import Simulation
import TrainingFiles

/// A closed loop over the simulated shop: what popularity, one goal and several goals sell to the same shoppers. It is a simulation:
/// shoppers behave as `Simulation` says, and tastes are hidden from what recommends.
struct ShopBench {
    // Fixed before anything was measured with them.
    static let users = 1_000, items = 1_500, pastEvents = 120_000, pastDays = 28, visits = 6_000, visitDays = 2, listItems = 10
    static let seeds: [UInt64] = [7_101, 7_202, 7_303]
    /// Largest share of NDCG@10, in percent, that several goals give up for rare items.
    static let tailBudgetPercent = "1"
    /// The share of items, by past events, that are no tail.
    static let headShare = 0.2

    /// What recommends.
    enum Arm: String, CaseIterable {
        case popularity, singleObjective = "single_objective", multiObjective = "multi_objective"
    }

    /// What one user saw and did.
    struct Tally {
        var shown = 0.0, clicks = 0.0, value = 0.0, tail = 0.0
    }

    let configuration: Configuration
    let logger: Logger
    let stop: StopSignal

    /// Runs every seed and gives one JSON object.
    func run(seeds: [UInt64]) throws -> ResultLine {
        var tallies: [Arm: [Tally]] = [:]
        var perSeed: [String] = []
        for seed in seeds {
            let found = try run(seed: seed)
            var line = ResultLine(["seed": .integer(Int(seed))])
            for arm in Arm.allCases {
                tallies[arm, default: []] += found[arm] ?? []
                line.add(arm.rawValue, .json(Self.sums(found[arm] ?? []).json))
            }
            perSeed.append(line.json)
            logger.notice("seed measured", metadata: ["seed": "\(seed)", "result": "\(line.json)"])
        }
        var line = ResultLine(["simulation": .boolean(true), "users": .integer(Self.users * seeds.count), "visits": .integer(Self.visits * seeds.count)])
        line.add("seeds", .json("[" + perSeed.joined(separator: ",") + "]"))
        for arm in Arm.allCases { line.add(arm.rawValue, .json(Self.sums(tallies[arm] ?? []).json)) }
        for (name, arm, base) in [
            ("multi_over_popularity", Arm.multiObjective, Arm.popularity), ("multi_over_single", .multiObjective, .singleObjective),
            ("single_over_popularity", .singleObjective, .popularity),
        ] {
            line.add(name, .json(Self.gains(tallies[arm] ?? [], over: tallies[base] ?? []).json))
        }
        return line
    }

    private static func sums(_ tallies: [Tally]) -> ResultLine {
        let shown = max(tallies.reduce(0) { $0 + $1.shown }, 1)
        return ResultLine([
            "click_through": .number(tallies.reduce(0) { $0 + $1.clicks } / shown),
            "value_per_1000_shown": .number(tallies.reduce(0) { $0 + $1.value } / shown * 1_000),
            "tail_exposure": .number(tallies.reduce(0) { $0 + $1.tail } / shown),
        ])
    }

    /// Gains with 95 % intervals over users. The same users visit as often under every arm, so sums compare like rates.
    private static func gains(_ tallies: [Tally], over base: [Tally]) -> ResultLine {
        var line = ResultLine()
        for (name, value) in [("click_through", \Tally.clicks), ("order_value", \Tally.value), ("tail_exposure", \Tally.tail)] {
            let interval = BootstrapInterval(ofGain: tallies.map { $0[keyPath: value] }, over: base.map { $0[keyPath: value] })
            line.add(name, .json("[\(interval.estimate),\(interval.lower),\(interval.upper)]"))
        }
        return line
    }

    private func run(seed: UInt64) throws -> [Arm: [Tally]] {
        var shop = Shop(
            configuration: ShopConfiguration(
                users: Self.users, items: Self.items, newItemsPerDay: 0, slateItems: Self.listItems, logsImpressions: true, anonymousShare: 0),
            seed: seed)
        let opening = shop.configuration.opening
        let past = shop.history(
            events: Self.pastEvents, from: EventTime(milliseconds: opening.milliseconds - Int64(Self.pastDays) * 86_400_000), to: opening)
        let records = shop.catalogue(openedBy: opening)
        let log = TrainingLog(events: past, items: records, users: shop.users())
        let trained = try train(log, seed: seed)
        let histories = past.reduce(into: [String: UserHistory]()) { histories, event in
            if event.type != .impression { histories[event.userID, default: UserHistory()].insert(HistoryEntry(event)) }
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
        var result: [Arm: [Tally]] = [:]
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
    ) -> [Tally] {
        var shop = start, histories = histories
        var bought = histories.mapValues { history in Set(history.entries.lazy.filter { $0.type == .purchase }.map(\.itemID)) }
        var tallies: [String: Tally] = [:]
        for visit in visits {
            var clock = visit.start.milliseconds
            for _ in 0..<visit.lists {
                let excluded = bought[visit.userID] ?? []
                let shown: [String]
                if let recommender {
                    shown = recommender.recommend(
                        count: Self.listItems, history: histories[visit.userID] ?? UserHistory(), excluded: Array(excluded),
                        attributes: attributes[visit.userID] ?? nil, now: EventTime(milliseconds: clock)).map(\.itemID)
                } else {
                    shown = Array(popular.lazy.filter { !excluded.contains($0) }.prefix(Self.listItems))
                }
                let events = shop.react(userID: visit.userID, sessionID: visit.sessionID, shown: shown, at: EventTime(milliseconds: clock))
                var tally = tallies[visit.userID] ?? Tally()
                tally.shown += Double(shown.count)
                tally.tail += Double(shown.count { !head.contains($0) })
                for event in events {
                    histories[visit.userID, default: UserHistory()].insert(HistoryEntry(event))
                    if event.type == .click { tally.clicks += 1 }
                    guard event.type == .purchase else { continue }
                    tally.value += Double(event.amountMinor ?? 0) / 100
                    bought[visit.userID, default: []].insert(event.itemID)
                }
                tallies[visit.userID] = tally
                clock += 60_000
            }
        }
        return userIDs.map { tallies[$0] ?? Tally() }
    }

    /// One training; both goals rank by the same towers and the same blend.
    private func train(_ log: TrainingLog, seed: UInt64) throws -> ShopModel {
        var configuration = configuration
        for (key, value) in [("objectives.tune", "value"), ("ranking.tail_budget_percent", Self.tailBudgetPercent), ("train.seed", String(seed))] {
            try configuration.set(key, .scalar(value), source: "bench shop")
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-shop-\(getpid())-\(seed)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = TrainingFolder(path: path)
        try folder.clear()
        let stages = TrainingStages(
            settings: configuration.learningSettings, folder: folder, log: log, towers: try configuration.towerConfiguration(), logger: logger, stop: stop,
            ranks: .alone, teacher: nil, tell: { _ in })
        var state = TrainingFolder.State(stage: .judged, settings: [:])
        let bundle = try stages.train(&state, references: { .none })
        let curve = state.record?.tailCurve
        let dial = TailDial(lambda: Float(curve?.used ?? 0), lift: Float(curve?.usedLift ?? 0))
        return ShopModel(bundle: bundle, dial: dial)
    }
}
