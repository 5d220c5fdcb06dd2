import Console
import TowerModel
import TowerTraining
import TrainingFiles

extension TrainingLog {
    /// A trainer of what may be learned of each user.
    ///
    /// - Parameters:
    ///   - ends: the row at which that ends, by user; nil for everything.
    ///   - path: where its columns are written.
    /// - Throws: where settings contradict each other.
    package func trainer(_ configuration: TowerConfiguration, until ends: [Int]? = nil, columnsAt path: String) throws -> Trainer {
        do {
            return try Trainer(trainingSet(until: ends, columnsAt: path), configuration: configuration)
        } catch let error as TowerModel.ConfigurationError {
            throw CommandFailure(error.description)
        }
    }
}

extension Trainer {
    /// Runs all epochs with a line of progress; the model then.
    package func model(titled title: String) -> TwoTowerModel { learned(titled: title).model }

    /// The same, with the epoch that the model is of.
    package func learned(titled title: String) -> (model: TwoTowerModel, epoch: Int) {
        let started = ContinuousClock.now, line = ProgressLine(title)
        var best = 0
        while !isFinished {
            let summary = runEpoch(now: { started.duration(to: .now).inSeconds }, progress: { progress in
                line.update(
                    share: Double(progress.epoch - 1) / Double(max(1, progress.epochs)),
                    note: "epoch \(progress.epoch)/\(progress.epochs)")
            })
            if summary.isBest { best = summary.epoch }
        }
        return (model(), best)
    }
}
