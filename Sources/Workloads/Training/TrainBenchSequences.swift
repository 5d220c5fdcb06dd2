import Foundation
import Interactions
import Simulation
import TowerTraining

/// The histories that the sequence tower's workloads learn from: the newest of each user, at most one more than the tower sees.
package struct TrainBenchSequences {
    /// Interactions that the tower sees of a user.
    package static let historyLength = 200

    /// What the data are called in the result.
    package let name: String
    /// What is learned from; `TrainingSet/weights` are all 1.
    package let set: TrainingSet

    /// Users whose numbers of interactions follow a log-normal distribution around `length`, from 5 to 2,000, with items at random.
    package static func synthetic(users: Int, items: Int, length: Int, seed: UInt64) -> TrainBenchSequences {
        var random = SplitMix64(seed: seed)
        let histories = (0..<users).map { _ in
            let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &random)
            let normal = (-2 * Foundation.log(1 - Double.random(in: 0..<1, using: &random))).squareRoot() * cos(angle)
            let count = min(2_000, max(5, Int(exp(Foundation.log(Double(length)) - 0.5 + normal))))
            return (0..<count).map { _ in Int32.random(in: 0..<Int32(items), using: &random) }
        }
        return TrainBenchSequences(name: "synthetic", set: trainingSet(histories))
    }

    /// A log of interactions, JSON Lines or compressed, in the order of time.
    package static func log(path: String) throws -> TrainBenchSequences {
        TrainBenchSequences(name: (path as NSString).lastPathComponent, set: trainingSet(try TrainBenchData.histories(path: path).users))
    }

    private static func trainingSet(_ histories: [[Int32]]) -> TrainingSet {
        var builder = TrainingSet.Builder()
        for (user, items) in histories.enumerated() where items.count > 1 {
            for (place, item) in items.suffix(historyLength + 1).enumerated() {
                builder.append(user: String(user), item: String(item), time: Int64(place + 1) * 3_600_000)
            }
        }
        return builder.build()
    }

    /// Interactions that have one before them: what is predicted from a history.
    package var positions: Int { self.set.eventCount - self.set.userCount }

    /// Entries of histories that attention reads in an epoch, over all interactions: each reads itself and those before it.
    package var attended: Int {
        (0..<self.set.userCount).reduce(0) { sum, user in
            let count = self.set.userStarts[user + 1] - self.set.userStarts[user] - 1
            return sum + count * (count + 1) / 2
        }
    }
}
