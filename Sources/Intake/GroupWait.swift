/// Watches how long a consumer has had no partitions, and tells a group that has none to give from one that does not answer.
public struct GroupWait: Sendable, Equatable {
    /// How long the first wait goes on without a word, in seconds.
    public static let firstPatienceSeconds = 30.0
    /// The longest wait before the consumer joins again, in seconds: a group may wait for a slow member that long.
    public static let longestPatienceSeconds = 300.0

    /// What is to be done.
    public enum Step: Sendable, Equatable {
        case nothing
        /// The group answered that others hold everything; said once.
        case standingBy(seconds: Int)
        /// The group has not answered at all: only joining anew helps.
        case joinAgain(seconds: Int)
    }

    private let patienceSeconds: Double
    private var since: ContinuousClock.Instant?
    private var hasAnswer = false
    private var isBrokerAway = false
    private var wasTold = false

    /// A wait that has not begun.
    public init(patienceSeconds: Double = GroupWait.firstPatienceSeconds) { self.patienceSeconds = patienceSeconds }

    /// The group said which partitions are this consumer's, none of them included.
    public mutating func groupAnswered(at now: ContinuousClock.Instant) {
        hasAnswer = true
        since = now
    }

    /// The group took partitions back, and an answer is due again.
    public mutating func groupTook(at now: ContinuousClock.Instant) {
        hasAnswer = false
        wasTold = false
        since = now
    }

    /// No broker answers: nothing can be expected of the group.
    public mutating func brokerWent() { isBrokerAway = true }

    /// A broker answers again; the wait begins anew.
    public mutating func brokerCame(at now: ContinuousClock.Instant) {
        isBrokerAway = false
        since = now
    }

    /// Looks at the clock.
    public mutating func look(hasPartitions: Bool, at now: ContinuousClock.Instant) -> Step {
        guard !hasPartitions, !isBrokerAway, let since else {
            since = now
            if hasPartitions { wasTold = false }
            return .nothing
        }
        guard since.duration(to: now) >= .seconds(patienceSeconds) else { return .nothing }
        if !hasAnswer { return .joinAgain(seconds: Int(patienceSeconds)) }
        guard !wasTold else { return .nothing }
        wasTold = true
        return .standingBy(seconds: Int(patienceSeconds))
    }
}
