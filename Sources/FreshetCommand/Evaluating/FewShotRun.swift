import Console
import Evaluation
import FeatureStore
import Foundation
import Gradients
import Interactions
import MetaLearning
import Recommending
import Tensors
import TrainingFiles

/// `freshet evaluate --protocol category-few-shot`: each trained category in turn is treated as new and kept out of all learning; what
/// adaptation makes of a few of its events is compared with rivals on the same tasks.
struct FewShotRun {
    struct Options {
        var seeds = 3
    }

    /// Who ranks a category's items.
    enum Contestant: String, CaseIterable {
        /// The meta-learned start, exact second order.
        case meta
        /// The same, first order.
        case firstOrder = "meta-first-order"
        /// From the start that is best without steps, equal steps, the rate tuned on the validation tasks.
        case fineTune = "fine-tune"
        /// That start itself.
        case none
        /// From zeros, equal steps, the rate tuned on the validation tasks.
        case scratch
        /// The cosine of the user's and the item's content.
        case cosine
        /// Likeness to the mean of the support items.
        case category
        /// Popularity as content predicts it.
        case popularity
    }

    let configuration: Configuration
    let url: String
    let until: EventTime?
    let options: Options

    /// Parts into which categories fall; each is asked by what was learned from the others.
    private static let folds = 3
    /// Tasks of one category and seed.
    private static let tasksOfCategory = 5
    /// Threads that encode texts.
    private static let threads = 2

    func run() throws -> FewShotReport {
        let snapshot = try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")), threads: Self.threads)
        let log = snapshot.log
        let rows = log.userIDs.indices.map { log.rows(of: $0) }
        let training = AdaptationTraining(
            log: log, configuration: configuration, rows: rows, learning: ContentTraining(log: log, configuration: configuration).learning(rows),
            logger: configuration.logger("evaluate"), stop: StopSignal())
        let factorLearning = training.factorLearning(), rank = configuration.integer("adaptation.rank")
        var report = FewShotReport()
        for seed in 1...UInt64(options.seeds) {
            let pools = try training.pools(factorLearning, rank: rank, seed: seed)
            guard pools.count >= Self.folds else {
                throw CommandFailure(
                    "there are \(pools.count) values of \(configuration.text("adaptation.field")) with enough items and users, and few-shot evaluation needs \(Self.folds)")
            }
            for fold in 0..<Self.folds {
                let others = pools.enumerated().filter { $0.offset % Self.folds != fold }.map(\.element)
                let starts = self.starts(training, others, rank: rank, seed: seed)
                for pool in pools.enumerated().filter({ $0.offset % Self.folds == fold }).map(\.element) {
                    var random = SeededGenerator(seed: seed, stream: 0x7465_7374)
                    for _ in 0..<Self.tasksOfCategory {
                        let task = pool.questions(support: configuration.integer("adaptation.support"), query: CategoryPool.usersLimit, using: &random)
                        guard task.query.users.rows > 0 else { continue }
                        report.add(category: pool.category, seed: seed, ndcg: ask(task, starts))
                    }
                }
            }
        }
        return report
    }

    private struct Starts {
        var second, first, scratch: CategoryStarts
    }

    private func starts(_ training: AdaptationTraining, _ pools: [CategoryPool], rank: Int, seed: UInt64) -> Starts {
        let second = training.learn(pools, rank: rank, order: .second, seed: seed).starts
        var scratch = second
        scratch.plain = second.plain.map { Matrix(rows: $0.rows, columns: $0.columns) }
        var random = SeededGenerator(seed: seed, stream: 0x7363_7261)
        let tuning = AdaptationTraining.split(pools).validation.flatMap { pool in
            (0..<Self.tasksOfCategory).map { _ in
                pool.questions(support: configuration.integer("adaptation.support"), query: CategoryPool.usersLimit, using: &random)
            }
        }
        var best = Float.infinity
        for rate in CategoryMetaTraining.plainRates {
            var tried = scratch
            tried.plainRate = rate
            let loss = tuning.reduce(Float(0)) { sum, task in
                sum + task.query.loss(tried.adapted(to: task.support, by: .fineTune).map { .constant($0) }).scalar
            }
            if loss < best { (best, scratch.plainRate) = (loss, rate) }
        }
        return Starts(second: second, first: training.learn(pools, rank: rank, order: .first, seed: seed).starts, scratch: scratch)
    }

