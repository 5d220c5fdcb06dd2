import Interactions

/// Reads times as files have them.
package struct ForeignTime: Sendable {
    /// What a text says.
    package enum Reading: Equatable {
        /// A moment.
        case time(EventTime)
        /// Days and months cannot be told apart.
        case ambiguous
        /// It is no time.
        case none
    }

    /// How times are read where they do not say it themselves.
    package var rules: TimeRules
    /// What the dates that were read tell.
    package private(set) var evidence = DateEvidence()

    /// Reads by these rules.
    package init(rules: TimeRules) { self.rules = rules }

    /// Reads a time: RFC 3339, `2019-10-01 00:00:00 UTC`, `2019-10-01`, `10/1/2019 8:26 PM`, `1.10.2019`, or a number since 1970. O(bytes).
    package mutating func read(_ text: some StringProtocol) -> Reading {
        var scan = DigitScan(text)
        if scan.isNumber { return number(scan.text) }
        guard let first = scan.digits(upTo: 4), let mark = scan.pop(in: "-/."), let second = scan.digits(upTo: 2), scan.pop(mark),
            let third = scan.digits(upTo: 4)
        else { return .none }
        guard let date = date([first, second, third], mark: mark) else { return .none }
        guard date.year >= 0 else { return .ambiguous }
        guard let clock = clock(&scan), let local = Self.local(date, clock) else { return .none }
        scan.skipSpaces()
        if scan.isAtEnd {
            evidence.noteLocal()
            return .time(rules.time(showing: local))
        }
        return TimeRules.offset(scan.rest).map { .time(EventTime(milliseconds: local - Int64($0) * 60_000)) } ?? .none
    }

    /// The parts of a date; a year below 0 says that they cannot be told apart, and nil that it is none.
    private mutating func date(
        _ parts: [(value: Int, digits: Int)], mark: UInt8
    ) -> (year: Int, month: Int, day: Int)? {
        if parts[0].digits == 4 { return parts[2].digits <= 2 ? (parts[0].value, parts[1].value, parts[2].value) : nil }
        guard parts[0].digits <= 2, parts[2].digits == 4 || parts[2].digits == 2 else { return nil }
        // Two digits as POSIX reads them.
        let year = parts[2].digits == 4 ? parts[2].value : parts[2].value + (parts[2].value < 69 ? 2_000 : 1_900)
        let (first, second) = (parts[0].value, parts[1].value)
        if mark == UInt8(ascii: ".") { return (year, second, first) }
        evidence.note(first, second)
        switch rules.order {
        case .dayFirst: return (year, second, first)
        case .monthFirst: return (year, first, second)
        case .auto:
            if first > 12 || first == second { return (year, second, first) }
            return second > 12 ? (year, first, second) : (-1, 0, 0)
        }
    }

    /// The time of day, in milliseconds of it; nil where something else stands there.
    private func clock(_ scan: inout DigitScan) -> Int? {
        guard scan.pop(in: "Tt ,") != nil else { return scan.isAtEnd ? 0 : nil }
        scan.skipSpaces()
        guard let hour = scan.digits(upTo: 2), scan.pop(UInt8(ascii: ":")), let minute = scan.digits(upTo: 2), minute.digits == 2 else {
            return nil
        }
        var second = 0, fraction = 0
        if scan.pop(UInt8(ascii: ":")) {
            guard let read = scan.digits(upTo: 2), read.digits == 2 else { return nil }
            second = read.value
            if scan.pop(in: ".,") != nil {
                guard let read = scan.milliseconds() else { return nil }
                fraction = read
            }
        }
        var hours = hour.value
        if let half = scan.half() {
            guard (1...12).contains(hours) else { return nil }
            hours = hours % 12 + half
        }
        guard hours < 24, minute.value < 60, second <= 60 else { return nil }
        return ((hours * 60 + minute.value) * 60 + second) * 1_000 + fraction
    }

    /// A date and the milliseconds of its day as clocks show them; nil where the calendar has no such day.
    private static func local(_ date: (year: Int, month: Int, day: Int), _ milliseconds: Int) -> Int64? {
        func padded(_ number: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
        }
        let day = EventTime(rfc3339: "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T00:00:00Z")
        return day.map { $0.milliseconds + Int64(milliseconds) }
    }

    /// A number since 1970, with a fraction or without. Eight digits that begin with 19 or 20 are a date without marks.
    private func number(_ text: String) -> Reading {
        if rules.unit == nil, text.utf8.count == 8, text.hasPrefix("19") || text.hasPrefix("20"), !text.utf8.contains(UInt8(ascii: ".")) {
            guard let day = Int(text), let local = Self.local((day / 10_000, day / 100 % 100, day % 100), 0) else { return .none }
            return .time(rules.time(showing: local))
        }
        // Exact up to 2^53, which is beyond microseconds of this century; nanoseconds lose less than one of their microseconds.
        guard let value = Double(text), value.isFinite, abs(value) < 1e19 else { return .none }
        let milliseconds: Double
        switch rules.unit {
        case .seconds: milliseconds = value * 1_000
        case .milliseconds: milliseconds = value
        case .microseconds: milliseconds = value / 1_000
        case .nanoseconds: milliseconds = value / 1_000_000
        case .rfc3339: return .none
        case nil:
            let size = abs(value)
            milliseconds = size < 1e11 ? value * 1_000 : size < 1e14 ? value : size < 1e17 ? value / 1_000 : value / 1_000_000
        }
        guard abs(milliseconds) < 2.5e14 else { return .none }
        return .time(EventTime(milliseconds: Int64(milliseconds.rounded(.down))))
    }
}
