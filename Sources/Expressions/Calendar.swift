import Interactions

/// Moments and spans of time: their range, their texts and their parts.
enum Calendar {
    private static let latestMilliseconds: Int64 = 253_402_300_799_999

    static func timestamp(_ milliseconds: Int64) throws(EvaluationFailure) -> ExpressionValue {
        guard (EventTime.earliestWritable.milliseconds...latestMilliseconds).contains(milliseconds) else {
            throw .outOfRange("a time outside the years 0000 to 9999")
        }
        return .timestamp(milliseconds)
    }

    static func duration(_ milliseconds: Int64) throws(EvaluationFailure) -> ExpressionValue {
        guard milliseconds.magnitude <= ExpressionValue.maxDurationMilliseconds.magnitude else {
            throw .outOfRange("a duration of more than 315576000000s")
        }
        return .duration(milliseconds)
    }

    /// A quotient that is rounded down.
    static func quotient(_ value: Int64, _ divisor: Int64) -> Int64 {
        value / divisor - (value % divisor < 0 ? 1 : 0)
    }

    /// `90s`, `-1.5s`.
    static func text(duration: Int64) -> String {
        let (seconds, rest) = duration.magnitude.quotientAndRemainder(dividingBy: 1_000)
        var fraction = rest == 0 ? "" : "." + String(String(rest + 1_000).dropFirst())
        while !fraction.isEmpty, fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(duration < 0 ? "-" : "")\(seconds)\(fraction)s"
    }

    /// Reads `1h30m`, `-1.5s`, `250ms`, `0`; what is below a millisecond is cut. Nil where it is none of these, or beyond all ranges.
    static func duration(text: String) -> Int64? {
        var rest = text.utf8[...], total: Int128 = 0
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigit)
            rest = rest.dropFirst(digits.count)
            var fraction = rest.prefix(0)
            if rest.first == UInt8(ascii: ".") {
                fraction = rest.dropFirst().prefix(while: isDigit)
                rest = rest.dropFirst(1 + fraction.count)
            }
            let unit = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
            rest = rest.dropFirst(unit.count)
            guard digits.count + fraction.count > 0, digits.count <= 18, fraction.count <= 18,
                let nanoseconds = nanoseconds[String(decoding: unit, as: UTF8.self)]
            else { return nil }
            let whole = Int128(String(decoding: digits, as: UTF8.self)) ?? 0
            let part = Int128(String(decoding: fraction, as: UTF8.self)) ?? 0
            let scale = fraction.reduce(Int128(1)) { scale, _ in scale * 10 }
            total += whole * nanoseconds + part * nanoseconds / scale
        }
        return Int64(exactly: (isNegative ? -total : total) / 1_000_000)
    }

    private static let nanoseconds: [String: Int128] = [
        "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "µs": 1_000, "ns": 1,
    ]

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// A part of a moment in UTC or at an offset, or a span in whole hours, minutes or seconds.
    static func part(_ function: Function, of value: ExpressionValue, zone: ExpressionValue?) throws(EvaluationFailure) -> Int64 {
        switch value {
        case .timestamp(let time): return part(function, of: time + (try offset(zone)))
        case .duration(let span) where zone == nil:
            switch function {
            case .getHours: return span / 3_600_000
            case .getMinutes: return span / 60_000
            case .getSeconds: return span / 1_000
            case .getMilliseconds: return span % 1_000
            default: break
            }
        default: break
        }
        throw .wrongType("'\(function.rawValue)' takes no \(value.typeName)\(zone == nil ? "" : " with a time zone")")
    }

    private static func part(_ function: Function, of time: Int64) -> Int64 {
        let day = quotient(time, 86_400_000), inDay = time - day * 86_400_000
        switch function {
        case .getHours: return inDay / 3_600_000
        case .getMinutes: return inDay / 60_000 % 60
        case .getSeconds: return inDay / 1_000 % 60
        case .getMilliseconds: return inDay % 1_000
        // 1970 began with a Thursday, and Sunday is 0.
        case .getDayOfWeek: return ((day + 4) % 7 + 7) % 7
        default: break
        }
        let date = EventTime.civil(daysSince1970: Int(day))
        switch function {
        case .getFullYear: return Int64(date.year)
        case .getMonth: return Int64(date.month - 1)
        case .getDate: return Int64(date.day)
        case .getDayOfMonth: return Int64(date.day - 1)
        default:
            let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
            let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][date.month - 1]
            return Int64(before + (isLeap && date.month > 2 ? 1 : 0) + date.day - 1)
        }
    }

    /// Milliseconds of `UTC` or `+02:00`. Zones by name need a table that changes every year.
    private static func offset(_ zone: ExpressionValue?) throws(EvaluationFailure) -> Int64 {
        guard let zone else { return 0 }
        guard case .string(let text) = zone else { throw .wrongType("a time zone is a string, and not \(zone.typeName)") }
        if text == "UTC" { return 0 }
        let bytes = Array(text.utf8), digits = bytes.suffix(5)
        let sign: Int64 = bytes.first == UInt8(ascii: "-") ? -1 : 1
        let isSigned = bytes.count == 6 && [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[0])
        guard bytes.count == 5 || isSigned, let hours = Int64(String(decoding: digits.prefix(2), as: UTF8.self)),
            digits.dropFirst(2).first == UInt8(ascii: ":"), let minutes = Int64(String(decoding: digits.suffix(2), as: UTF8.self)),
            (0...23).contains(hours), (0...59).contains(minutes)
        else { throw .unreadable("'\(text.prefix(40))' is no time zone here; write UTC or an offset such as +02:00") }
        return sign * (hours * 60 + minutes) * 60_000
    }
}
