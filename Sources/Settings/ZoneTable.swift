import Bytes
import Foundation
import Interactions

/// Time zones by name, from the machine's tables.
public enum ZoneTable {
    /// Changes of a zone's clock are looked up from 1970 to here.
    private static let lastYear = 2100

    /// The zone of a name such as `Europe/Berlin`, or of an offset such as `+01:00`; nil where there is none.
    public static func zone(_ name: String) -> LocalZone? {
        if let seconds = offset(name) { return fixed(name, seconds) }
        guard TimeZone.knownTimeZoneIdentifiers.contains(name), let zone = TimeZone(identifier: name)
        else { return nil }
        let end = Date(timeIntervalSince1970: Double(lastYear - 1970) * 31_556_952)
        var time = Date(timeIntervalSince1970: 0)
        var periods = [LocalZone.Period(start: EventTime(milliseconds: 0), offsetSeconds: zone.secondsFromGMT(for: time))]
        while let next = zone.nextDaylightSavingTimeTransition(after: time), next > time, next < end {
            let milliseconds = Int64((next.timeIntervalSince1970 * 1_000).rounded())
            periods.append(LocalZone.Period(start: EventTime(milliseconds: milliseconds), offsetSeconds: zone.secondsFromGMT(for: next)))
            time = next
        }
        return LocalZone(name: name, periods: periods)
    }

    /// The known name that a mistyped one most likely meant.
    public static func nearest(_ name: String) -> String? { NearestName.of(name, among: TimeZone.knownTimeZoneIdentifiers) }

    private static func fixed(_ name: String, _ seconds: Int) -> LocalZone {
        LocalZone(name: name, periods: [LocalZone.Period(start: EventTime(milliseconds: 0), offsetSeconds: seconds)])
    }

    /// The seconds of `+01:00`, `-0330`, `+02`, `Z` or `UTC`.
    private static func offset(_ text: String) -> Int? {
        if ["z", "utc", "gmt"].contains(text.lowercased()) { return 0 }
        guard let match = text.wholeMatch(of: /([+-])(\d\d)(?::?(\d\d))?/), let hours = Int(match.2), hours <= 18,
            let minutes = match.3.map({ Int($0) }) ?? 0, minutes < 60
        else { return nil }
        return (match.1 == "-" ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }
}
