/// What folding keeps of events, and how fast it forgets.
public struct FeatureRules: Sendable, Equatable {
    /// The most events that a user's history keeps, the newest ones.
    public var historyLimitEvents: Int
    /// The time in which a decayed count loses half its value, in milliseconds. Counts of different half-lives do not mix: a
    /// change means folding again.
    public let decayHalfLifeMilliseconds: Int64

    /// One day.
    public static let defaultHalfLifeMilliseconds: Int64 = 86_400_000

    /// Makes rules.
    ///
    /// - Parameters:
    ///   - historyLimitEvents: 1 or more.
    ///   - decayHalfLifeMilliseconds: Between one second and 2^42 ms, which is 139 years.
    public init(
        historyLimitEvents: Int = 200, decayHalfLifeMilliseconds: Int64 = FeatureRules.defaultHalfLifeMilliseconds
    ) {
        precondition(historyLimitEvents >= 1, "historyLimitEvents is \(historyLimitEvents); it must be at least 1")
        precondition(
            (1_000...(1 << 42)).contains(decayHalfLifeMilliseconds),
            "decayHalfLifeMilliseconds is \(decayHalfLifeMilliseconds); it must be between 1000 and 2^42")
        self.historyLimitEvents = historyLimitEvents
        self.decayHalfLifeMilliseconds = decayHalfLifeMilliseconds
    }

    /// The distance of two landmarks: 16 half-lives, in milliseconds.
    public var decayPeriodMilliseconds: Int64 { decayHalfLifeMilliseconds * DecayedCount.halfLivesPerPeriod }
}
