/// The checksum of the two files of this target, said once more: so that a file that lies can carry a right one.
struct FileSeal {
    private var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    private mutating func combine(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let word = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            value = (value ^ word) &* 0xD6E8_FEB8_6659_FD93
            value ^= value >> 32
            rest = rest.dropFirst(8)
        }
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        Int(truncatingIfNeeded: bytes[offset..<offset + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private mutating func write(into bytes: inout [UInt8], at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + 8, with: $0) }
    }

    /// Of an index: over the header and each of the six parts whose sizes end the header. False where these do not fit the file.
    static func sealIndex(_ bytes: inout [UInt8], numbers: Int) -> Bool {
        let end = 12 + 8 * (6 + numbers + 6)
        guard bytes.count >= end + 8 else { return false }
        var seal = FileSeal()
        seal.combine(bytes[..<end])
        var offset = end + 8
        for part in 0..<6 {
            let size = word(bytes, end - 48 + 8 * part)
            guard size >= 0, size <= bytes.count - offset else { return false }
            seal.combine(bytes[offset..<offset + size])
            offset += size
        }
        seal.write(into: &bytes, at: end)
        return true
    }

    /// Of vectors: over the header, the vectors and the ids. False where the numbers of the header do not fit the file.
    static func sealVectors(_ bytes: inout [UInt8]) -> Bool {
        guard bytes.count >= 72 else { return false }
        let (count, dimension) = (word(bytes, 40), word(bytes, 48))
        let (floats, overflow) = count.multipliedReportingOverflow(by: dimension)
        guard count >= 0, dimension >= 0, !overflow, floats <= (bytes.count - 72) / 4 else { return false }
        var seal = FileSeal()
        seal.combine(bytes[16..<72])
        seal.combine(bytes[72..<72 + 4 * floats])
        seal.combine(bytes[(72 + 4 * floats)...])
        seal.write(into: &bytes, at: 8)
        return true
    }
}