    private func ask(_ task: (support: CategoryQuestions, query: CategoryQuestions), _ starts: Starts) -> [Contestant: Double] {
        let rank = task.query.items.columns
        func only(_ part: CategoryPart) -> [Matrix] {
            [Matrix(row: CategoryPart.allCases.map { $0 == part ? 1 : 0 }), Matrix(rows: 1, columns: rank), Matrix(rows: 1, columns: rank)]
        }
        return Dictionary(uniqueKeysWithValues: Contestant.allCases.map { contestant in
            let parameters: [Matrix] = switch contestant {
            case .meta: starts.second.adapted(to: task.support, by: .meta)
            case .firstOrder: starts.first.adapted(to: task.support, by: .meta)
            case .fineTune: starts.second.adapted(to: task.support, by: .fineTune)
            case .none: starts.second.adapted(to: nil, by: .none)
            case .scratch: starts.scratch.adapted(to: task.support, by: .fineTune)
            case .cosine: only(.similarity)
            case .category: only(.likeness)
            case .popularity: only(.popularity)
            }
            return (contestant, AdaptRun.quality(of: parameters, on: task.query).ndcg)
        })
    }
}

/// What a few-shot evaluation found.
struct FewShotReport {
    private var tasks: [(category: String, seed: UInt64, ndcg: [FewShotRun.Contestant: Double])] = []

    mutating func add(category: String, seed: UInt64, ndcg: [FewShotRun.Contestant: Double]) { tasks.append((category, seed, ndcg)) }

    private func values(_ contestant: FewShotRun.Contestant) -> [Double] { tasks.map { $0.ndcg[contestant] ?? 0 } }

    /// One JSON object: NDCG@10 with its interval over tasks, and what adaptation gains over each rival, paired.
    var json: String {
        var line = ResultLine(["tasks": .integer(tasks.count), "categories": .integer(Set(tasks.map(\.category)).count), "seeds": .integer(Set(tasks.map(\.seed)).count)])
        for contestant in FewShotRun.Contestant.allCases {
            let own = values(contestant), mean = BootstrapInterval(ofMean: own)
            let gain = BootstrapInterval(ofMean: zip(values(.meta), own).map { $0 - $1 })
            line.add(
                contestant.rawValue,
                .json(
                    ResultLine([
                        "NDCG@10": .number(mean.estimate), "lower": .number(mean.lower), "upper": .number(mean.upper),
                        "meta_gain": .number(gain.estimate), "meta_gain_lower": .number(gain.lower), "meta_gain_upper": .number(gain.upper),
                    ]).json))
        }
        return line.json
    }

    /// Lines for people.
    var lines: [String] {
        var lines = ["\(tasks.count) tasks of \(Set(tasks.map(\.category)).count) categories treated as new, 95 % bootstrap intervals over tasks"]
        lines.append("                   NDCG@10                    what meta gains over it, paired")
        for contestant in FewShotRun.Contestant.allCases {
            let own = values(contestant), mean = BootstrapInterval(ofMean: own)
            let gain = BootstrapInterval(ofMean: zip(values(.meta), own).map { $0 - $1 })
            lines.append(
                contestant.rawValue.padding(toLength: 19, withPad: " ", startingAt: 0)
                    + String(format: "%.4f (%.4f to %.4f)   %+.4f (%+.4f to %+.4f)", mean.estimate, mean.lower, mean.upper, gain.estimate, gain.lower, gain.upper))
        }
        return lines
    }
}
