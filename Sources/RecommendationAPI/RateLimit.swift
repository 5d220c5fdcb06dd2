import Synchronization

/// Spaces out requests, or what else has a rate: the generic cell rate algorithm (ITU-T I.371) with one counter a caller and no lock.
public final class RateLimit: Sendable {
    /// Callers that are limited apart: those beyond share.
    public static let maxCallers = 4_096

    /// For each caller: when the next request is due in nanoseconds since ``origin``, were all evenly spaced.
    private let due: AtomicCounters
    private let origin: ContinuousClock.Instant
    private let spacingNanoseconds: UInt64
    private let toleranceNanoseconds: UInt64

    /// - Parameter callers: the number of callers that are limited apart.
    public init(requestsPerSecond: Int, burstRequests: Int, callers: Int = maxCallers, now: ContinuousClock.Instant) {
        spacingNanoseconds = UInt64(1_000_000_000 / max(1, requestsPerSecond))
        toleranceNanoseconds = spacingNanoseconds * UInt64(max(0, burstRequests - 1))
        due = AtomicCounters(count: max(1, callers))
        origin = now
    }

    /// The seconds that a caller would have to wait now, rounded up, or nil; nothing is counted.
    public func wait(caller: Int = 0, now: ContinuousClock.Instant) -> Int? {
        let elapsed = (now - origin).wholeMicroseconds * 1_000
        return wait(early: max(due[caller % due.count], elapsed) - elapsed)
    }

    private func wait(early: UInt64) -> Int? {
        early > toleranceNanoseconds ? Int((early - toleranceNanoseconds + 999_999_999) / 1_000_000_000) : nil
    }

    /// Lets a request through (nil), or tells how many seconds to wait, rounded up.
    ///
    /// - Parameter cost: what it counts for; one that costs more than the burst passes where nothing is owed.
    public func admit(caller: Int = 0, cost: Int = 1, now: ContinuousClock.Instant) -> Int? {
        let caller = caller % due.count
        let cost = UInt64(max(1, cost))
        let elapsed = (now - origin).wholeMicroseconds * 1_000
        while true {
            let expected = due[caller]
            let start = max(expected, elapsed)
            if let wait = wait(early: start - elapsed) { return wait }
            if due.exchange(caller, from: expected, to: start + spacingNanoseconds * cost) { return nil }
        }
    }
}
