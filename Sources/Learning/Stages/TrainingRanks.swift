import Console
import Foundation
import TowerModel
import TowerTraining
import TrainingFiles

/// The processes of one training. Rank 0 leads: it reads the snapshot, judges, writes and registers; the others follow its orders, see
/// ``FollowingRank``, and need neither database nor broker. Without `mpirun` there is one, which leads.
package final class TrainingRanks {
    /// What rank 0 asks of the others.
    package enum Order: Codable {
        /// Read the training file at a path, without the interactions of some user rows; it is sent to whom it is not there.
        case read(path: String, identity: String, bytes: Int, leavingOut: [Int])
        /// Learn from each user's rows before `ends`, of all rows without it; from a checkpoint that follows, where there is one.
        case learn(settings: [String: String], ends: [Int]?, hasCheckpoint: Bool)
        /// Nothing more.
        case end
    }

    /// One process.
    package static var alone: TrainingRanks { TrainingRanks(SingleRank()) }

    /// How ranks reach each other.
    package let group: any RankGroup
    private let leaving: Leaving
    /// Whether the others have ended, or end by themselves: all of them stop together.
    private var haveOthersEnded: Bool
    /// How far each user's rows are learned from by what is learned next.
    package var ends: [Int]?

    /// How a rank of a shared training goes.
    package struct Leaving {
        /// Ends all ranks with a status.
        package var abort: ((_ status: Int32) -> Void)?
        /// Takes leave once nothing more is asked.
        package var leave: () -> Void

        /// One process, which needs neither.
        package init(abort: ((_ status: Int32) -> Void)? = nil, leave: @escaping () -> Void = {}) {
            self.abort = abort
            self.leave = leave
        }
    }

    /// The ranks of a group.
    package init(_ group: any RankGroup, leaving: Leaving = Leaving()) {
        self.group = group
        self.leaving = leaving
        haveOthersEnded = !group.isShared
    }

    /// Whether this is rank 0.
    package var isLeader: Bool { group.rank == 0 }

    /// Runs a rank's work. Where it fails alone, all ranks end with status 1, or the others would wait for it.
    package func run<Result>(_ work: () throws -> Result) throws -> Result {
        let result: Result
        do {
            result = try work()
            if isLeader { try dismiss() }
        } catch {
            if let abort = leaving.abort, !haveOthersEnded {
                let problem = FileProblem(error)?.description ?? "\(error)"
                StandardError.write(StandardError.format == .json ? problem : "Error: \(problem)\n")
                abort(1)
            }
            leaving.leave()
            throw error
        }
        leaving.leave()
        return result
    }

    /// Notes that all ranks have stopped together.
    package func noteCommonStop() { haveOthersEnded = true }

    /// Whether any rank was asked to stop; all of them ask this together.
    package func isStopped(_ stop: StopSignal) throws -> Bool {
        let isStopped = try group.isRaisedAnywhere(stop.isRaised)
        if isStopped { noteCommonStop() }
        return isStopped
    }

    // MARK: What rank 0 does

    /// Has the others read the training file.
    package func share(_ file: TrainingFile, at path: String, leavingOut users: [Int]) throws {
        guard group.isShared else { return }
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        try order(.read(path: path, identity: file.identity, bytes: bytes, leavingOut: users))
        try SharedFile(group).give(path, bytes: bytes)
    }

    /// Has the others begin to learn, from a checkpoint where there is one.
    package func begin(_ configuration: TowerConfiguration, from checkpoint: Checkpoint?) throws {
        guard group.isShared else { return }
        let settings = Dictionary(uniqueKeysWithValues: configuration.settings.map { ($0.key, $0.value) })
        try order(.learn(settings: settings, ends: ends, hasCheckpoint: checkpoint != nil))
        if let checkpoint { _ = try group.broadcast(checkpoint) }
    }

    private func dismiss() throws {
        guard !haveOthersEnded else { return }
        try order(.end)
        haveOthersEnded = true
    }

    private func order(_ order: Order) throws { _ = try group.broadcast([UInt8](JSONEncoder().encode(order))) }

    // MARK: What all ranks do

    /// The next order of rank 0.
    package func receive() throws -> Order { try JSONDecoder().decode(Order.self, from: Data(group.broadcast([]))) }

    /// Refuses where ranks are about to learn from different data.
    package func check(_ set: TrainingSet) throws {
        let own = [Int64(set.eventCount), Int64(set.itemCount), Int64(set.userCount), set.clock]
        let all = try group.gathered(own, counts: [Int](repeating: own.count, count: group.size))
        for rank in 0..<group.size where Array(all[rank * own.count..<(rank + 1) * own.count]) != Array(all[..<own.count]) {
            throw CommandFailure(
                "rank \(rank) has \(all[rank * own.count]) interactions to learn from and rank 0 has \(all[0]); run the same version of "
                    + "the program everywhere")
        }
    }
}
