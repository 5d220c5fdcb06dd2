import Bytes

/// Turns the records of a mapped topic into Freshet's own, as the JSON that ``RecordDecoder`` reads.
///
/// One pass finds what stands at all paths and checks the whole record; values are then copied as they stand, or converted where the
/// mapping says how. What comes out is decoded as any other record, so that a mapped field is held to the same rules. It never traps,
/// whatever the bytes. One thread at a time: it keeps its memory from record to record.
public final class RecordMapper {
    /// What becomes of a record, or of one of its lines.
    public enum Outcome {
        /// A record of Freshet's own; valid within the call.
        case record(UnsafeRawBufferPointer)
        /// A condition leaves it out.
        case leftOut
        /// Why it cannot be one.
        case refused(Rejection)
    }

    /// The most lines of one record.
    public static let linesLimit = 10_000
    /// How many times ``DecodingRules/maxRecordBytes`` all that is made of one record may be.
    static let growthLimit = 16
    /// How many times ``DecodingRules/maxRecordBytes`` a record may be as JSON that is written in something else.
    public static let formatGrowthLimit = 4

    /// What the topic holds.
    public let kind: MappedKind
    /// What its records are written in.
    public let format: RecordFormat
    let decoder: RecordDecoder
    private let record: PathTree
    private let line: PathTree
    let lines: (token: Int, path: RecordPath, id: Int?)?
    private let ofRecord: [ConditionPlan]
    private let ofLine: [ConditionPlan]
    let writer: FieldWriter
    private let tokens: UnsafeMutablePointer<JSONToken>
    private let maxBytes: Int
    private var mayLackValues = false
    private var buffer = RecordBuffer()

    /// Makes ready what a mapping says.
    public init(_ mapping: TopicMapping, rules: DecodingRules) {
        kind = mapping.kind
        format = mapping.format
        // What a schema says in bytes takes more as JSON.
        maxBytes = mapping.format == .json ? rules.maxRecordBytes : Self.formatGrowthLimit * rules.maxRecordBytes
        decoder = RecordDecoder(rules: rules)
        // Without `each` the record is the line, and all paths begin in it.
        let hasLines = mapping.each != nil
        func isOfRecord(_ path: RecordPath) -> Bool { !hasLines || path.isOfRecord }
        let paths = mapping.fields.values.flatMap(\.paths) + mapping.conditions.map(\.path)
        let record = PathTree(paths.filter(isOfRecord) + (mapping.each.map { [$0.path] } ?? []), first: 0)
        let line = PathTree(paths.filter { !isOfRecord($0) } + (mapping.each?.id.map { [$0] } ?? []), first: record.range.upperBound)
        func token(_ path: RecordPath) -> Int { (isOfRecord(path) ? record : line).places[path.steps] ?? 0 }
        (self.record, self.line) = (record, line)
        lines = mapping.each.map { each in (record.places[each.path.steps] ?? 0, each.path, each.id.flatMap { line.places[$0.steps] }) }
        tokens = .allocate(capacity: max(1, line.range.upperBound))
        tokens.initialize(repeating: JSONToken(), count: max(1, line.range.upperBound))
        let writer = FieldWriter(mapping, rules: rules, tokens: tokens, token: token, isOfRecord: isOfRecord)
        func plan(_ condition: TopicMapping.Condition) -> ConditionPlan {
            ConditionPlan(condition, token: token(condition.path), texts: writer.texts)
        }
        ofRecord = mapping.conditions.filter { isOfRecord($0.path) }.map(plan)
        self.writer = writer
        ofLine = mapping.conditions.filter { !isOfRecord($0.path) }.map(plan)
    }

    deinit {
        tokens.deallocate()
        buffer.deallocate()
    }

    /// Reads a record and hands over what becomes of it: once, or once a line.
    ///
    /// - Parameters:
    ///   - bytes: JSON in UTF-8; borrowed for the call.
    ///   - take: is given the line's place in its array, counted from 0, and what became of it; nil of a record that has no lines.
    /// - Throws: ``Rejection`` of the record as a whole; nothing was handed over then.
    /// - Complexity: O(bytes), and twice that of the array that `each` names.
    public func map(_ bytes: UnsafeRawBufferPointer, _ take: (_ line: Int?, Outcome) -> Void) throws(Rejection) {
        let reader = try readRecord(bytes)
        mayLackValues = format == .debezium && ChangeReader.mayHoldPlaceholder(reader.bytes)
        for condition in ofRecord where !condition.holds(tokens, reader.bytes) { return take(nil, .leftOut) }
        guard let lines else { return take(nil, outcome(reader, .none)) }
        try mapLines(lines, reader, take)
    }

    /// Reads what stands at the paths of the whole record.
    func readRecord(_ bytes: UnsafeRawBufferPointer) throws(Rejection) -> FieldReader {
        let (start, reader) = try decoder.begin(bytes, maxBytes: maxBytes)
        var scanner = start
        // What is no object is refused as such.
        try decoder.open(&scanner)
        scanner = start
        try record.read(&scanner, depth: 0, reader.bytes, into: tokens)
        try decoder.finish(&scanner)
        return reader
    }

