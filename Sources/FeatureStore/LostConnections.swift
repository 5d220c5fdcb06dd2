import Synchronization

/// Counts connections that ended under a statement or while they lay idle. Who reads goes on with another one, so that nobody else
/// would notice.
final class LostConnections: Sendable {
    private let lost = Atomic(0)

    /// How many ended so far.
    var count: Int { lost.load(ordering: .relaxed) }

    func add() { lost.wrappingAdd(1, ordering: .relaxed) }
}
