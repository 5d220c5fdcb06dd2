extension EventTime {
    /// 0000-01-01T00:00:00Z.
    public static let earliestWritable = EventTime(milliseconds: -62_167_219_200_000)
    /// 9999-12-31T23:59:59.999Z.
    static let latestWritable = EventTime(milliseconds: 253_402_300_799_999)

    /// Reads an RFC 3339 time: any offset, up to 9 digits of a second's fraction, of which three are kept.
    ///
    /// `T` and `Z` may be lower case and a space may stand for the `T`, as the RFC allows. A leap second (`:60`) is the first
    /// moment of the next minute. A time without an offset is refused: nobody knows when it was.
    public init?(rfc3339 text: some StringProtocol) {
        var copy = String(text)
        guard let time = copy.withUTF8({ EventTime(rfc3339: $0) }) else { return nil }
        self = time
    }

    init?(rfc3339 text: UnsafeBufferPointer<UInt8>) {
        let count = text.count
        guard count >= 20 else { return nil }
        var valid = true
        @inline(__always) func two(_ at: Int) -> Int {
            let tens = text[at] &- UInt8(ascii: "0")
            let ones = text[at &+ 1] &- UInt8(ascii: "0")
            valid = valid && tens < 10 && ones < 10
            return Int(tens) &* 10 &+ Int(ones)
        }
        let year = two(0) &* 100 &+ two(2)
        let month = two(5)
        let day = two(8)
        let hour = two(11)
        let minute = two(14)
        let second = two(17)
        let separator = text[10] | 0x20
        guard valid, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            separator == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year),
            hour < 24, minute < 60, second <= 60
        else { return nil }

        var index = 19
        var fraction = 0
        if text[index] == UInt8(ascii: ".") {
            index += 1
            var digits = 0
            while index < count {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit < 10 else { break }
                if digits < 3 { fraction = fraction * 10 + Int(digit) }
                digits += 1
                index += 1
            }
            guard (1...9).contains(digits) else { return nil }
            while digits < 3 {
                fraction *= 10
                digits += 1
            }
        }
        guard index < count else { return nil }
        var offsetMinutes = 0
        switch text[index] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard index + 1 == count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard index + 6 == count, text[index + 3] == UInt8(ascii: ":") else { return nil }
            let hours = two(index + 1)
            let minutes = two(index + 4)
            guard valid, hours < 24, minutes < 60 else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (text[index] == UInt8(ascii: "-") ? -1 : 1)
        default:
            return nil
        }
        let seconds =
            Self.daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3_600
            + (minute - offsetMinutes) * 60 + second
        self.init(milliseconds: Int64(seconds * 1_000 + fraction))
        guard self >= Self.earliestWritable, self <= Self.latestWritable else { return nil }
    }

    /// The time in UTC with milliseconds, `2026-11-21T08:00:00.123Z`; times outside the years 0000 to 9999 are written as the
    /// nearest one inside.
    public func rfc3339() -> String {
        let bounded = min(max(milliseconds, Self.earliestWritable.milliseconds), Self.latestWritable.milliseconds)
        let day = Self.floorDivide(bounded, 86_400_000)
        let inDay = Int(bounded - day * 86_400_000)
        let (year, month, dayOfMonth) = Self.civil(daysSince1970: Int(day))
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { text in
            func put(_ value: Int, _ width: Int, at start: Int) {
                var value = value
                for index in stride(from: start + width - 1, through: start, by: -1) {
                    text[index] = UInt8(ascii: "0") + UInt8(value % 10)
                    value /= 10
                }
            }
            put(year, 4, at: 0)
            text[4] = UInt8(ascii: "-")
            put(month, 2, at: 5)
            text[7] = UInt8(ascii: "-")
            put(dayOfMonth, 2, at: 8)
            text[10] = UInt8(ascii: "T")
            put(inDay / 3_600_000, 2, at: 11)
            text[13] = UInt8(ascii: ":")
            put(inDay / 60_000 % 60, 2, at: 14)
            text[16] = UInt8(ascii: ":")
            put(inDay / 1_000 % 60, 2, at: 17)
            text[19] = UInt8(ascii: ".")
            put(inDay % 1_000, 3, at: 20)
            text[23] = UInt8(ascii: "Z")
            return String(decoding: text, as: UTF8.self)
        }
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days of the proleptic Gregorian calendar; years begin in March, so that the leap day is the last of its year.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = Int(floorDivide(Int64(marchYear), 400))
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date of a day, counted from 1970-01-01.
    public static func civil(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = Int(floorDivide(Int64(shifted), 146_097))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    /// A quotient that is rounded down.
    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
