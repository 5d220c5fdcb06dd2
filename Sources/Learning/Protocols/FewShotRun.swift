import Console
import Evaluation
import Gradients
import Logging
import MetaLearning
import Recommending
import Reports
import Tensors
import TrainingFiles

/// `freshet evaluate few-shot`: each trained category in turn is treated as new and kept out of all learning; what adaptation makes of a
/// few of its events is compared with rivals on the same tasks.
///
/// The one protocol that asks no snapshot of a ``ModelBundle``. What is compared are ways of adapting from the same few events, and an item
/// of an adapted category is ranked among its like by the adapter alone, in serving too; the towers have no say, so none are trained.
/// Categories are kept out of the regressions by content, one a category and seed, where a bundle without each category would take a
/// training of the towers each. What adapted categories serve is asked of the running program by `ops/quality` over a data set with tasks.
package struct FewShotRun {
    /// What is asked for.
    package struct Options {
        /// Rounds.
        package var seeds = 3

        /// All of it.
        package init(seeds: Int = 3) {
            self.seeds = seeds
        }
    }

    /// Who ranks a category's items.
    package typealias Contestant = FewShotReport.Contestant

    /// How parts are learned, and what is held out.
    package let settings: LearningSettings
    /// Told what was left out.
    package let logger: Logger
    /// What is asked for.
    package let options: Options

    /// All of it.
    package init(settings: LearningSettings, logger: Logger, options: Options) {
        self.settings = settings
        self.logger = logger
        self.options = options
    }

    /// Parts into which categories fall; each is asked by what was learned from the others.
    private static let folds = 3
    /// Tasks of one category and seed.
    private static let tasksOfCategory = 5

    /// Asks on one moment of the store.
    ///
    /// - Throws: where nobody can be asked.
    package func run(_ snapshot: SnapshotLog) throws -> FewShotReport {
        let log = snapshot.log
        let rows = log.userIDs.indices.map { log.rows(of: $0) }
        let learning = ContentTraining(log: log, settings: settings.content).learning(rows)
        let training = AdaptationTraining(
            log: log, settings: settings.adaptation, rows: rows, learning: learning, logger: logger, stop: StopSignal())
        let factorLearning = training.factorLearning(), rank = settings.adaptation.rank
        var report = FewShotReport()
        for seed in 1...UInt64(options.seeds) {
            let pools = try training.pools(factorLearning, rank: rank, seed: seed)
            guard pools.count >= Self.folds else {
                throw CommandFailure(
                    "there are \(pools.count) values of \(settings.adaptation.field) with enough items and users, and few-shot evaluation "
                        + "needs \(Self.folds)")
            }
            for fold in 0..<Self.folds {
                let others = pools.enumerated().filter { $0.offset % Self.folds != fold }.map(\.element)
                let starts = self.starts(training, others, rank: rank, seed: seed)
                for pool in pools.enumerated().filter({ $0.offset % Self.folds == fold }).map(\.element) {
                    var random = SeededGenerator(seed: seed, stream: 0x7465_7374)
                    for _ in 0..<Self.tasksOfCategory {
                        let task = pool.questions(support: settings.adaptation.support, query: CategoryPool.usersLimit, using: &random)
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
                pool.questions(support: settings.adaptation.support, query: CategoryPool.usersLimit, using: &random)
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
            return (contestant, task.query.quality(of: parameters).ndcg)
        })
    }
}
