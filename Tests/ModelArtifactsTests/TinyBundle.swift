import CandidateRanking
import ContentModel
import MetaLearning
import Recommending
import Tensors
import TowerModel

/// A model of eight items with every part that a model may have, small enough to damage it in hundreds of places.
enum TinyBundle {
    /// Items of the library that contents are learned from: enough for a dense space.
    static let libraryItems = 96
    static let rank = 3

    /// - Parameter hasSpace: whether the content channel has a dense space, whose tables are kept in 16 bits a number.
    static func make(hasSpace: Bool = false) throws -> ModelBundle {
        let trainer = try tinyTrainer()
        _ = trainer.runEpoch(now: { 0 })
        var model = trainer.model()
        let width = DomainAdapters.width(dimension: 8, rank: 2)
        model.domains = try DomainAdapters(
            tokens: ["country=at", "country=ü"], dimension: 8, rank: 2, values: (0..<2 * width).map { Float($0 % 7) / 10 - 0.2 })
        var bundle = ModelBundle(model)
        bundle.ratingsFrom = 2.5
        bundle.textEncoder = "ab12"
        bundle.prices = ItemPrices([model.itemIDs[3]: 0.75, model.itemIDs[6]: 0.25])
        bundle.blend = blend(items: model.itemIDs.count)
        bundle.ranker = ranker(items: model.itemIDs.count)
        bundle.heads = heads(items: model.itemIDs.count)
        let learning = learning(items: hasSpace ? libraryItems : 24)
        bundle.channel = learning.channel
        bundle.channel?.weights = [4, -2, 1, 0.5, 0.25, -1, 3, 1]
        bundle.kit = kit(learning, items: hasSpace ? libraryItems : 24, of: model.itemIDs.count)
        return bundle
    }

    static func content(_ item: Int) -> ItemContent {
        ItemContent(
            title: "Title \(item % 5)", categories: [item % 3 == 0 ? "maps" : "tents"], tags: ["t\(item % 4)", "u\(item % 6)"],
            priceMicros: Int64(1_000_000 * (1 + item % 9)))
    }

    private static func blend(items: Int) -> RankingBlend {
        let events = (0..<60).map { Int32(($0 * $0 + $0 / 7) % items) }, times = (0..<60).map { Int64($0) * 3_600_000 }
        let tables = events.withUnsafeBufferPointer { events in
            times.withUnsafeBufferPointer { times in
                RankingTables(users: (0..<6).map { $0 * 10..<$0 * 10 + 10 }, items: events, times: times, itemCount: items)
            }
        }
        var weights = BlendWeights(RankingFeature.allCases.map { 0.5 + Float($0.rawValue) / 8 }, pauses: 0.1...0.9)
        weights.tailLift = 0.05
        weights.newcomers = [BlendWeights.Newcomer(historyLimitEvents: 1, values: RankingFeature.allCases.map { Float($0.rawValue) / 5 })]
        return RankingBlend(weights: weights, tables: tables)
    }

    private static func ranker(items: Int) -> CandidateRanker {
        let rows = (0..<60).map { Int32(($0 * $0 + $0 / 7) % items) }, times = (0..<60).map { Int64($0 % 10) * 86_400_000 }
        let amounts = [Int64](repeating: 900, count: 60), width = CandidateSignal.count
        let tables = rows.withUnsafeBufferPointer { rows in
            times.withUnsafeBufferPointer { times in
                amounts.withUnsafeBufferPointer { amounts in
                    CandidateTables(
                        CountedEvents(
                            users: (0..<6).map { $0 * 10..<$0 * 10 + 10 }, items: rows, times: times, amounts: amounts, itemCount: items),
                        levels: [((0..<items).map { Int32($0 % 3) }, 3), ((0..<items).map { Int32($0 % 2) - 1 }, 1)])
                }
            }
        }
        var random = SeededGenerator(seed: 8)
        let count = CandidateNetwork.parameterCount(width: width, hidden: [16], goals: 2)
        let network = CandidateNetwork(
            scaling: SignalScaling(mean: (0..<width).map { _ in random.normal() }, scale: (0..<width).map { _ in 0.5 }), hidden: [16],
            goals: 2, parameters: (0..<count).map { _ in 0.1 * random.normal() })
        var weights = RankerWeights(network: network, interest: 0.5, goals: [1, 0.25])
        weights.newcomers = [RankerWeights.Newcomer(historyLimitEvents: 2, interest: 0.75, goals: [0.5, 0])]
        return CandidateRanker(weights: weights, tables: tables)
    }

    private static func heads(items: Int) -> RankingHeads {
        let width = HeadFeature.count
        var random = SeededGenerator(seed: 3)
        let tables = HeadTables(
            sums: (0..<items).map { Double(100 + 300 * $0) }, orders: [Int](repeating: 2, count: items),
            categories: (0..<items).map { [$0 % 2 == 0 ? "even" : "odd"] }, prices: (0..<items).map { Int64(1_000_000 * (1 + $0)) }
        ).declaring((0..<24).map { ["country=\($0 % 2 == 0 ? "at" : "de")"] }) { user in ([Int32(user % items)], 100, 1) }
        let network = HeadNetwork(
            mean: (0..<width).map { _ in 0.1 * random.normal() }, scale: (0..<width).map { _ in 1 + 0.1 * random.normal() },
            parameters: (0..<HeadNetwork.parameterCount(features: width)).map { _ in 0.3 * random.normal() })
        return RankingHeads(
            weights: HeadWeights(
                network, click: Calibration(slope: 0.8, offset: 0.1), powers: ObjectivePowers(click: 1, conversion: 0.5, value: 0.5),
                ranksByClickHead: true), tables: tables)
    }

    /// Users of three tastes.
    private static func events(items: Int) -> (users: [Range<Int>], events: [Int32]) {
        let users = (0..<40).map { $0 * 12..<$0 * 12 + 12 }
        return (users, (0..<480).map { Int32(($0 / 12 % 3 + 3 * (($0 * 7 + $0 / 12) % (items / 3))) % items) })
    }

    private static func learning(items: Int) -> ContentLearning {
        let (users, events) = events(items: items)
        return events.withUnsafeBufferPointer {
            ContentLearning(
                itemIDs: (0..<items).map { "library \($0)" }, contents: (0..<items).map(content), users: users, events: $0,
                clock: 1_700_000_000_123, rules: ContentRules(linkAttributes: ["cites"]))
        }
    }

    private static func kit(_ learning: ContentLearning, items: Int, of modelItems: Int) -> CategoryKit {
        let (users, events) = events(items: items)
        let factors = events.withUnsafeBufferPointer {
            ContentFactorLearning(learning, contents: (0..<items).map(content), users: users, events: $0, seed: 5)
        }.factors(rank: rank).renumbered((0..<modelItems).map { $0 })
        func start(_ value: Float) -> [Matrix] {
            [
                Matrix(row: [Float](repeating: value, count: CategoryPart.count)), Matrix(row: [Float](repeating: 1, count: rank)),
                Matrix(row: [Float](repeating: value / 2, count: rank)),
            ]
        }
        return CategoryKit(
            factors: factors,
            starts: CategoryStarts(plain: start(0.5), plainRate: 0.1, meta: start(0.7), metaLogRates: start(-3), steps: 4, proximity: 0.01),
            field: "categories")
    }
}
