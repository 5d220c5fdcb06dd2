import Console
import ContentModel
import Logging
import MetaLearning
import Recommending
import Tensors
import TrainingFiles

/// Learns to adapt to new categories: trained categories are each treated as if they were new, and tasks are drawn from them.
///
/// A category treated as new has vectors and popularity from a regression without its items, and users are what they are without
/// them. What it takes: one such regression a category, `adaptation.meta_categories` at most.
package struct AdaptationTraining {
    /// A category with a larger share of the items leaves too little to learn from without it.
    private static let largestShare = 0.6
    /// One category in so many is kept for validation.
    private static let validationEvery = 4
    /// Tasks drawn from each of them.
    private static let validationTasks = 12

    /// What is learned from.
    package let log: TrainingLog
    /// How it is learned.
    package let settings: AdaptationSettings
    /// Each user's rows that may be learned from.
    package let rows: [Range<Int>]
    /// What content says of the same rows.
    package let learning: ContentLearning
    /// What is learned from.
    package let logger: Logger
    /// Ends the learning early.
    package let stop: StopSignal

    /// All of it.
    package init(
        log: TrainingLog, settings: AdaptationSettings, rows: [Range<Int>], learning: ContentLearning, logger: Logger, stop: StopSignal
    ) {
        self.log = log
        self.settings = settings
        self.rows = rows
        self.learning = learning
        self.logger = logger
        self.stop = stop
    }

    private var seed: UInt64 { 0x6164_6170 }

    /// What the model adapts with, and how well it did on the categories kept for validation; nil where there are too few categories.
    ///
    /// - Parameter modelRow: the model's row of an item of the log.
    package func run(modelItems: [String]) throws -> (kit: CategoryKit, summary: CategoryMetaTraining.Summary, categories: Int)? {
        let factorLearning = self.factorLearning()
        let rank = settings.rank
        let pools = try self.pools(factorLearning, rank: rank)
        guard pools.count >= 2 else {
            logger.info("too few categories to learn adaptation from", metadata: ["categories": "\(pools.count)"])
            return nil
        }
        let learned = learn(pools, rank: rank, order: settings.order)
        let logRows = Dictionary(log.itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        let factors = factorLearning.factors(rank: rank).renumbered(modelItems.map { logRows[$0] })
        return (CategoryKit(factors: factors, starts: learned.starts, field: settings.field), learned.summary, pools.count)
    }

    /// The regressions by content, from which vectors without a category come.
    package func factorLearning() -> ContentFactorLearning {
        log.items.withUnsafeBufferPointer {
            ContentFactorLearning(learning, contents: log.contents, users: rows, events: $0, seed: seed)
        }
    }

    /// The starts from pools, and their losses on those kept for validation.
    package func learn(
        _ pools: [CategoryPool], rank: Int, order: MetaConfiguration.Order, seed: UInt64 = 1
    ) -> (starts: CategoryStarts, summary: CategoryMetaTraining.Summary) {
        let split = Self.split(pools)
        let support = settings.support, query = settings.query
        var random = SeededGenerator(seed: seed, stream: self.seed)
        let validation = split.validation.flatMap { pool in
            (0..<Self.validationTasks).map { _ in pool.task(support: support, query: 4 * query, using: &random) }
        }
        let rules = MetaConfiguration(
            innerSteps: settings.innerSteps, innerRate: 0.01, learnsInnerRates: true, rateShape: .element,
            proximity: settings.proximity, order: order, outer: AdamRule(learningRate: 0.02),
            gradientLimit: 5, tasksPerStep: 4, validationIntervalSteps: 20, patienceValidations: 10)
        return CategoryMetaTraining(configuration: rules, maxSteps: settings.metaSteps, seed: seed).run(
            rank: rank, validation: validation, shouldStop: { stop.isRaised }
        ) { random in
            split.training[random.next(below: split.training.count)].task(support: support, query: query, using: &random)
        }
    }

    /// Every fourth category, and at least one, is not learned from.
    package static func split(_ pools: [CategoryPool]) -> (training: [CategoryPool], validation: [CategoryPool]) {
        var training: [CategoryPool] = [], validation: [CategoryPool] = []
        for (place, pool) in pools.enumerated() {
            if place % validationEvery == 1 { validation.append(pool) } else { training.append(pool) }
        }
        return (training, validation)
    }

    /// Trained categories as pools, in an order drawn by the seed.
    package func pools(_ factorLearning: ContentFactorLearning, rank: Int, seed: UInt64 = 1) throws -> [CategoryPool] {
        let field = settings.field
        var members: [String: [Int]] = [:]
        for row in log.itemIDs.indices where factorLearning.popularity[row] > 0 {
            for value in Set(log.contents[row].values(of: field)) { members[value, default: []].append(row) }
        }
        let limit = Int(Double(log.itemIDs.count) * Self.largestShare)
        var names = members.filter { $0.value.count >= CategoryPool.leastItems && $0.value.count <= limit }.keys.sorted()
        var random = SeededGenerator(seed: seed, stream: self.seed &+ 1)
        random.shuffle(&names)
        var pools: [CategoryPool] = []
        let line = ProgressLine("adaptation")
        for name in names {
            guard pools.count < settings.metaCategories, let rows = members[name] else { break }
            guard !stop.isRaised else { throw CommandFailure("stopped; freshet train --resume goes on from there") }
            if let pool = pool(name, members: rows, factorLearning, rank: rank, using: &random) { pools.append(pool) }
            line.update(share: Double(pools.count) / Double(max(1, min(names.count, settings.metaCategories))), note: name)
        }
        return pools
    }

    private func pool(
        _ name: String, members: [Int], _ factorLearning: ContentFactorLearning, rank: Int, using random: inout SeededGenerator
    ) -> CategoryPool? {
        var isMember = [Bool](repeating: false, count: log.itemIDs.count)
        for row in members { isMember[row] = true }
        var chosen = members
        random.shuffle(&chosen)
        chosen = Array(chosen.prefix(CategoryPool.itemsLimit)).sorted()
        let places = Dictionary(chosen.enumerated().map { ($1, $0) }) { first, _ in first }
        var asked: [(history: [Int32], taken: [Int])] = []
        var order = Array(rows.indices)
        random.shuffle(&order)
        for user in order where asked.count < CategoryPool.usersLimit {
            var history: [Int32] = [], taken = Set<Int>()
            for row in rows[user] {
                let item = log.items[row]
                if !isMember[Int(item)] { history.append(item) } else if let place = places[Int(item)] { taken.insert(place) }
            }
            if Set(history).count >= CategoryPool.leastHistory, !taken.isEmpty { asked.append((history, taken.sorted())) }
        }
        guard asked.count >= CategoryPool.leastUsers else { return nil }
        let factors = factorLearning.factors(rank: rank) { isMember[$0] }
        return CategoryPool(
            category: name, rows: chosen, asked: asked, learning: learning, factorLearning: factorLearning, factors: factors)
    }
}
