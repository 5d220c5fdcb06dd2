import CandidateRanking
import Evaluation
import Recommending
import TrainingFiles

/// Models with their parts as they would serve, asked the questions of a holdout: the lists of their snapshots, so that the figure is the
/// figure of what serves.
///
/// With the snapshot goes all that serving does with a ranking: heads reorder it, content scores what was not trained on, the rules of
/// `rules.*` spread it, the tail dial turns it. What is popular is what was popular at the end of what may be learned from.
package struct ServedScoring {
    private let lists: ServedLists
    /// One for everybody, or one for users of even rows and one for those of odd ones.
    private let recommenders: [BatchRecommender]

    /// Builds the snapshots.
    ///
    /// - Parameters:
    ///   - bundles: one, or two of the same towers, for users of even and of odd rows: where each half of the users is judged by weights
    ///     that the other half gave.
    ///   - scoring: whose log the items come from, and whose training part what is popular.
    ///   - rule: what is kept out; nil for what is kept out where the first of them serves.
    ///   - shares: of kinds in the lists; by default none, as models are judged.
    package init(
        _ bundles: [ModelBundle], scoring: HoldoutScoring, settings: LearningSettings, under rule: ExclusionRule? = nil,
        shares: ListShares = ListShares()
    ) {
        precondition(!bundles.isEmpty && bundles.count <= 2, "\(bundles.count) models for two halves of the users")
        let log = scoring.log
        lists = ServedLists(
            log, excludes: rule ?? settings.holdout.exclusion(of: bundles[0]), historyLimit: settings.blend.historyLimitEvents)
        let catalogue = log.servedCatalogue(
            of: bundles[0], trendingAfter: log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) },
            settings: settings.blend, threads: scoring.threads)
        var served = ServedSettings(rules: settings.served.rules, tailDial: settings.served.tailDial)
        served.rules.shares = shares
        let snapshots = bundles.map { $0.snapshot(over: catalogue, version: 1, settings: served) }
        let first = BatchRecommender(snapshot: snapshots[0])
        recommenders = [first] + snapshots.dropFirst().map { first.with(snapshot: $0) }
    }

    private init(_ lists: ServedLists, _ recommenders: [BatchRecommender]) {
        (self.lists, self.recommenders) = (lists, recommenders)
    }

    /// The same models asked for some items alone.
    package func among(_ itemIDs: [String]) -> ServedScoring {
        ServedScoring(lists, recommenders.map { BatchRecommender(snapshot: $0.current, candidates: itemIDs) })
    }

    /// The first `count` rows of the log for a question, best first.
    package func list(_ count: Int, _ question: Holdout.Question) -> [Int32] { scored(count, question).map(\.row) }

    /// The same with the scores that they stand by.
    package func scored(_ count: Int, _ question: Holdout.Question) -> [(row: Int32, score: Float)] {
        lists.scored(
            count, of: question.user, known: question.known, at: question.time, by: recommenders[question.user % recommenders.count])
    }

    /// Questions that are asked for ``carriers(of:)``, spread over all.
    private static let carriedQuestions = 300

    /// Which kind of knowledge carries the lists: of the items in top tens the share that each kind moved most, of those that
    /// stand there because they are new (`new`), and of those that the shop's shares put before others (`share`). Empty where nothing is
    /// asked.
    ///
    /// - Complexity: that of 300 requests that are explained.
    package func carriers(of scoring: HoldoutScoring) -> NamedNumbers {
        let questions = scoring.holdout.questions, step = max(1, questions.count / Self.carriedQuestions)
        let names = SignalGroup.allCases.map(\.name) + ["new", "share"], new = names.count - 2, share = names.count - 1
        var counts = [Double](repeating: 0, count: names.count), all = 0.0
        for place in stride(from: 0, to: questions.count, by: step) {
            let question = questions[place]
            let items = lists.items(
                10, of: question.user, known: question.known, at: question.time, by: recommenders[question.user % recommenders.count],
                explain: true)
            for item in items {
                let isNew = item.reason == .fresh || item.reason == .adapted
                let carrier = item.strongest?.rawValue ?? (isNew ? new : SignalGroup.popularity.rawValue)
                counts[item.share == nil ? carrier : share] += 1
                all += 1
            }
        }
        return NamedNumbers(all == 0 ? [] : zip(names, counts).map { NamedNumbers.Entry($0, $1 / all) })
    }
}

extension HoldoutScoring {
    /// What models with their parts answer as they serve; see ``ServedScoring``.
    package func score(_ bundles: [ModelBundle], settings: LearningSettings) -> Outcome {
        let served = ServedScoring(bundles, scoring: self, settings: settings)
        return collect(lists: { served.list($0, $1) })
    }
}
