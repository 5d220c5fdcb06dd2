/// Bytes of Avro's binary encoding, read from left to right; each reading checks what is left.
struct AvroInput {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Bytes that were not read yet.
    var left: Int { bytes.count - at }
    var isAtEnd: Bool { at == bytes.count }

    func problem(_ detail: String) -> AvroProblem { AvroProblem(code: .bytes, detail: "\(detail), at byte \(at) of \(bytes.count)") }

    mutating func byte() throws(AvroProblem) -> UInt8 {
        guard at < bytes.count else { throw problem("the bytes end within a value") }
        at += 1
        return bytes[at - 1]
    }

    /// A whole number of at most ten bytes, seven bits each, the lowest first, with its sign in the lowest bit.
    mutating func long() throws(AvroProblem) -> Int64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while true {
            let next = try byte()
            // Of the tenth byte one bit is left.
            guard shift < 63 || next <= 1 else { throw problem("a whole number is longer than 64 bits") }
            value |= UInt64(next & 0x7F) << shift
            guard next & 0x80 != 0 else { break }
            shift += 7
        }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func int() throws(AvroProblem) -> Int32 {
        let value = try long()
        guard let small = Int32(exactly: value) else { throw problem("an int is \(value), which 32 bits do not hold") }
        return small
    }

    mutating func float() throws(AvroProblem) -> Float {
        Float(bitPattern: UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self)))
    }

    mutating func double() throws(AvroProblem) -> Double {
        Double(bitPattern: UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self)))
    }

    /// So many bytes as a number in front of them says.
    mutating func sized() throws(AvroProblem) -> UnsafeRawBufferPointer {
        let count = try long()
        guard count >= 0, count <= Int64(left) else { throw problem("a text or bytes claim \(count) bytes, and \(left) are left") }
        return try take(Int(count))
    }

    mutating func take(_ count: Int) throws(AvroProblem) -> UnsafeRawBufferPointer {
        guard count <= left else { throw problem("\(count) bytes are wanted, and \(left) are left") }
        at += count
        return UnsafeRawBufferPointer(rebasing: bytes[(at - count)..<at])
    }
}
