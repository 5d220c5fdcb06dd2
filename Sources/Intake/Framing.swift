/// What serializers put before a record's own bytes.
enum Framing {
    /// Whether the bytes begin as a schema registry's serializers write them: a zero byte, and the schema's number in four bytes.
    static func isRegistrys(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.count > 5 && bytes[0] == 0 }

    /// What to do about it, to be added to a reason.
    static let hint =
        "; it begins as a schema registry's serializer writes it (a zero byte and a schema's number): send plain text and JSON"
}
