/// What serializers put before a record's own bytes.
enum Framing {
    /// Bytes of the framing: a zero byte, and the schema's number in four bytes.
    static let bytes = 5

    /// Whether the bytes begin as a schema registry's serializers write them.
    static func isRegistrys(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.count > Self.bytes && bytes[0] == 0 }

    /// The number of the schema that the bytes name; nil where they are not framed. A value of no bytes, such as null, may follow.
    static func schemaNumber(_ bytes: UnsafeRawBufferPointer) -> Int32? {
        guard bytes.count >= Self.bytes, bytes[0] == 0 else { return nil }
        return Int32(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
    }

    /// What stands behind the framing.
    static func body(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes.dropFirst(Self.bytes))
    }

    /// What to do about it, to be added to a reason.
    static let hint =
        "; it begins as a schema registry's serializer writes it (a zero byte and a schema's number): send plain text and JSON, or map the "
        + "topic with format: avro"
}
