import Interactions

/// How times are read where they do not say it themselves.
public struct TimeRules: Sendable, Equatable {
    /// What the first two numbers of a date such as 3/4/2021 are.
    public enum Order: String, Sendable, CaseIterable {
        /// As the file shows: some date of it has a day above 12.
        case auto
        /// The month first.
        case monthFirst = "mdy"
        /// The day first.
        case dayFirst = "dmy"
    }

    /// The order of days and months.
    public var order: Order
    /// What times that are only numbers count; nil goes by their size: below 10^11 seconds, below 10^14 milliseconds, below 10^17
    /// microseconds, else nanoseconds.
    public var unit: TimeUnit?
    /// The clocks that times without an offset were read from; nil is UTC.
    public var zone: LocalZone?

    /// Makes rules; the defaults are automatic, and UTC.
    public init(order: Order = .auto, unit: TimeUnit? = nil, zone: LocalZone? = nil) {
        self.order = order
        self.unit = unit
        self.zone = zone
    }

    /// The moment at which clocks showed a time, in milliseconds as if they had shown UTC.
    func time(showing local: Int64) -> EventTime { zone?.time(showing: local) ?? EventTime(milliseconds: local) }

    /// The minutes east of UTC that `+02:00`, `-0530`, `Z` or `UTC` name behind a time; nil for anything else.
    public static func offset(_ text: String) -> Int? {
        if ["z", "utc", "gmt"].contains(text.lowercased()) { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let digits = text.dropFirst().filter { $0 != ":" }
        guard digits.utf8.count == 4 || digits.utf8.count == 2, digits.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            let hours = Int(digits.prefix(2)), hours < 24, let minutes = digits.count == 4 ? Int(digits.suffix(2)) : 0, minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (sign == "-" ? -1 : 1)
    }
}
