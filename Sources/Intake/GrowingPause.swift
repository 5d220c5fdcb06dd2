import Foundation

/// How long to wait before what failed is tried again: longer each time, up to a bound.
public struct GrowingPause: Sendable {
    /// The first pause, and the one after ``reset()``.
    public let first: Duration
    /// No pause is longer.
    public let longest: Duration
    /// How many times longer each pause is than the one before.
    public let factor: Double
    /// The next pause.
    public private(set) var next: Duration

    /// Pauses that have not begun to grow.
    public init(first: Duration, longest: Duration, factor: Double = 2) {
        self.first = first
        self.longest = longest
        self.factor = factor
        next = first
    }

    /// The pause to wait now; the next one is longer.
    public mutating func take() -> Duration {
        defer { next = min(longest, next * factor) }
        return next
    }

    /// Begins anew, after something went well.
    public mutating func reset() { next = first }

    /// Waits on the calling thread.
    mutating func sleep() { Thread.sleep(forTimeInterval: take() / .seconds(1)) }
}
