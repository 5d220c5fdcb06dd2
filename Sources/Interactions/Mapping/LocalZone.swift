/// A place's clock: how far it stands from UTC, and from when on. Times that are written without an offset are read by it.
public struct LocalZone: Sendable, Equatable {
    /// An offset from UTC, and since when it holds.
    public struct Period: Sendable, Equatable {
        /// From when on; of the first one, ever since.
        public var start: EventTime
        /// How far local time is ahead of UTC, in seconds; negative west of Greenwich.
        public var offsetSeconds: Int

        /// A period from its start on.
        public init(start: EventTime, offsetSeconds: Int) {
            self.start = start
            self.offsetSeconds = offsetSeconds
        }

        /// The local time at which it begins, in milliseconds.
        var localStart: Int64 { start.milliseconds + Int64(offsetSeconds) * 1_000 }
    }

    /// Its name, as settings have it: `Europe/Berlin`, `+01:00`.
    public let name: String
    private let periods: [Period]

    /// A zone of periods, at least one, in order of time.
    public init(name: String, periods: [Period]) {
        precondition(!periods.isEmpty, "the zone \(name) has no offset")
        self.name = name
        self.periods = periods
    }

    /// The moment at which clocks there showed a time.
    ///
    /// An hour that clocks showed twice is its first; one that they left out is counted on by the offset before.
    ///
    /// - Parameter local: what the clocks showed, in milliseconds as if they had shown UTC.
    public func time(showing local: Int64) -> EventTime {
        // The last period that had begun by these clocks: O(log periods).
        var low = 0, high = periods.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if periods[middle].localStart <= local { low = middle } else { high = middle }
        }
        let time = local - Int64(periods[low].offsetSeconds) * 1_000
        guard low > 0 else { return EventTime(milliseconds: time) }
        let before = local - Int64(periods[low - 1].offsetSeconds) * 1_000
        return EventTime(milliseconds: before < periods[low].start.milliseconds ? before : time)
    }

    /// The moment of a text: RFC 3339 as it stands, or a date with or without a time of day, such as `2026-11-21`, `2026-11-21 08:00` or
    /// `2026-11-21T08:00:00.5`, by these clocks. Nil for all else.
    public func time(of text: String) -> EventTime? {
        if let exact = EventTime(rfc3339: text) { return exact }
        let count = text.utf8.count
        let whole = switch count {
        case 10: text + "T00:00:00Z"
        case 16: text + ":00Z"
        default: text + "Z"
        }
        guard let local = EventTime(rfc3339: whole) else { return nil }
        return time(showing: local.milliseconds)
    }
}
