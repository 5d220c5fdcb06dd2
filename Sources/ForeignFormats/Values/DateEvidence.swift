/// What the dates of a file tell of the order of days and months.
public struct DateEvidence: Sendable, Equatable {
    /// Dates whose first number is above 12: the day.
    public private(set) var dayFirst = 0
    /// Dates whose second number is above 12.
    public private(set) var monthFirst = 0
    /// Dates that could be either.
    public private(set) var unclear = 0

    /// Whether some time had no offset and was read by the clocks of a zone.
    public private(set) var hasLocalTimes = false

    /// Nothing seen yet.
    public init() {}

    /// The order; `auto` where the dates do not tell, or contradict each other.
    public var order: TimeRules.Order {
        switch (dayFirst > 0, monthFirst > 0) {
        case (true, false): .dayFirst
        case (false, true): .monthFirst
        default: .auto
        }
    }

    mutating func noteLocal() { hasLocalTimes = true }

    mutating func note(_ first: Int, _ second: Int) {
        if first > 12 { dayFirst += 1 } else if second > 12 { monthFirst += 1 } else if first != second { unclear += 1 }
    }
}
