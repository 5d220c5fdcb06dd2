/// CRC-32 as of ISO 3309 and zlib, so that `crc32`, `gzip -v` or Python's `zlib.crc32` can check a file by hand.
///
/// It finds every change within 32 neighbouring bits and others but for one in 2^32. It is no guard against forgery.
struct Checksum {
    private var state: UInt32 = 0xFFFF_FFFF

    /// `tables[n][b]`: the remainder of byte b followed by n zero bytes ("slicing by eight").
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? (remainder >> 1) ^ 0xEDB8_8320 : remainder >> 1 }
            tables[byte] = remainder
        }
        for slice in 1..<8 {
            for byte in 0..<256 {
                let before = tables[(slice - 1) * 256 + byte]
                tables[slice * 256 + byte] = (before >> 8) ^ tables[Int(before & 255)]
            }
        }
        return tables
    }()

    mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        Self.tables.withUnsafeBufferPointer { tables in
            var offset = 0
            while offset &+ 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(state)
                var next: UInt32 = 0
                for place in 0..<8 {
                    next ^= tables[(7 &- place) &* 256 &+ Int(truncatingIfNeeded: (word >> UInt64(8 &* place)) & 255)]
                }
                state = next
                offset &+= 8
            }
            while offset < bytes.count {
                state = (state >> 8) ^ tables[Int((state ^ UInt32(bytes[offset])) & 255)]
                offset &+= 1
            }
        }
    }

    /// The checksum so far.
    var value: UInt32 { ~state }

    /// Eight hexadecimal digits in lower case.
    var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    static func text(of bytes: UnsafeRawBufferPointer) -> String {
        var checksum = Checksum()
        checksum.combine(bytes)
        return checksum.text
    }
}
