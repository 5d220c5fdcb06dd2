import Console
import Foundation
import MessagePassing
import TowerModel
import TowerTraining
import TrainingFiles

/// The processes of one training. Rank 0 leads: it reads the snapshot, judges, writes and registers; the others follow its orders, see
/// ``FollowingRank``, and need neither database nor broker. Without `mpirun` there is one, which leads.
final class TrainingRanks {
    /// What rank 0 asks of the others.
    enum Order: Codable {
        /// Read the training file at a path, without the interactions of some user rows; it is sent to whom it is not there.
        case read(path: String, identity: String, bytes: Int, leavingOut: [Int])
        /// Learn from each user's rows before `ends`, of all rows without it; from a checkpoint that follows, where there is one.
        case learn(settings: [String: String], ends: [Int]?, hasCheckpoint: Bool)
        /// Nothing more.
        case end
    }

    /// One process.
    static var alone: TrainingRanks { TrainingRanks(SingleRank(), mpi: nil) }

    let group: any RankGroup
    private let mpi: MPIRanks?
    /// Whether the others have ended, or end by themselves: all of them stop together.
    private var haveOthersEnded: Bool
    /// How far each user's rows are learned from by what is learned next.
    var ends: [Int]?

    private init(_ group: any RankGroup, mpi: MPIRanks?) {
        self.group = group
        self.mpi = mpi
        haveOthersEnded = !group.isShared
    }

    /// Joins the ranks that `mpirun` started; alone where nobody did.
    static func joined(_ configuration: Configuration, stop: StopSignal) throws -> TrainingRanks {
        let environment = ProcessInfo.processInfo.environment
        guard let launched = MPIRanks.launched(environment), launched > 1 else { return .alone }
        let mpi = try MPIRanks(limitSeconds: Double(configuration.integer("train.rank_timeout_seconds"))) { stop.isRaised }
        return TrainingRanks(mpi, mpi: mpi)
    }

    var isLeader: Bool { group.rank == 0 }

    /// Runs a rank's work. Where it fails alone, all ranks end with status 1, or the others would wait for it.
    func run<Result>(_ work: () throws -> Result) throws -> Result {
        let result: Result
        do {
            result = try work()
            if isLeader { try dismiss() }
        } catch {
            if let mpi, !haveOthersEnded {
                let problem = FileProblem(error)?.description ?? "\(error)"
                StandardError.write(StandardError.format == .json ? problem : "Error: \(problem)\n")
                mpi.abort(status: 1)
            }
            mpi?.leave()
            throw error
        }
        mpi?.leave()
        return result
    }

    /// Notes that all ranks have stopped together.
    func noteCommonStop() { haveOthersEnded = true }

    /// Whether any rank was asked to stop; all of them ask this together.
    func isStopped(_ stop: StopSignal) throws -> Bool {
        let isStopped = try group.isRaisedAnywhere(stop.isRaised)
        if isStopped { noteCommonStop() }
        return isStopped
    }

    // MARK: What rank 0 does

    /// Has the others read the training file.
    func share(_ file: TrainingFile, at path: String, leavingOut users: [Int]) throws {
        guard group.isShared else { return }
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        try order(.read(path: path, identity: file.identity, bytes: bytes, leavingOut: users))
        try SharedFile(group).give(path, bytes: bytes)
    }

    /// Has the others begin to learn, from a checkpoint where there is one.
    func begin(_ configuration: TowerConfiguration, from checkpoint: Checkpoint?) throws {
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
    func receive() throws -> Order { try JSONDecoder().decode(Order.self, from: Data(group.broadcast([]))) }

    /// Refuses where ranks are about to learn from different data.
    func check(_ set: TrainingSet) throws {
        let own = [Int64(set.eventCount), Int64(set.itemCount), Int64(set.userCount), set.clock]
        let all = try group.gathered(own, counts: [Int](repeating: own.count, count: group.size))
        for rank in 0..<group.size where Array(all[rank * own.count..<(rank + 1) * own.count]) != Array(all[..<own.count]) {
            throw CommandFailure("rank \(rank) has \(all[rank * own.count]) interactions to learn from and rank 0 has \(all[0]); run the same version of the program everywhere")
        }
    }
}
