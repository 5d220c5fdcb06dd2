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

    /// Whether a key names a part of a record rather than the record: a JSON object that holds more than the id, as the keys of patches do.
    /// Of a user's id the `id_space` is a part. Any spelling and order of it counts.
    ///
    /// - Parameter field: the member that holds the id. Kafka Connect puts it into `payload`, beside `schema`.
    static func isOfPart(_ key: UnsafeRawBufferPointer, idField field: String, _ decoder: RecordDecoder) -> Bool {
        let key = withoutSpace(key)
        guard key.first == UInt8(ascii: "{"), let names = decoder.memberNames(of: key) else { return false }
        if names.contains(field) { return !names.isSubset(of: field == UserRecord.idField ? [field, "id_space"] : [field]) }
        return names.contains("payload") && !names.isSubset(of: ["payload", "schema"])
    }

    /// A key without the white space that JSON may have around it.
    static func withoutSpace(_ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        var rest = key[...]
        while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }

    static func mayBeJSON(_ key: UnsafeRawBufferPointer) -> Bool {
        let first = withoutSpace(key).first
        return first == UInt8(ascii: "\"") || first == UInt8(ascii: "{")
    }
}
