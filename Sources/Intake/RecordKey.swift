import Interactions

/// The key of a record of items or users: the id as it is, or JSON, as serializers write it.
///
/// What begins with a quote or a brace and is well-formed is JSON. An id that begins so itself is written as a JSON string, so that a
/// deletion never means somebody else.
public enum RecordKey {
    /// The key under which a record of this id is sent.
    public static func bytes(of id: String) -> [UInt8] {
        let plain = Array(id.utf8)
        return plain.withUnsafeBytes { mayBeJSON($0) } ? Array(JSONText.quoted(id).utf8) : plain
    }

    static func mayBeJSON(_ key: UnsafeRawBufferPointer) -> Bool {
        key.first == UInt8(ascii: "\"") || key.first == UInt8(ascii: "{")
    }
}
