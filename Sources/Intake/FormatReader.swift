import AvroRecords
import Interactions

/// Reads records of a topic that are written in something else than plain JSON, into JSON that the topic's mapping reads.
///
/// One thread at a time.
final class FormatReader {
    let format: RecordFormat
    private let schemas: SchemaRegistry?
    private let decoder: AvroDecoder
    private let changes: ChangeReader
    private let maxRecordBytes: Int
    /// Schemas that the registry gave: those of a topic are few.
    private var known: [Int32: RegisteredSchema] = [:]

    init(_ format: RecordFormat, schemas: SchemaRegistry?, rules: DecodingRules) {
        self.format = format
        self.schemas = schemas
        maxRecordBytes = rules.maxRecordBytes
        let most = RecordMapper.formatGrowthLimit * rules.maxRecordBytes
        decoder = AvroDecoder(maxTextBytes: most)
        changes = ChangeReader(rules: rules, maxBytes: most)
    }

    /// The number of a schema that bytes name and that is not there yet, with what is known of it; nil where nothing is to be waited for.
    func awaited(_ bytes: UnsafeRawBufferPointer?) -> (number: Int32, why: String?)? {
        guard let bytes, let number = Framing.schemaNumber(bytes), known[number] == nil, let schemas,
            case .awaited(let why) = schemas.standing(of: number)
        else { return nil }
        return (number, why)
    }

    /// What a record's value says.
    ///
    /// - Throws: `Rejection` that says what the value looks like where it is none of the topic's format.
    func change(_ value: UnsafeRawBufferPointer) throws(Rejection) -> ChangeReader.Change {
        guard value.count <= maxRecordBytes else {
            throw Rejection(.tooLarge, "the record has \(value.count) bytes; at most \(maxRecordBytes) are allowed")
        }
        guard let number = Framing.schemaNumber(value) else {
            if format == .debezium, value.drop(while: { [0x20, 0x09, 0x0A, 0x0D].contains($0) }).first == UInt8(ascii: "{") {
                return try changes.change(value)
            }
            let avro = "Avro with a registry's number in front", wanted = format == .avro ? avro : "changes in JSON, or in \(avro)"
            throw Rejection(.malformedJSON, "the topic's records are \(wanted) (format), and this one is \(RecordLook.of(value))")
        }
        let json = try json(Framing.body(value), number)
        guard format == .debezium else { return .row(json, time: nil) }
        return try json.withUnsafeBufferPointer { (json) throws(Rejection) in try changes.change(UnsafeRawBufferPointer(json)) }
    }

    /// A key as JSON; nil of one that is a plain text, or JSON as it stands.
    func key(_ key: UnsafeRawBufferPointer) throws(Rejection) -> [UInt8]? {
        guard let number = Framing.schemaNumber(key) else { return changes.key(key) }
        return try json(Framing.body(key), number)
    }

    private func json(_ body: UnsafeRawBufferPointer, _ number: Int32) throws(Rejection) -> [UInt8] {
        switch try schema(number) {
        case .json: return Array(body)
        case .avro(let schema):
            do throws(AvroProblem) {
                return try decoder.json(body, by: schema)
            } catch {
                throw Rejection(
                    error.code == .tooLarge ? .tooLarge : .malformedJSON, "the record is no Avro of its schema \(number): \(error.detail)")
            }
        }
    }

    private func schema(_ number: Int32) throws(Rejection) -> RegisteredSchema {
        if let schema = known[number] { return schema }
        guard let schemas else {
            throw Rejection(
                .malformedJSON, "the record names the schema \(number) of a registry, and none is configured: set ingest.registry.url")
        }
        switch schemas.standing(of: number) {
        case .known(let schema):
            if known.count >= SchemaRegistry.schemasLimit { known = [:] }
            known[number] = schema
            return schema
        case .refused(let why): throw Rejection(.malformedJSON, why)
        case .awaited(let why): throw Rejection(.malformedJSON, why ?? "schema \(number) has not come from the registry yet")
        }
    }
}
