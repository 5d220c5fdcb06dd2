/// Times in every unit and spelling that senders use for one.
extension FuzzSource {
    static let borderTimes: [[UInt8]] = [
        "1990-01-01T00:00:00Z", "1989-12-31T23:59:59.999Z", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.999999999+00:00",
        "2026-11-21T08:00:00.123Z", "2026-11-21t08:00:00z", "2026-11-21 08:00:00Z", "2026-11-21T08:00:00+14:00",
        "2026-11-21T08:00:00-23:59",
        "2026-11-21T08:00:00+23:59", "2026-11-21T08:00:00-00:00", "2026-11-21T08:00:00.1Z", "2026-11-21T08:00:00.123456789Z",
        "2026-11-21T08:00:00.1234567890Z", "2026-11-21T08:00:00.Z", "2026-11-21T08:00:00", "2026-11-21", "2026-11-21T24:00:00Z",
        "2026-11-21T08:60:00Z", "2026-11-21T08:00:61Z", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z", "2026-11-00T00:00:00Z",
        "0000-01-01T00:00:00Z", "0000-01-01T00:00:00+00:01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59.999-00:01", "9999-12-31T23:59:60Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2031-01-01T00:00:00Z",
        "2100-01-01T00:00:00Z", "1793520000000", "1793520000", "1793520000000000", "1793520000.5", "20261121T080000Z", "2026-W47-6",
        "2026-325T08:00:00Z", "21/11/2026", "now", "yesterday", "Sat, 21 Nov 2026 08:00:00 GMT", "２０２６-11-21T08:00:00Z",
        "2026-11-21T08:00:00\u{2212}01:00", "2026-11-21T08:00:00Z ", " 2026-11-21T08:00:00Z", "2026-11-21T08:00:00UTC",
        "2026-11-21T08:00:00+0100", "2026-11-21T08:00:00+01", "2026-11-21T08:00:00,5Z", "",
    ].map { Array($0.utf8) }

    /// The span from which times are drawn when nothing is odd, in milliseconds since 1970: 60 days that ended before any test runs.
    public static let pastTimes: ClosedRange<Int64> = 1_690_000_000_000...1_695_184_000_000

    /// Adds a time that a reader takes.
    mutating func addPastTime(to bytes: inout [UInt8]) {
        let milliseconds = Self.pastTimes.lowerBound + Int64(below(Int(Self.pastTimes.upperBound - Self.pastTimes.lowerBound)))
        switch below(3) {
        case 0:
            // Days of one month: all months have them.
            bytes.add("\"2023-0\(7 + below(3))-\(10 + below(19))T1\(below(10)):\(10 + below(50)):\(10 + below(50))")
            if once(in: 2) { bytes.add(".\(below(1_000))") }
            bytes.add(pick(["Z\"", "z\"", "+02:00\"", "-11:30\"", "+00:00\""]))
        default: bytes.add(String(milliseconds))
        }
    }

    /// Adds a time in any unit and spelling, right or wrong.
    public mutating func addTime(to bytes: inout [UInt8]) {
        switch below(8) {
        case 0, 1, 2:
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: pick(Self.borderTimes))
            bytes.append(UInt8(ascii: "\""))
        case 3: addNumber(to: &bytes)
        case 4:
            // Seconds, microseconds, nanoseconds; whole or with a fraction; as text or as a number.
            let quote = once(in: 2)
            if quote { bytes.append(UInt8(ascii: "\"")) }
            bytes.add(String(1_693_000_000 + below(1_000_000)))
            bytes.add(pick(["", "000000", "000000000", ".5", ".123456", "000.0", "e3", "000"]))
            if quote { bytes.append(UInt8(ascii: "\"")) }
        case 5:
            bytes.add("\"")
            bytes.append(contentsOf: timeLikeBytes())
            bytes.add("\"")
        default: addPastTime(to: &bytes)
        }
    }

    /// Bytes that look like RFC 3339, each part right or just beside it.
    public mutating func timeLikeBytes() -> [UInt8] {
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        var text = padded(below(10_100), 4) + "-" + padded(below(14), 2) + "-" + padded(below(33), 2) + pick(["T", "t", " ", "_", ""])
        text += padded(below(25), 2) + ":" + padded(below(61), 2) + ":" + padded(below(62), 2)
        if once(in: 2) { text += "." + String(next() >> UInt64(below(64))) }
        text += pick(["Z", "z", "", "+\(padded(below(25), 2)):\(padded(below(61), 2))", "-\(padded(below(25), 2)):\(padded(below(61), 2))"])
        var bytes = Array(text.utf8)
        if once(in: 3) { mutate(&bytes, times: 1 + below(2)) }
        return bytes
    }
}
