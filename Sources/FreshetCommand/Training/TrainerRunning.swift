import TwoTower

extension Trainer {
    /// Runs all epochs with a line of progress; the model then.
    func model(titled title: String) -> TwoTowerModel {
        let started = ContinuousClock.now, line = ProgressLine(title)
        while !isFinished {
            _ = runEpoch(now: { started.duration(to: .now).inSeconds }, progress: { progress in
                line.update(share: Double(progress.epoch - 1) / Double(max(1, progress.epochs)), note: "epoch \(progress.epoch)/\(progress.epochs)")
            })
        }
        return model()
    }
}
