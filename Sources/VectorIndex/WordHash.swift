/// A fast 64-bit checksum against damage, not against forgery.
///
/// Each step is a bijection of the state and, for a fixed state, of the word. So a change within any one word always
/// changes the result, and other changes go unseen with a chance of about 2^-64.
struct WordHash {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    mutating func combine(_ word: UInt64) {
        value = (value ^ word) &* 0xD6E8_FEB8_6659_FD93
        value ^= value >> 32
    }

    /// Whole words of eight bytes in the machine's (little-endian) order, the last one filled with zeros.
    mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            combine(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var last: UInt64 = 0
        for (place, byte) in bytes[offset...].enumerated() { last |= UInt64(byte) << UInt64(8 * place) }
        if offset < bytes.count { combine(last) }
    }
}