    /// Reads line after line of the record that was read, as long as `one` wants more.
    func forEachLine(_ reader: FieldReader, _ one: (Int) -> Bool) throws(Rejection) {
        guard let lines, case let array = tokens[lines.token], array.isPresent else { return }
        guard array.kind == .array else {
            var scanner = reader.scanner(from: array.kind == .string ? array.start - 1 : array.start, to: reader.bytes.count)
            try line.read(&scanner, depth: 0, reader.bytes, into: tokens)
            _ = one(0)
            return
        }
        var scanner = reader.scanner(from: array.start + 1, to: array.end)
        var first = true, place = 0
        while try scanner.nextElement(first: &first) {
            try line.read(&scanner, depth: 0, reader.bytes, into: tokens)
            guard one(place) else { return }
            place += 1
        }
    }

    private func mapLines(
        _ lines: (token: Int, path: RecordPath, id: Int?), _ reader: FieldReader, _ take: (_ line: Int?, Outcome) -> Void
    ) throws(Rejection) {
        let array = tokens[lines.token]
        guard array.isPresent else {
            throw Rejection(.missingField, field: lines.path.description, "is missing or null; each of its elements is a record (each)")
        }
        try checkCount(of: array, lines.path, reader)
        var written = 0, isEmpty = true, ids = Set<[UInt8]>()
        try forEachLine(reader) { place in
            isEmpty = false
            guard ofLine.allSatisfy({ $0.holds(tokens, reader.bytes) }) else {
                take(place, .leftOut)
                return true
            }
            if let problem = idProblem(of: lines.id.map { tokens[$0] }, reader, &ids) {
                take(place, .refused(problem))
                return true
            }
            let outcome = outcome(reader, lines.id.map { .token(tokens[$0]) } ?? .place(place))
            written += buffer.count
            take(place, written <= Self.growthLimit * decoder.rules.maxRecordBytes ? outcome : .refused(Self.tooMuch))
            return true
        }
        if isEmpty { take(nil, .leftOut) }
    }

    /// Why a line of events can have no id of its own: the record has none, or another line has the same. One that came of the topic's
    /// place, as records without lines get it, would be that of all lines.
    private func idProblem(of own: JSONToken?, _ reader: FieldReader, _ ids: inout Set<[UInt8]>) -> Rejection? {
        guard let plan = writer.plans.first(where: \.isEventID) else { return nil }
        guard writer.value(plan) != nil else {
            return Rejection(
                .missingField, field: "event_id", "is missing, null or empty, and the ids of lines are made of it\(plan.origin)")
        }
        guard let own, own.isPresent, own.count > 0, !ids.insert(Array(reader.slice(own))).inserted else { return nil }
        return Rejection(.outOfRange, field: "event_id", "the line has the id (each.id) of a line before it in the same record")
    }

    /// Before any line is handed over, so that a record with too many is refused as a whole.
    private func checkCount(of array: JSONToken, _ path: RecordPath, _ reader: FieldReader) throws(Rejection) {
        // Each line takes two bytes at least.
        guard array.kind == .array, array.count > Self.linesLimit * 2 else { return }
        var scanner = reader.scanner(from: array.start + 1, to: array.end)
        var first = true, count = 0
        while try scanner.nextElement(first: &first) {
            _ = try scanner.value(depth: 0)
            count += 1
        }
        guard count <= Self.linesLimit else {
            throw Rejection(.tooManyElements, field: path.description, "has \(count) elements; at most \(Self.linesLimit) are read")
        }
    }

    private static let tooMuch = Rejection(
        .tooLarge,
        "what the record becomes up to this line is more than \(growthLimit) times ingest.max_record_bytes: "
            + "map less of the whole record to each line")

    /// The ids of the items or users that a record names, of several lines those of all of them: for deletions, whatever conditions say.
    ///
    /// - Throws: ``Rejection`` where one is missing or is none.
    public func ids(in bytes: UnsafeRawBufferPointer) throws(Rejection) -> [String] {
        let reader = try readRecord(bytes)
        guard lines != nil else { return [try ownID(reader)] }
        var ids: [String] = [], problem: Rejection?
        try forEachLine(reader) { _ in
            do throws(Rejection) { ids.append(try ownID(reader)) } catch { problem = error }
            return problem == nil
        }
        if let problem { throw problem }
        return ids
    }

    private func ownID(_ reader: FieldReader) throws(Rejection) -> String {
        let name = kind == .users ? "user_id" : "item_id"
        // The same id in no space is somebody else.
        if kind == .users, let space = writer.plans.first(where: { $0.name == "id_space" }), !space.places.isEmpty,
            space.otherwise == nil, writer.value(space) == nil
        {
            let detail = "is missing, null or empty, so that it is not known who is deleted"
            throw explained(Rejection(.missingField, field: "id_space", detail))
        }
        var output = buffer
        defer { buffer = output }
        try writer.writeAlone(kind == .users ? [name, "id_space"] : [name], reader, to: &output)
        do throws(Rejection) {
            return try decoder.identifier(name, in: output.bytes).get()
        } catch {
            throw explained(error)
        }
    }

    private func outcome(_ reader: FieldReader, _ line: FieldWriter.LineID) -> Outcome {
        if mayLackValues, let problem = writer.unavailable(reader) { return .refused(problem) }
        // A copy of its own while it is written: the class checks nothing meanwhile.
        var output = buffer
        defer { buffer = output }
        do throws(Rejection) {
            try writer.write(reader, line, to: &output)
            return .record(output.bytes)
        } catch {
            return .refused(error)
        }
    }
}
