import Interactions

/// Writes JSON text into bytes, without Foundation and without a tree in between.
///
/// Commas are kept by the writer: a value or key after another one gets one. The caller opens and closes what it writes.
struct JSONWriter {
    private(set) var bytes: [UInt8]
    private var needsComma = false

    init(reservingBytes capacity: Int = 1_024) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    mutating func object(_ content: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        content(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func array(_ content: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "["))
        content(&self)
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes a key that holds nothing to escape; a value must follow.
    mutating func key(_ name: StaticString) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a key that comes from data.
    mutating func key(data name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func null() {
        literal("null")
    }

    mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    mutating func integer(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    /// Writes the shortest text that reads back as the same number; what JSON cannot say becomes null.
    mutating func number(_ value: Float) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        needsComma = true
    }

    /// Writes the shortest text that reads back as the same number; what JSON cannot say becomes null.
    mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        needsComma = true
    }

    /// Writes millionths as an exact decimal number: 19_990_000 becomes 19.99.
    mutating func micros(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        bytes.append(contentsOf: String(magnitude / 1_000_000).utf8)
        var fraction = magnitude % 1_000_000
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            var unit: UInt64 = 100_000
            while fraction != 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(fraction / unit))
                fraction %= unit
                unit /= 10
            }
        }
        needsComma = true
    }

    /// Writes a time as RFC 3339 text in UTC.
    mutating func time(_ value: EventTime) {
        string(value.rfc3339())
    }

    /// Writes text that is valid JSON already.
    mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
        needsComma = true
    }

    mutating func string(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { utf8 in
            var clean = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: utf8[clean..<index])
                escape(byte)
                clean = index + 1
            }
            bytes.append(contentsOf: utf8[clean...])
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func strings(_ values: [String]) {
        array { writer in
            for value in values { writer.string(value) }
        }
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            bytes.append(contentsOf: "u00".utf8)
            let digits: StaticString = "0123456789abcdef"
            bytes.append(digits.utf8Start[Int(byte >> 4)])
            bytes.append(digits.utf8Start[Int(byte & 15)])
        }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }
}

extension JSONWriter {
    /// Writes a key with a string, or nothing at all where there is none.
    mutating func field(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    /// Writes a key with a number, or null where there is none.
    mutating func field(_ name: StaticString, nullable value: Double?) {
        key(name)
        if let value { number(value) } else { null() }
    }

    /// Writes a key with a time, or nothing at all where there is none.
    mutating func field(_ name: StaticString, _ value: EventTime?) {
        guard let value else { return }
        key(name)
        time(value)
    }

    /// Writes a key with an object of numbers, ordered by name.
    mutating func field(_ name: StaticString, numbers: [String: Double]) {
        key(name)
        object { writer in
            for (name, value) in numbers.sorted(by: { $0.key < $1.key }) {
                writer.key(data: name)
                writer.number(value)
            }
        }
    }

    /// Writes a key with an object of counts, ordered by name.
    mutating func field(_ name: StaticString, counts: [String: Int64]) {
        key(name)
        object { writer in
            for (name, value) in counts.sorted(by: { $0.key < $1.key }) {
                writer.key(data: name)
                writer.integer(value)
            }
        }
    }
}
