import Evaluation
import Interactions
import TrainingFiles

/// The rivals that a model is compared with, on the same questions, each within a bound of work.
extension HoldoutScoring {
    /// One rival and what it achieved.
    package struct Rival {
        /// Who it is.
        package var contestant: EvaluationRecord.Contestant
        /// What it achieved.
        package var outcome: Outcome

        /// All of it.
        package init(contestant: EvaluationRecord.Contestant, outcome: Outcome) {
            self.contestant = contestant
            self.outcome = outcome
        }
    }

    /// Interactions that Markov and EASE learn from, about: of more, every k-th user's.
    package static let rivalEventsLimit = 1_000_000
    /// Items that EASE models while a training waits: its cost grows with their cube.
    package static let trainingEASEItemsLimit = 4_000
    /// What EASE adds to the diagonal, in users.
    package static let easeLambda: Float = 200

    /// Every rival, popularity first. Buying again is one where the rules let things be shown again.
    package func scoreRivals(easeItemsLimit: Int = EASERival.itemsLimit) -> [Rival] {
        [
            Rival(contestant: .popularity, outcome: scorePopularity()),
            Rival(contestant: .recentPopularity, outcome: scoreRecentPopularity()),
        ] + scoreLearnedRivals(easeItemsLimit: easeItemsLimit)
    }

    /// Those beside popularity: windowed Markov, EASE, and buying again.
    package func scoreLearnedRivals(easeItemsLimit: Int) -> [Rival] {
        let sequences = boundedSequences()
        let itemCount = log.itemIDs.count
        var rivals: [Rival] = []
        do {
            let markov = MarkovRival(sequences: sequences, itemCount: itemCount)
            rivals.append(Rival(contestant: .windowedMarkov, outcome: collect { markov.scores(history: items($0.known)) }))
        }
        do {
            let ease = EASERival(sequences: sequences, itemCount: itemCount, lambda: Self.easeLambda, itemsLimit: easeItemsLimit)
            rivals.append(Rival(contestant: .ease, outcome: collect { ease.scores(history: items($0.known)) }))
        }
        if !excludes.isSuperset(of: InteractionType.acts.map(\.rawValue)) {
            let again = BuyAgainRival(counts: trainingCounts())
            rivals.append(Rival(contestant: .buyAgain, outcome: collect { again.scores(history: items($0.known)) }))
        }
        return rivals
    }

    private func items(_ rows: Range<Int>) -> [Int32] { rows.map { log.items[$0] } }

    /// What may be learned of each user, for as many users as the bound allows.
    private func boundedSequences() -> [[Int32]] {
        let total = log.userIDs.indices.reduce(0) { $0 + holdout.trainingRows(of: $1, in: log).count }
        let step = max(1, (total + Self.rivalEventsLimit - 1) / Self.rivalEventsLimit)
        return stride(from: 0, to: log.userIDs.count, by: step).map { items(holdout.trainingRows(of: $0, in: log)) }
    }
}

extension HoldoutScoring.Outcome {
    /// What the registry and `--json` have of it, with the 95 % interval of NDCG@10 over users.
    package var record: MetricsRecord { MetricsRecord(report, perUser: perUser) }
}
