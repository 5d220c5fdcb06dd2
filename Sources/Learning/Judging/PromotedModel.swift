import Learning

extension TrainingStages.Promoted {
    /// What the model in force answers, as it serves; what was popular is that of the candidate's log.
    func score(_ scoring: HoldoutScoring, configuration: Configuration) -> HoldoutScoring.Outcome {
        scoring.score([bundle], configuration: configuration)
    }
}
