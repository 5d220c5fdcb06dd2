/// What one user may do before being taken for a machine. Events are a user's, oldest first.
public struct UserBounds: Sendable, Equatable {
    /// Interactions within 60 seconds.
    public var maxEventsPerMinute: Int
    /// Interactions within 24 hours.
    public var maxEventsPerDay: Int
    /// Interactions with one item within 24 hours.
    public var maxItemEventsPerDay: Int

    /// Makes bounds.
    public init(maxEventsPerMinute: Int = 300, maxEventsPerDay: Int = 3_000, maxItemEventsPerDay: Int = 100) {
        self.maxEventsPerMinute = maxEventsPerMinute
        self.maxEventsPerDay = maxEventsPerDay
        self.maxItemEventsPerDay = maxItemEventsPerDay
    }

    /// Why a user looks like a machine.
    public enum Suspicion: String, Sendable, CaseIterable {
        case tooManyAMinute = "too many interactions a minute"
        case tooManyADay = "too many interactions a day"
        case oneItem = "one item over and over"
    }

    /// What is wrong with a user's interactions, nil where nothing is.
    ///
    /// - Parameters: `times` ascend, in milliseconds; `items` are rows, one a time.
    /// - Complexity: O(events)
    public func suspicion(times: some RandomAccessCollection<Int64>, items: some RandomAccessCollection<Int32>) -> Suspicion? {
        precondition(times.count == items.count, "\(times.count) times of \(items.count) items")
        // Most users have too few events for any of the bounds.
        guard times.count > min(maxEventsPerMinute, maxEventsPerDay, maxItemEventsPerDay) else { return nil }
        let times = Array(times), items = Array(items)
        func exceeds(_ bound: Int, within span: Int64) -> Bool {
            times.indices.dropFirst(bound).contains { times[$0] - times[$0 - bound] < span }
        }
        if exceeds(maxEventsPerMinute, within: 60_000) { return .tooManyAMinute }
        if exceeds(maxEventsPerDay, within: 86_400_000) { return .tooManyADay }
        var own: [Int32: Int] = [:], first = 0
        for (place, item) in items.enumerated() {
            while times[place] - times[first] >= 86_400_000 {
                own[items[first], default: 0] -= 1
                first += 1
            }
            own[item, default: 0] += 1
            if own[item] ?? 0 > maxItemEventsPerDay { return .oneItem }
        }
        return nil
    }
}
