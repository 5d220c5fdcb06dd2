import Console
import ContentModel
import Evaluation
import Reports
import TowerModel
import TrainingFiles

/// `freshet evaluate item-cold`: some items are treated as new, a model with its parts is trained without them, and its snapshot is asked
/// who took which of them. Several seeds; rivals on the same questions.
package struct ColdRun {
    /// What is asked for.
    package struct Options {
        /// Of the items with interactions, in percent.
        package var percent = 20.0
        /// Whether the newest items are taken instead of random ones; seeds then differ in what training leaves to chance.
        package var newest = false
        /// Rounds.
        package var seeds = 3

        /// All of it.
        package init(percent: Double = 20.0, newest: Bool = false, seeds: Int = 3) {
            self.percent = percent
            self.newest = newest
            self.seeds = seeds
        }
    }

    /// How everything is learned; seeds of the towers are each round's own.
    package let base: RunSettings
    /// What is asked for.
    package let options: Options

    /// All of it.
    package init(_ base: RunSettings, options: Options) {
        self.base = base
        self.options = options
    }

    private var settings: LearningSettings { base.learning }

    private static let threads = 2
    private static let mixedLength = 20

    /// Asks on one moment of the store.
    ///
    /// - Throws: where nobody can be asked.
    package func run(_ snapshot: SnapshotLog) throws -> ColdReport {
        let log = snapshot.log
        var report = ColdReport(
            percent: options.percent, newest: options.newest, contestants: ColdContestants.Key.allCases.map(\.rawValue),
            parts: ContentChannel.Part.allCases.map { "\($0)" })
        for seed in 1...options.seeds {
            let cut = ColdCut(
                log, percent: options.percent, newest: options.newest, seed: UInt64(seed), links: settings.content.linkAttributes)
            guard !cut.questions.isEmpty else {
                throw CommandFailure("there is nobody to ask: no user has interactions with the items that were cut out and with others")
            }
            report.add(try ask(cut, seed: UInt64(seed), columnsAt: snapshot.columnsPath))
            report.questions = cut.questions.count
            report.newItems = cut.isNew.count { $0 }
        }
        return report
    }

    /// Trains on what a cut leaves, as `freshet train` would, and asks everybody.
    private func ask(_ cut: ColdCut, seed: UInt64, columnsAt path: String) throws -> ColdReport.Round {
        let log = cut.log
        var towers = base.towers
        towers.seed = seed
        let run = BundleRun(settings: settings, towers: towers, threads: Self.threads)
        let trained = try run.trained(on: log, columnsAt: path, note: "seed \(seed)")
        // Rivals by content are asked also where no channel is wanted.
        let learning = trained.learning
            ?? ContentTraining(log: log, settings: settings.content).learning(trained.rows, threads: Self.threads)
        let contestants = ColdContestants(
            cut: cut, bundle: trained.bundle, sparseWeights: trained.parts.content?.sparse ?? ContentChannel.defaultWeights,
            learning: learning, settings: settings, threads: Self.threads)
        var round = ColdReport.Round(weights: trained.bundle.channel?.weights ?? ContentChannel.Part.allCases.map { _ in 0 })
        var metrics = ColdContestants.Key.allCases.map { _ in
            RankingMetrics(cutoffs: [10, 20, 100], catalogueSize: cut.isNew.count { $0 })
        }
        var shown = 0, shownNew = 0, relevantNew = 0, relevantOld = 0
        for question in cut.questions {
            let lists = contestants.lists(100, of: question)
            for (place, key) in ColdContestants.Key.allCases.enumerated() {
                metrics[place].add(ranked: lists[key] ?? [], relevant: question.new)
            }
            let top = contestants.mixed(Self.mixedLength, of: question)
            shown += top.count
            shownNew += top.count { cut.isNew[Int($0)] }
            relevantNew += question.new.count
            relevantOld += ColdCut.heldBack * question.old.count
        }
        for (key, metric) in zip(ColdContestants.Key.allCases, metrics) { round.reports[key.rawValue] = metric.report() }
        round.shareShown = Double(shownNew) / Double(max(1, shown))
        round.shareRelevant = Double(relevantNew) / Double(max(1, relevantNew + relevantOld))
        return round
    }
}
