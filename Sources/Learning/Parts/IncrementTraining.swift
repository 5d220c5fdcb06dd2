import Console
import Foundation
import TowerModel
import TowerTraining
import TrainingFiles

/// Goes on from a model with what it has not seen: its tables grow, it learns the new interactions beside a sample of old ones, and
/// may be held near where it was by how much the old ones depend on each parameter.
package struct IncrementTraining {
    /// How it learns; see `train.incremental_*`.
    package struct Rules: Sendable {
        /// Passes over what is new.
        package var epochs: Int
        /// Share of the full training's step sizes.
        package var rateShare: Float
        /// Old events learned again for each new one, and at most.
        package var replay: Double
        /// Old events at most.
        package var replayLimitEvents: Int
        /// Strength of elastic weight consolidation; 0 for none.
        package var ewc: Float
        /// Decides what is drawn.
        package var seed: UInt64
        /// Threads to compute with.
        package var threads: Int

        /// All of it.
        package init(epochs: Int, rateShare: Float, replay: Double, replayLimitEvents: Int, ewc: Float, seed: UInt64, threads: Int) {
            self.epochs = epochs
            self.rateShare = rateShare
            self.replay = replay
            self.replayLimitEvents = replayLimitEvents
            self.ewc = ewc
            self.seed = seed
            self.threads = threads
        }
    }

    /// Old events by which the importance of parameters is estimated, and those of one batch.
    private static let importanceEvents = 2_048, importanceBatch = 32

    /// Old and new interactions.
    package let log: TrainingLog
    /// How it learns.
    package let rules: Rules

    /// All of it.
    package init(log: TrainingLog, rules: Rules) {
        self.log = log
        self.rules = rules
    }

    /// What was learned, and from how much.
    package struct Learned {
        /// The model that knows what is new.
        package var model: TwoTowerModel
        /// Events that were learned for the first time.
        package var newEvents: Int
        /// Old events that were learned again.
        package var replayedEvents: Int
        /// Whose optimizer another increment may go on with.
        package var trainer: Trainer
    }

    /// Learns from `newRows` of the log.
    ///
    /// - Parameters:
    ///   - newRows: ascending.
    ///   - ends: where what may be learned of each user ends; nil for all of it.
    ///   - kept: a training whose optimizer goes on.
    package func learn(
        _ newRows: [Int], ends: [Int]?, from model: TwoTowerModel, keeping kept: Trainer? = nil, stop: StopSignal? = nil
    ) throws -> Learned {
        let base: WarmStart
        do {
            base = try WarmStart(model, keeping: kept)
        } catch {
            throw CommandFailure("the model to go on from cannot be read: \(error.description)")
        }
        let settings = base.settings(epochs: rules.epochs, rateShare: rules.rateShare, seed: rules.seed, threads: rules.threads)
        let whole = TrainingSet(
            itemIDs: log.itemIDs, itemContents: log.contents, userIDs: log.userIDs, userAttributes: log.attributes,
            userStarts: Column(log.userStarts), items: log.items, types: log.types, times: log.times)
        let isNew = Set(newRows)
        func isOld(_ row: Int) -> Bool {
            !isNew.contains(row) && (ends.map { row < $0[log.user(of: row)] } ?? true)
        }
        func draw(_ count: Int, _ seed: UInt64) -> (rows: [Int], weights: [Float]) {
            Increment.draw(
                count, of: log.times, clock: whole.clock, halfLifeDays: settings.examples.recencyHalfLifeDays, seed: seed, isOld: isOld)
        }
        let replayed = draw(min(rules.replayLimitEvents, Int((rules.replay * Double(newRows.count)).rounded(.up))), rules.seed)
        let increment = Increment(newRows: newRows, replayedRows: replayed.rows, replayedWeights: replayed.weights)
        let counts = eventsPerItem(ends)
        let known = log.itemIDs.map(base.knows)
        func part(_ increment: Increment, _ isKept: (Int) -> Bool) -> TrainingSet {
            whole.part(
                increment, historyLength: settings.historyLength, isKept: isKept, eventsPerItem: counts)
        }
        var set = part(increment) { known[$0] }
        let trainer: Trainer
        do {
            if rules.ewc > 0 {
                let old = draw(Self.importanceEvents, rules.seed &+ 1)
                let sample = Increment(newRows: [], replayedRows: old.rows, replayedWeights: old.weights)
                // Both sets have the same items, so that rows mean the same.
                let met = Set(set.itemIDs).union(part(sample) { known[$0] }.itemIDs)
                let all = log.itemIDs.map(met.contains)
                set = part(increment) { all[$0] }
                let judge = try Trainer(part(sample) { all[$0] }, configuration: Self.steady(settings), from: base)
                trainer = try Trainer(set, configuration: settings, from: base)
                let learned = Float(max(1, newRows.count + replayed.rows.count))
                let weighed = old.weights.isEmpty ? 0 : oldMass(ends, settings, whole.clock)
                let importance = try judge.importance(batches: Self.importanceEvents / Self.importanceBatch)
                trainer.anchor(importance, strength: rules.ewc * weighed / learned)
            } else {
                trainer = try Trainer(set, configuration: settings, from: base)
            }
        } catch let error as TowerModel.ConfigurationError {
            throw CommandFailure(error.description)
        }
        while !trainer.isFinished {
            let summary = trainer.runEpoch(now: { 0 }, shouldStop: { stop?.isRaised ?? false })
            guard !summary.isUnfinished, stop?.isRaised != true else {
                throw CommandFailure("stopped; freshet train --resume learns the new interactions again")
            }
        }
        return Learned(model: trainer.model(), newEvents: newRows.count, replayedEvents: replayed.rows.count, trainer: trainer)
    }

    /// Settings under which a gradient is that of the model as it serves, in small batches.
    private static func steady(_ settings: TowerConfiguration) -> TowerConfiguration {
        var steady = settings
        steady.epochs = 1
        steady.steps.batchSize = importanceBatch
        (steady.dropout.ids, steady.dropout.inputs, steady.dropout.history, steady.dropout.attributes) = (0, 0, 0, 0)
        steady.sequence.dropout = 0
        return steady
    }

    private func eventsPerItem(_ ends: [Int]?) -> [Int] {
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        log.items.withUnsafeBufferPointer { items in
            for user in log.userIDs.indices {
                for row in log.userStarts[user]..<(ends?[user] ?? log.userStarts[user + 1]) { counts[Int(items[row])] += 1 }
            }
        }
        return counts
    }

    /// What the old events weigh together: their number, or less where old ones weigh less.
    private func oldMass(_ ends: [Int]?, _ settings: TowerConfiguration, _ clock: Int64) -> Float {
        let halfLife = Double(settings.examples.recencyHalfLifeDays) * 86_400_000
        var sum = 0.0
        for user in log.userIDs.indices {
            for row in log.userStarts[user]..<(ends?[user] ?? log.userStarts[user + 1]) {
                sum += halfLife > 0 ? exp2(-Double(clock - log.times[row]) / halfLife) : 1
            }
        }
        return Float(sum)
    }
}
