import Synchronization

/// Spaces out requests: the generic cell rate algorithm (ITU-T I.371) with one counter a caller and no lock.
final class RateLimit: Sendable {
    /// For each caller: when the next request is due in nanoseconds since ``origin``, were all evenly spaced.
    private let due: AtomicCounters
    private let origin: ContinuousClock.Instant
    private let spacingNanoseconds: UInt64
    private let toleranceNanoseconds: UInt64

    /// - Parameter callers: the number of callers that are limited apart.
    init(requestsPerSecond: Int, burstRequests: Int, callers: Int, now: ContinuousClock.Instant) {
        spacingNanoseconds = UInt64(1_000_000_000 / max(1, requestsPerSecond))
        toleranceNanoseconds = spacingNanoseconds * UInt64(max(0, burstRequests - 1))
        due = AtomicCounters(count: max(1, callers))
        origin = now
    }

    /// Lets a request through (nil), or tells how many seconds to wait, rounded up.
    func admit(caller: Int, now: ContinuousClock.Instant) -> Int? {
        let elapsed = (now - origin).wholeMicroseconds * 1_000
        while true {
            let expected = due[caller]
            let start = max(expected, elapsed)
            let early = start - elapsed
            if early > toleranceNanoseconds {
                return Int((early - toleranceNanoseconds + 999_999_999) / 1_000_000_000)
            }
            if due.exchange(caller, from: expected, to: start + spacingNanoseconds) { return nil }
        }
    }
}
