import Bytes

extension JSONWriter {
    /// Writes millionths as an exact decimal number: 19_990_000 becomes 19.99.
    public mutating func micros(_ value: Int64) {
        raw((value < 0 ? "-" : "") + ExactDecimal.text(units: UInt128(value.magnitude), digits: 6))
    }

    /// Writes a time as RFC 3339 text in UTC.
    public mutating func time(_ value: EventTime) {
        string(value.rfc3339())
    }

    /// Writes a key with a time, or nothing at all where there is none.
    public mutating func field(_ name: StaticString, _ value: EventTime?) {
        guard let value else { return }
        key(name)
        time(value)
    }
}
