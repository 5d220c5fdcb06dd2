// Points in time, with a hint where a value looks like another unit or another spelling.
extension FieldReader {
    /// An RFC 3339 string, or whole milliseconds since 1970, within the years 0000 to 9999.
    @inline(__always)
    func time(_ token: JSONToken, _ field: @autoclosure () -> String) throws(Rejection) -> EventTime? {
        if token.kind == .number, token.count <= 15, let milliseconds = plainDigits(token) {
            let time = EventTime(milliseconds: milliseconds)
            if time <= EventTime.latestWritable { return time }
        }
        guard token.isPresent else { return nil }
        return try unusualTime(token, field())
    }

    @inline(__always)
    private func plainDigits(_ token: JSONToken) -> Int64? {
        var value: Int64 = 0
        for index in token.start..<token.end {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }

    @inline(never)
    private func unusualTime(_ token: JSONToken, _ field: String) throws(Rejection) -> EventTime {
        switch token.kind {
        case .string:
            let text = try string(token, .id, field)
            if let time = EventTime(rfc3339: text) { return time }
            throw Rejection(
                .wrongType, field: field,
                "is not an RFC 3339 time with its offset, such as 2026-11-21T08:00:00.123Z\(Self.hint(text))")
        case .number:
            let decimal = try decimal(token, field)
            guard decimal.isWhole else {
                throw Rejection(
                    .wrongType, field: field,
                    "must be whole milliseconds since 1970, without a fraction, or RFC 3339 text\(Self.hint(decimal))")
            }
            guard let value = decimal.integer, value >= EventTime.earliestWritable.milliseconds,
                value <= EventTime.latestWritable.milliseconds
            else {
                throw Rejection(.outOfRange, field: field, "is outside the years 0000 to 9999\(Self.hint(decimal))")
            }
            return EventTime(milliseconds: value)
        default:
            throw wrongType(token, field, "RFC 3339 text or milliseconds since 1970")
        }
    }

    /// What a number that is no time in milliseconds most likely is.
    private static func hint(_ number: ExactDecimal) -> String {
        let unit: String
        switch number.integer ?? number.magnitude(times: 1, shift: 0) ?? .max {
        case 100_000_000..<100_000_000_000: unit = "seconds"
        case 100_000_000_000_000..<100_000_000_000_000_000: unit = "microseconds"
        case 100_000_000_000_000_000...: unit = "nanoseconds"
        default: return ""
        }
        return "; the number looks like \(unit), and milliseconds since 1970 are wanted"
    }

    /// What is missing from a text that is no RFC 3339 time.
    private static func hint(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let digits = bytes.filter { $0 &- UInt8(ascii: "0") < 10 }.count
        if digits == bytes.count, digits >= 9 {
            return "; digits are milliseconds since 1970 where they come as a number, without quotes"
        }
        let hasDate = bytes.count >= 10 && bytes[4] == UInt8(ascii: "-") && bytes[7] == UInt8(ascii: "-")
        guard hasDate else { return "" }
        if bytes.count == 10 { return "; the date has no time of day: 2026-11-21T00:00:00Z is the start of a day" }
        let zoned = bytes.dropFirst(10).contains { $0 == UInt8(ascii: "Z") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        return zoned ? "" : "; the offset is missing: Z for UTC, or +01:00"
    }
}
