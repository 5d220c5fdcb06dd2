extension RecordDecoder {
    /// Decodes a record of `freshet.items`: a whole one, or with `"patch":true` some fields of one.
    ///
    /// - Parameter now: The clock against which the future is measured.
    public func itemChange(
        _ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime
    ) -> Result<RecordChange<ItemRecord>, Rejection> {
        change(bytes, item(bytes, origin: origin, now: now))
    }

    /// Decodes a record of `freshet.users`: a whole one, or with `"patch":true` some fields of one.
    ///
    /// - Parameter now: The clock against which the future is measured.
    public func userChange(
        _ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime
    ) -> Result<RecordChange<UserRecord>, Rejection> {
        change(bytes, user(bytes, origin: origin, now: now))
    }

    /// Whether a record says that it is a patch: `"patch":true`.
    public func isPatch(_ bytes: UnsafeRawBufferPointer) -> Result<Bool, Rejection> {
        Result { () throws(Rejection) -> Bool in try named(bytes, [:]) != nil }
    }

    /// - Parameter record: what the bytes are as a whole record: a patch is held to the same rules.
    private func change<Record: PatchableRecord>(
        _ bytes: UnsafeRawBufferPointer, _ record: Result<Record, Rejection>
    ) -> Result<RecordChange<Record>, Rejection> {
        Result { () throws(Rejection) -> RecordChange<Record> in
            let record = try record.get()
            guard Self.mayBePatch(bytes) else { return .upsert(record) }
            guard let named = try named(bytes, Record.patchPlaces) else { return .upsert(record) }
            var patch = RecordPatch(naming: named.fields, of: record, updatedAt: record.updatedAt)
            if named.clearsAttributes {
                patch.removeAttributes()
            } else if let attributes = record.attributes {
                for (name, value) in JSONText.rawMembers(of: attributes) {
                    patch.name(name, value == "null" ? .removed : .value(JSONText.withoutNulls(value)))
                }
            }
            return .patch(patch)
        }
    }

    /// Which fields a patch names; nil of what is no patch.
    private func named(
        _ bytes: UnsafeRawBufferPointer, _ places: [String: Int]
    ) throws(Rejection) -> (fields: PatchedFields, clearsAttributes: Bool)? {
        guard Self.mayBePatch(bytes) else { return nil }
        var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
        var flag = JSONToken(), attributes = JSONToken(), fields: PatchedFields = []
        try members(&scanner, bytes) { name, token in
            if let place = places[name] {
                fields.insert(PatchedFields(place: place))
            } else if name == "attributes" {
                attributes = token
            } else if name == "patch" {
                flag = token
            }
        }
        guard try reader.boolean(flag, "patch") else { return nil }
        return (fields, attributes.kind == .null)
    }

    /// Whether the text may have a member `patch`. Whole records, which have none, are read once.
    private static func mayBePatch(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let name: [UInt8] = Array("\"patch\"".utf8)
        guard bytes.count > name.count else { return false }
        var at = 0
        let last = bytes.count - name.count
        while at < bytes.count {
            let byte = bytes[at]
            // An escape may spell the name in another way.
            if byte == UInt8(ascii: "\\"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "u") { return true }
            if byte == UInt8(ascii: "\""), at <= last, bytes[at + 1] == UInt8(ascii: "p"),
                bytes[at..<at + name.count].elementsEqual(name)
            {
                return true
            }
            at &+= 1
        }
        return false
    }
}
