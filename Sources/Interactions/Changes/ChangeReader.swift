import Bytes

/// Reads a change of a row as Debezium sends it, and gives the row: out of its envelope (`before`, `after`, `op`), or flattened
/// (ExtractNewRecordState), with Kafka Connect's schema beside it or without.
///
/// Either way the row comes with what is known of the change under the names that Debezium gives it in flattened records: `__op`,
/// `__table`, `__db`, `__schema`, `__ts_ms` and `__source_ts_ms`. It never traps, whatever the bytes. One thread at a time: it keeps the
/// schemas that it met last.
public final class ChangeReader {
    /// What a record says.
    public enum Change: Sendable, Equatable {
        /// A row as it is now, as JSON of an object, and when it became so; nil where the record does not say.
        case row([UInt8], time: EventTime?)
        /// A row that is gone, as far as the record has it.
        case deletion([UInt8]?, time: EventTime?)
        /// Nothing of a row: a message that somebody wrote into the database's log.
        case message
    }

    /// What stands for a value that the database did not send, since the change did not touch it.
    static let placeholder = "__debezium_unavailable_value"
    /// Schemas that are kept.
    private static let schemasLimit = 8

    private let decoder: RecordDecoder
    private let maxBytes: Int
    private var schemas: [(text: [UInt8], schema: ConnectSchema?)] = []

    /// A reader of records of at most `maxBytes` bytes.
    public init(rules: DecodingRules, maxBytes: Int) {
        // An envelope, its schema and a list in it are some levels more than the row.
        var rules = rules
        rules.maxDepth = min(DecodingRules.deepestAllowed, rules.maxDepth + 16)
        decoder = RecordDecoder(rules: rules)
        self.maxBytes = maxBytes
    }

    /// Reads a record's value.
    ///
    /// - Parameter bytes: JSON in UTF-8; borrowed for the call.
    /// - Throws: ``Rejection`` that says what the record looks like instead.
    /// - Complexity: O(bytes × nesting).
    public func change(_ bytes: UnsafeRawBufferPointer) throws(Rejection) -> Change {
        try change(bytes, mayHaveSchema: true)
    }

    private func change(_ bytes: UnsafeRawBufferPointer, mayHaveSchema: Bool) throws(Rejection) -> Change {
        var found = ChangeMembers()
        let reader = try found.read(bytes, decoder, maxBytes)
        guard mayHaveSchema, found.isPayload else { return try change(bytes, found, reader) }
        // As a record without a value.
        guard found.payload.isPresent else { return .deletion(nil, time: nil) }
        return try payload(found, reader).withUnsafeBufferPointer { (payload) throws(Rejection) in
            try change(UnsafeRawBufferPointer(payload), mayHaveSchema: false)
        }
    }

    /// The value of a key: what stands in `payload` where a schema stands beside it, by the schema; nil where none does, or where the key
    /// is no JSON of an object.
    public func key(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        do throws(Rejection) {
            var found = ChangeMembers()
            let reader = try found.read(bytes, decoder, maxBytes)
            return found.isPayload ? try payload(found, reader) : nil
        } catch {
            return nil
        }
    }

    // MARK: Schema and payload

    /// What stands beside a schema, rewritten by it.
    private func payload(_ found: ChangeMembers, _ reader: FieldReader) throws(Rejection) -> [UInt8] {
        let payload = found.payload
        guard let schema = schema(found.schema, reader) else {
            let quote = payload.kind == .string ? 1 : 0
            return Array(reader.bytes[(payload.start - quote)..<(payload.end + quote)])
        }
        var output: [UInt8] = []
        output.reserveCapacity(payload.count + 256)
        try schema.append(payload, in: reader.bytes, to: &output)
        return output
    }

    /// Records of a topic have the same schema, or one of a few.
    private func schema(_ token: JSONToken, _ reader: FieldReader) -> ConnectSchema? {
        guard token.kind == .object else { return nil }
        let text = reader.slice(token)
        if let known = schemas.first(where: { $0.text.count == text.count && $0.text.elementsEqual(text) }) { return known.schema }
        let tree = decoder.tree(UnsafeRawBufferPointer(text), maxBytes: maxBytes)
        let schema: ConnectSchema? = if case .success(let tree) = tree { ConnectSchema(tree) } else { nil }
        if schemas.count == Self.schemasLimit { schemas.removeFirst() }
        schemas.append((Array(text), schema))
        return schema
    }

