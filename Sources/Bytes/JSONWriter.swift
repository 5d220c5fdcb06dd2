/// Writes JSON text into bytes, without Foundation and without a tree in between.
///
/// Commas are kept by the writer: a value or key after another one gets one. The caller opens and closes what it writes.
public struct JSONWriter: Sendable {
    /// What was written so far, as UTF-8.
    public private(set) var bytes: [UInt8]
    private var needsComma = false

    /// Starts with nothing written.
    public init(reservingBytes capacity: Int = 1_024) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Writes an object; `content` writes its keys and values.
    public mutating func object(_ content: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        content(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Writes an array; `content` writes its values.
    public mutating func array(_ content: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "["))
        content(&self)
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes a key that holds nothing to escape; a value must follow.
    public mutating func key(_ name: StaticString) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a key that comes from data.
    public mutating func key(data name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes `null`.
    public mutating func null() {
        literal("null")
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    /// Writes a whole number.
    public mutating func integer(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    /// Writes the shortest text that reads back as the same number; what JSON cannot say becomes null.
    public mutating func number(_ value: Float) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        needsComma = true
    }

    /// Writes the shortest text that reads back as the same number; what JSON cannot say becomes null.
    public mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        needsComma = true
    }

    /// Writes text that is valid JSON already.
    public mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
        needsComma = true
    }

    /// Writes a string. Control characters, quotes and backslashes are escaped; all else stays UTF-8.
    public mutating func string(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { utf8 in
            var clean = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                guard Self.isEscaped(byte) else { continue }
                bytes.append(contentsOf: utf8[clean..<index])
                escape(byte)
                clean = index + 1
            }
            bytes.append(contentsOf: utf8[clean...])
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes an array of strings.
    public mutating func strings(_ values: [String]) {
        array { writer in
            for value in values { writer.string(value) }
        }
    }

    /// Whether a byte of UTF-8 cannot stand in a string as it is. U+007F could; who prints a line does not want it.
    @inlinable
    public static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
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
    /// What was written so far.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text of one object; `content` writes its keys and values.
    public static func object(reservingBytes capacity: Int = 256, _ content: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(reservingBytes: capacity)
        writer.object(content)
        return writer.text
    }

    /// Writes a key with a string, or nothing at all where there is none.
    public mutating func field(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    /// Writes a key with a whole number, or nothing at all where there is none.
    public mutating func field(_ name: StaticString, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        key(name)
        integer(value)
    }

    /// Writes a key with `true` or `false`.
    public mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Writes a key with an array of strings.
    public mutating func field(_ name: StaticString, _ values: [String]) {
        key(name)
        strings(values)
    }

    /// Writes a key with text that is valid JSON already, or nothing at all where there is none.
    public mutating func field(_ name: StaticString, raw json: String?) {
        guard let json else { return }
        key(name)
        raw(json)
    }

    /// Writes a key with a number, or null where there is none.
    public mutating func field(_ name: StaticString, nullable value: Double?) {
        key(name)
        if let value { number(value) } else { null() }
    }

    /// Writes a key with an object of numbers, ordered by name.
    public mutating func field(_ name: StaticString, numbers: [String: Double]) {
        key(name)
        object { writer in
            for (name, value) in numbers.sorted(by: { $0.key < $1.key }) {
                writer.key(data: name)
                writer.number(value)
            }
        }
    }

    /// Writes a key with an object of counts, ordered by name.
    public mutating func field(_ name: StaticString, counts: [String: Int64]) {
        key(name)
        object { writer in
            for (name, value) in counts.sorted(by: { $0.key < $1.key }) {
                writer.key(data: name)
                writer.integer(value)
            }
        }
    }
}
