/// A point in time as events carry it: milliseconds since 1970-01-01T00:00:00Z.
///
/// Whole milliseconds rather than floating seconds, so that ordering and sums are exact.
public struct EventTime: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z; negative before that.
    public var milliseconds: Int64

    /// Makes a time from milliseconds since 1970-01-01T00:00:00Z.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static func < (left: EventTime, right: EventTime) -> Bool {
        left.milliseconds < right.milliseconds
    }
}
