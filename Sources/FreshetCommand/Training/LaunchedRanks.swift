import Console
import Foundation
import Learning
import MessagePassing

extension TrainingRanks {
    /// Joins the ranks that `mpirun` started; alone where nobody did.
    static func joined(_ configuration: Configuration, stop: StopSignal) throws -> TrainingRanks {
        let environment = ProcessInfo.processInfo.environment
        guard let launched = MPIRanks.launched(environment), launched > 1 else { return .alone }
        let mpi = try MPIRanks(limitSeconds: Double(configuration.integer(.trainRankTimeoutSeconds))) { stop.isRaised }
        return TrainingRanks(mpi, leaving: Leaving(abort: { mpi.abort(status: $0) }, leave: { mpi.leave() }))
    }
}
