/// Writes Avro's binary encoding, for tests: as the specification has it, and in the odder ways that it allows.
struct AvroEncoder {
    private(set) var bytes: [UInt8] = []

    mutating func long(_ value: Int64) {
        var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func sized(_ value: some Collection<UInt8>) {
        long(Int64(value.count))
        bytes += value
    }

    mutating func string(_ text: String) { sized(Array(text.utf8)) }

    mutating func raw(_ value: some Collection<UInt8>) { bytes += value }

    mutating func float(_ value: Float) { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }

    mutating func double(_ value: Double) { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }

    /// A whole number as the fewest bytes of two's complement, the highest first.
    static func whole(_ value: Int64) -> [UInt8] {
        var bytes = withUnsafeBytes(of: value.bigEndian) { Array($0) }
        while bytes.count > 1, bytes[0] == (bytes[1] & 0x80 == 0 ? 0 : 0xFF) { bytes.removeFirst() }
        return bytes
    }
}
