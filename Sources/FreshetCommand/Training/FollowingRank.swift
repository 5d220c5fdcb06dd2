import Console
import Foundation
import Learning
import Logging
import TowerModel
import TowerTraining
import TrainingFiles

/// A rank of a training that does what rank 0 orders: it reads the training file, and runs its share of every step. It says nothing while
/// all is well, and keeps nothing.
struct FollowingRank {
    let configuration: Configuration
    let ranks: TrainingRanks
    let stop: StopSignal

    /// Follows until rank 0 has no more orders, or until all ranks stop together.
    func run() throws {
        let folder = configuration.text("artifacts.path") + "/training-rank-\(ranks.group.rank)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var log: TrainingLog?
        while true {
            switch try ranks.receive() {
            case .read(let path, let identity, let bytes, let users):
                log = try read(path, identity: identity, bytes: bytes, folder: folder).leavingOut(Set(users), columnsAt: folder + "/kept")
            case .learn(let settings, let ends, let hasCheckpoint):
                guard let log else { throw CommandFailure("rank \(ranks.group.rank) was asked to learn before it had data") }
                let set = try log.trainingSet(until: ends, columnsAt: folder + "/columns")
                let checkpoint = hasCheckpoint ? try ranks.group.broadcast(nil as Checkpoint?) : nil
                guard try learn(set, settings: settings, from: checkpoint) else { return }
            case .end:
                return
            }
        }
    }

    private func read(_ path: String, identity: String, bytes: Int, folder: String) throws -> TrainingLog {
        // A file of that name on another machine may be of another run, or cut; then the right one is sent.
        let found = try? TrainingFile(path: path), isMissing = found?.identity != identity
        let own = folder + "/log.freshet-training"
        try SharedFile(ranks.group).take(bytes: bytes, into: own, isMissing: isMissing)
        if let found, !isMissing { return found.log }
        return try TrainingFile(path: own).log
    }

    /// Whether the training ended by itself; false where all ranks stopped.
    private func learn(_ set: TrainingSet, settings: [String: String], from checkpoint: Checkpoint?) throws -> Bool {
        let trainer: Trainer
        if let checkpoint {
            trainer = try Trainer(set, resuming: checkpoint, ranks: ranks.group)
        } else {
            var towers = TowerConfiguration()
            for key in TowerConfiguration.keys {
                if let value = settings[key.name] { try towers.set(key.name, value) }
            }
            trainer = try Trainer(set, configuration: towers, ranks: ranks.group)
        }
        try ranks.check(set)
        while !trainer.isFinished {
            if try ranks.isStopped(stop) { return false }
            let summary = trainer.runEpoch(now: { 0 }, shouldStop: { [stop] in stop.isRaised })
            if let failure = summary.failure { throw failure }
            if summary.isUnfinished {
                ranks.noteCommonStop()
                return false
            }
        }
        _ = try trainer.collectedModel()
        return true
    }
}