    // MARK: Envelopes and rows

    private func change(_ bytes: UnsafeRawBufferPointer, _ found: ChangeMembers, _ reader: FieldReader) throws(Rejection) -> Change {
        if let stranger = found.stranger(reader) { throw stranger }
        guard found.isEnvelope else {
            let row = Array(bytes), time = Self.time([found.flatSourceTime, found.flatTime], reader)
            return found.isDeletedRow(reader) ? .deletion(row, time: time) : .row(row, time: time)
        }
        let source = try ChangeSource(found.source, reader)
        let time = Self.time([source.time, found.time], reader)
        switch found.operation(reader) {
        case UInt8(ascii: "c"), UInt8(ascii: "u"), UInt8(ascii: "r"):
            guard found.after.isPresent else {
                throw Rejection(.missingField, field: "after", "is null or missing in a change (op) that is no deletion: there is no row")
            }
            return .row(try row(found.after, "after", found, source, reader), time: time)
        case UInt8(ascii: "d"):
            return .deletion(found.before.isPresent ? try row(found.before, "before", found, source, reader) : nil, time: time)
        case UInt8(ascii: "t"):
            throw Rejection(
                .missingField, field: "before",
                "the table was emptied (op t), and the record does not say which rows it had: delete what they were by their keys")
        default: return .message
        }
    }

    /// The row with what is known of its change.
    private func row(
        _ token: JSONToken, _ name: String, _ found: ChangeMembers, _ source: ChangeSource, _ reader: FieldReader
    ) throws(Rejection) -> [UInt8] {
        var row: [UInt8]
        switch token.kind {
        case .object: row = Array(reader.slice(token))
        case .string:
            // MongoDB's documents are JSON within a text.
            row = Array(JSONText.unescaped(token, reader.bytes).utf8)
            let isObject = row.withUnsafeBytes { bytes in
                if case .success(.object) = decoder.tree(bytes, maxBytes: maxBytes) { true } else { false }
            }
            guard isObject else { fallthrough }
            while row.last != UInt8(ascii: "}") { row.removeLast() }
        default:
            throw Rejection(.wrongType, field: name, "is \(token.kind.name); the row must be an object")
        }
        row.removeLast()
        var isEmpty = !row.contains { $0 > 0x20 && $0 != UInt8(ascii: "{") }
        for (name, value) in [
            ("__op", found.op), ("__ts_ms", found.time), ("__source_ts_ms", source.time), ("__db", source.database),
            ("__schema", source.schema), ("__table", source.table),
        ] where value.isPresent {
            if !isEmpty { row.append(UInt8(ascii: ",")) }
            isEmpty = false
            row += "\"\(name)\":".utf8
            let quote = value.kind == .string ? 1 : 0
            row += reader.bytes[(value.start - quote)..<(value.end + quote)]
        }
        row.append(UInt8(ascii: "}"))
        return row
    }

    /// The first time that there is, in milliseconds since 1970. Snapshots of some connectors have 0 for none.
    private static func time(_ tokens: [JSONToken], _ reader: FieldReader) -> EventTime? {
        for token in tokens where token.kind == .number || token.kind == .string {
            let text = reader.slice(token)
            if token.kind == .string, !text.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) { continue }
            if let milliseconds = JSONNumberText.whole(text), milliseconds > 0 { return EventTime(milliseconds: milliseconds) }
        }
        return nil
    }

    /// Whether bytes hold the placeholder of a value that was not sent, as a text or as base64.
    static func mayHoldPlaceholder(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        contains(placeholderBytes, bytes) || contains(encodedPlaceholder, bytes)
    }

    private static let placeholderBytes = Array(placeholder.utf8)
    private static let encodedPlaceholder = Array(Base64.text(placeholderBytes).utf8)

    private static func contains(_ wanted: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        // The fourth bytes, `e` and `k`, are no rarer than others; the second ones, `_` and `1`, are rare enough in JSON.
        let rare = wanted[1]
        var place = 1
        while place + wanted.count <= bytes.count + 1 {
            guard bytes[place] == rare else { place += 1; continue }
            var length = 0
            while length < wanted.count, bytes[place - 1 + length] == wanted[length] { length += 1 }
            if length == wanted.count { return true }
            place += 1
        }
        return false
    }
}
