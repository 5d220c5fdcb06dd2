/// The members of a record by which a change is known.
struct ChangeMembers {
    private(set) var schema = JSONToken(), payload = JSONToken()
    private(set) var op = JSONToken(), before = JSONToken(), after = JSONToken(), source = JSONToken(), time = JSONToken()
    private(set) var flatDeleted = JSONToken(), flatOperation = JSONToken(), flatTime = JSONToken(), flatSourceTime = JSONToken()
    private var ddl = JSONToken(), status = JSONToken(), eventCount = JSONToken(), collections = JSONToken()
    private(set) var count = 0

    /// Reads all members of an object and checks the whole text.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ decoder: RecordDecoder, _ maxBytes: Int
    ) throws(Rejection) -> FieldReader {
        let (start, reader) = try decoder.begin(bytes, maxBytes: maxBytes)
        var scanner = start
        try decoder.open(&scanner)
        var first = true
        while let key = try scanner.nextKey(first: &first) {
            count += 1
            let value = try scanner.value(depth: 1)
            note(key, value, scanner)
        }
        try decoder.finish(&scanner)
        return reader
    }

    @inline(__always)
    private mutating func note(_ key: JSONToken, _ value: JSONToken, _ scanner: JSONScanner) {
        switch key.count {
        case 2: if scanner.key(key, is: "op") { op = value }
        case 3: if scanner.key(key, is: "ddl") { ddl = value }
        case 4: if scanner.key(key, is: "__op") { flatOperation = value }
        case 5:
            if scanner.key(key, is: "after") { after = value }
            if scanner.key(key, is: "ts_ms") { time = value }
        case 6:
            if scanner.key(key, is: "before") { before = value }
            if scanner.key(key, is: "source") { source = value }
            if scanner.key(key, is: "schema") { schema = value }
            if scanner.key(key, is: "status") { status = value }
        case 7:
            if scanner.key(key, is: "payload") { payload = value }
            if scanner.key(key, is: "__ts_ms") { flatTime = value }
        case 9: if scanner.key(key, is: "__deleted") { flatDeleted = value }
        case 11: if scanner.key(key, is: "event_count") { eventCount = value }
        case 14: if scanner.key(key, is: "__source_ts_ms") { flatSourceTime = value }
        case 16: if scanner.key(key, is: "data_collections") { collections = value }
        default: break
        }
    }

    /// Whether the record is an envelope, and not a row whose table has a column called `op`.
    var isEnvelope: Bool {
        guard op.kind == .string else { return false }
        // A longer word is one where nothing but an envelope has such members.
        if op.count != 1 { return source.kind == .object && (before.kind == .object || after.kind == .object) }
        return [source, before, after].contains { $0.kind == .object }
    }

    /// Whether the record is a payload with its schema beside it, or one whose schema somebody took away.
    var isPayload: Bool {
        count == 2 && payload.kind != .absent && (schema.kind == .object || schema.kind == .null) || count == 1 && payload.kind == .object
    }

    /// The letter of the change: c, u, d, r, t, m; 0 of what is no letter.
    func operation(_ reader: FieldReader) -> UInt8 { op.count == 1 ? reader.slice(op).first ?? 0 : 0 }

    /// Whether a flattened row says that it is gone.
    func isDeletedRow(_ reader: FieldReader) -> Bool {
        flatDeleted.kind == .yes || flatDeleted.kind == .string && reader.slice(flatDeleted).elementsEqual("true".utf8)
            || flatOperation.kind == .string && reader.slice(flatOperation).elementsEqual("d".utf8)
    }

    /// Why a record is no change of a row, where it looks like something else that Debezium sends.
    func stranger(_ reader: FieldReader) -> Rejection? {
        if isEnvelope {
            guard !"cudrtm".utf8.contains(operation(reader)) else { return nil }
            return Rejection(
                .unknownType, field: "op",
                "is \(JSONText.quoted(String(JSONText.unescaped(op, reader.bytes).prefix(40)))), but Freshet knows c, u, d, r, t and m, as "
                    + "Debezium writes them")
        }
        let instead = "map the topics of its tables instead"
        if ddl.isPresent, source.isPresent || collections.isPresent || time.isPresent {
            return Rejection(
                .unknownType, "the record looks like Debezium's account of a changed schema (ddl): \(instead)")
        }
        if status.kind == .string, eventCount.kind != .absent || collections.kind != .absent {
            return Rejection(
                .unknownType, "the record looks like Debezium's mark of a transaction (status, event_count): \(instead)")
        }
        if time.isPresent, count == 1 {
            return Rejection(.unknownType, "the record looks like a heartbeat of Debezium (ts_ms alone): \(instead)")
        }
        return nil
    }
}

/// What an envelope says of where the change comes from.
struct ChangeSource {
    private(set) var time = JSONToken(), database = JSONToken(), schema = JSONToken(), table = JSONToken()

    /// Of a source that is no object nothing is known.
    init(_ token: JSONToken, _ reader: FieldReader) throws(Rejection) {
        guard token.kind == .object else { return }
        var scanner = reader.scanner(from: token.start + 1, to: token.end)
        var first = true
        while let key = try scanner.nextKey(first: &first) {
            let value = try scanner.value(depth: 0)
            if scanner.key(key, is: "ts_ms") { time = value }
            if scanner.key(key, is: "db") { database = value }
            if scanner.key(key, is: "schema") { schema = value }
            if scanner.key(key, is: "table") || scanner.key(key, is: "collection") { table = value }
        }
    }
}
