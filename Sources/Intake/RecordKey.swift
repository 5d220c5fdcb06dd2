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

    /// The key under which a patch of this id is sent, `{"item_id":"i9","patch":true}`: another one than that of the whole record, which
    /// would be lost otherwise once its topic is compacted.
    public static func bytes<Record: PatchableRecord>(ofPatch id: String, of record: Record.Type) -> [UInt8] {
        Array("{\(JSONText.quoted(Record.idField)):\(JSONText.quoted(id))\(patchEnding)".utf8)
    }

    private static let patchEnding = ",\"patch\":true}"

    /// Whether it is a key as patches have.
    static func isOfPatch(_ key: UnsafeRawBufferPointer) -> Bool {
        key.first == UInt8(ascii: "{") && key.suffix(patchEnding.utf8.count).elementsEqual(patchEnding.utf8)
    }

    static func mayBeJSON(_ key: UnsafeRawBufferPointer) -> Bool {
        key.first == UInt8(ascii: "\"") || key.first == UInt8(ascii: "{")
    }
}
