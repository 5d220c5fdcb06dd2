import Bytes
import Console
import Evaluation
import Interactions
import Recommending
import Reports
import Tensors
import TowerModel
import TowerTraining
import TrainingFiles

/// `freshet evaluate user-cold`: users held out whole are asked with 0, 1, 2, 5 and 10 interactions of history, of models that
/// were trained without them; rivals learn from the same users. Several rounds, each with other new users and another seed.
package struct UserColdRun {
    /// What is asked for.
    package struct Options {
        /// Of the users, one in so many is new.
        package var folds = 5
        /// At most as many as folds.
        package var rounds = 3
        /// Interactions before the last question.
        package var longestHistory = 10

        /// All of it.
        package init(folds: Int = 5, rounds: Int = 3, longestHistory: Int = 10) {
            self.folds = folds
            self.rounds = rounds
            self.longestHistory = longestHistory
        }
    }

    /// How parts are learned, what is held out and how models answer.
    private let settings: LearningSettings
    /// How the towers learn; seeds are each round's own.
    private let towers: TowerConfiguration
    private let options: Options

    /// Rounds with settings.
    package init(_ base: RunSettings, options: Options) {
        (settings, towers) = (base.learning, base.towers)
        self.options = options
    }

    private static let threads = 2
    private static let listLength = 20
    /// Questions × items of a round at most: rivals keep a score for each.
    private static let scoresLimit = 50_000_000

    /// Asks on one moment of the store.
    ///
    /// - Throws: where nobody can be asked.
    package func run(_ snapshot: SnapshotLog) throws -> UserColdReport {
        let log = snapshot.log
        var report = UserColdReport(
            lengths: UserColdCut.historyLengths.filter { $0 <= options.longestHistory }, folds: options.folds,
            rivals: UserColdRivals.Key.allCases.map(\.rawValue))
        for round in 0..<options.rounds {
            let cut = UserColdCut(log, fold: round, folds: options.folds, longestHistory: options.longestHistory)
            try ask(cut, round: round, columnsAt: snapshot.columnsPath, into: &report)
        }
        return report
    }

    private func ask(_ cut: UserColdCut, round: Int, columnsAt path: String, into report: inout UserColdReport) throws {
        let log = cut.log
        let known = Holdout(settings.holdout, of: cut.known)
        let excludes = settings.decided(cut.known, known, threads: Self.threads).holdout.excludes
        let lengths = report.lengths
        let limit = min(
            settings.holdout.usersLimit, max(1, Self.scoresLimit / max(1, log.itemIDs.count * lengths.count)))
        func questions(_ isAsked: (Int) -> Bool) -> [Int: [UserColdCut.Question]] {
            let users = log.userIDs.indices.filter(isAsked)
            return Dictionary(
                uniqueKeysWithValues: lengths.map { ($0, cut.questions(of: users, after: $0, limit: limit)) })
        }
        let asked = questions { cut.isNew[$0] }, all = asked.values.flatMap { $0 }
        guard !all.isEmpty else {
            throw CommandFailure(
                "there is nobody to ask: no new user has more than \(options.longestHistory) interactions; --longest-history takes fewer")
        }
        func metrics(_ questions: [UserColdCut.Question]?, _ list: (UserColdCut.Question) -> [Int32]) -> UserColdReport.Cell {
            let questions = questions ?? []
            var metrics = RankingMetrics(cutoffs: [10, Self.listLength], catalogueSize: log.itemIDs.count), categories = 0
            for question in questions {
                let ranked = list(question)
                metrics.add(ranked: ranked, relevant: question.truth)
                categories += Set(ranked.prefix(10).map { log.contents[Int($0)].categories.first ?? "" }).count
            }
            return UserColdReport.Cell(
                report: metrics.report(), perUser: metrics.perUserNDCG, categories: Double(categories) / Double(max(1, questions.count)))
        }
        /// The list of a rival under the rules of serving.
        func list(_ ranker: UserColdRivals.Ranker, _ question: UserColdCut.Question) -> [Int32] {
            let known = Set(question.known.lazy.filter { log.keepsOut($0, by: excludes) }.map { log.items[$0] })
            return topRows(Self.listLength, of: ranker(question)) { known.contains($0) || log.isHidden[Int($0)] }
        }

        // Settings of the rivals: on the next fold, with the others learned.
        let tuned = UserColdRivals.tuning(cut, fold: (round + 1) % options.folds, folds: options.folds)
        let tuning = questions(tuned.isAsked)
        let chosen = tuned.rivals.settings(for: tuning.values.flatMap { $0 }, lengths: lengths) { ranker, lengths in
            lengths.reduce(0) { sum, length in sum + metrics(tuning[length]) { list(ranker, $0) }.report["NDCG@10"] }
        }
        let rankers = UserColdRivals(cut) { !cut.isNew[$0] }.rankers(chosen, for: all)
        for key in UserColdRivals.Key.allCases {
            guard let ranker = rankers[key] else { continue }
            for length in lengths { report.add(key.rawValue, length, metrics(asked[length]) { list(ranker, $0) }) }
        }

        let whole = try learned(cut.known, seed: UInt64(round + 1), columnsAt: path, note: "round \(round + 1)")
        var bare = cut.known
        bare.attributes = bare.attributes.map { _ in [] }
        let blind = try learned(bare, seed: UInt64(round + 1), columnsAt: path, note: "round \(round + 1), without attributes")
        func serving(_ bundle: ModelBundle, _ rules: RecommendingRules, attributes: Bool) -> UserColdServing {
            UserColdServing(
                cut, bundle: bundle, settings: settings, rules: rules, usesAttributes: attributes, threads: Self.threads)
        }
        let plain = RecommendingRules(trendingDiscount: 1, categoryDiscount: 1, variety: 0)
        for (name, serving) in [
            (UserColdReport.served, serving(whole, settings.served.rules, attributes: true)),
            ("freshet_by_accuracy", serving(whole, plain, attributes: true)),
            ("without_attributes", serving(blind, plain, attributes: false)),
        ] {
            let lists = serving.lists(Self.listLength, all)
            for length in lengths { report.add(name, length, metrics(asked[length]) { lists[$0.row] ?? [] }) }
        }
        report.finishRound(users: asked[lengths[0]]?.count ?? 0, newUsers: cut.isNew.count { $0 })
    }

    /// A model with its parts, as `freshet train` makes what it publishes.
    private func learned(
        _ log: TrainingLog, seed: UInt64, columnsAt path: String, note: String
    ) throws -> ModelBundle {
        var towers = towers
        towers.seed = seed
        return try BundleRun(settings: settings, towers: towers, threads: Self.threads).trained(on: log, columnsAt: path, note: note).bundle
    }
}

extension UserColdRivals {
    /// Rivals that learn from the known users but those of a fold, and whether a user is one of these: what settings are chosen on.
    package static func tuning(_ cut: UserColdCut, fold: Int, folds: Int) -> (rivals: UserColdRivals, isAsked: (Int) -> Bool) {
        let isAsked = cut.log.userIDs.map { FNV1a.part(of: $0, of: folds) == fold }
        return (UserColdRivals(cut) { !cut.isNew[$0] && !isAsked[$0] }, { isAsked[$0] && !cut.isNew[$0] })
    }
}
