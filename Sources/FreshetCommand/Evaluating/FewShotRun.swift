import Console
import Evaluation
import FeatureStore
import Foundation
import Gradients
import Interactions
import Learning
import MetaLearning
import Recommending
import Reports
import Tensors
import TrainingFiles

/// `freshet evaluate --protocol category-few-shot`: each trained category in turn is treated as new and kept out of all learning; what
/// adaptation makes of a few of its events is compared with rivals on the same tasks.
struct FewShotRun {
    struct Options {
        var seeds = 3
    }

    /// Who ranks a category's items.
    typealias Contestant = FewShotReport.Contestant

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
            log: log, settings: configuration.adaptationSettings, rows: rows, learning: ContentTraining(log: log, configuration: configuration).learning(rows),
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
