import Learning
import Recommending
import TrainingFiles

extension TrainingStages.Promoted {
    /// What the model in force answers, with its own blend where it has one; what was popular is that of the candidate's log.
    func score(_ scoring: HoldoutScoring, training: BlendTraining) -> HoldoutScoring.Outcome {
        guard let blend else { return scoring.score(model) }
        let log = scoring.log
        let rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        let ranking = training.scoring(
            blend.renumbered(model.itemIDs.map { rowOf[$0] ?? -1 }, itemCount: log.itemIDs.count),
            rows: log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        let towers = scoring.towers(model)
        return scoring.collect { ranking.scores(training.question($0), tower: towers($0)) }
    }
}
