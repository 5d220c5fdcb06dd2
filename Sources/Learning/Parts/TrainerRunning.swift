import Console
import TowerModel
import TowerTraining

extension Trainer {
    /// Runs all epochs with a line of progress; the model then.
    package func model(titled title: String) -> TwoTowerModel { learned(titled: title).model }

    /// The same, with the epoch that the model is of.
    package func learned(titled title: String) -> (model: TwoTowerModel, epoch: Int) {
        let started = ContinuousClock.now, line = ProgressLine(title)
        var best = 0
        while !isFinished {
            let summary = runEpoch(now: { started.duration(to: .now).inSeconds }, progress: { progress in
                line.update(share: Double(progress.epoch - 1) / Double(max(1, progress.epochs)), note: "epoch \(progress.epoch)/\(progress.epochs)")
            })
            if summary.isBest { best = summary.epoch }
        }
        return (model(), best)
    }
}
