/// What an operator is told of connections that ended and were replaced, at most every ``pause``.
public struct LostConnectionsTold: Sendable {
    /// Time between two sentences at least.
    public static let pause = Duration.seconds(10)

    private var told = 0
    private var toldAt: ContinuousClock.Instant?

    /// Of a role that has told nothing yet.
    public init() {}

    /// A sentence, where connections were lost since the last one and it is time for another.
    ///
    /// - Parameter lost: how many were lost since the start.
    public mutating func look(lost: Int, at now: ContinuousClock.Instant) -> String? {
        guard lost > told, toldAt.map({ $0.duration(to: now) >= Self.pause }) ?? true else { return nil }
        let count = lost - told
        told = lost
        toldAt = now
        return count == 1
            ? "a connection to PostgreSQL ended and was replaced; what was read over it was read again"
            : "\(count) connections to PostgreSQL ended and were replaced; what was read over them was read again"
    }
}
