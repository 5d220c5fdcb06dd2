import Synchronization

/// The `Date` of answers, put into words once a second.
package final class AnswerDates: Sendable {
    private let held = Mutex((second: Int64.min, text: ""))

    /// No second has been asked for yet.
    package init() {}

    /// A second since 1970 as HTTP writes it (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    package func header(second: Int64) -> String {
        held.withLock { held in
            if held.second != second { held = (second, Self.text(second)) }
            return held.text
        }
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func text(_ second: Int64) -> String {
        let (day, time) = (second.dividedFloored(by: 86_400), second - second.dividedFloored(by: 86_400) * 86_400)
        // Years that begin in March, so that a leap day is a year's last (Hinnant, "chrono-compatible low-level date algorithms").
        let shifted = day + 719_468
        let era = shifted.dividedFloored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 2 : marchMonth - 10
        let year = yearOfEra + era * 400 + (month <= 1 ? 1 : 0)
        let weekday = weekdays[Int(day - day.dividedFloored(by: 7) * 7)]
        let clock = "\(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60))"
        return "\(weekday), \(two(dayOfMonth)) \(months[Int(month)]) \(year) \(clock) GMT"
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Int64 {
    /// The quotient rounded toward minus infinity; `divisor` is above 0.
    fileprivate func dividedFloored(by divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : -((divisor - 1 - self) / divisor)
    }
}
