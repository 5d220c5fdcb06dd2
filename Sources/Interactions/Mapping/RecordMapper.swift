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

    /// What the topic holds.
    public let kind: MappedKind
    let decoder: RecordDecoder
    private let record: PathTree
    private let line: PathTree
    let lines: (token: Int, path: RecordPath, id: Int?)?
    private let conditions: [ConditionPlan]
    let plans: [FieldPlan]
    /// Members of `context` or `attributes`, and the object's name.
    let members: [FieldPlan]
    private let objectOpening: [UInt8]
    private let currency: FieldPlan?
    let userPlans: [FieldPlan]
    let timePlan: FieldPlan?
    private let tokens: UnsafeMutablePointer<JSONToken>
    private var buffer = RecordBuffer()
    private var lineID: LineID = .none

    /// What the id of a line's event ends with.
    enum LineID {
        case none
        case place(Int)
        case token(JSONToken)
    }

    /// Makes ready what a mapping says.
    public init(_ mapping: TopicMapping, rules: DecodingRules) {
        kind = mapping.kind
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
        conditions = mapping.conditions.map { ConditionPlan($0, token: token($0.path), isOfRecord: isOfRecord($0.path)) }
        plans = mapping.kind.fields.compactMap { field in
            mapping.fields[field.name].map { FieldPlan(field.name, $0, takes: field.takes, token: token, isOfRecord: isOfRecord) }
        }
        let beginning = mapping.kind.object + "."
        members = mapping.fields.filter { $0.key.hasPrefix(beginning) }.sorted { $0.key < $1.key }.map {
            FieldPlan(String($0.key.dropFirst(beginning.count)), $0.value, takes: .other, token: token, isOfRecord: isOfRecord)
        }
        objectOpening = Array((JSONText.quoted(mapping.kind.object) + ":").utf8)
        currency = plans.first { $0.name == "currency" }
        userPlans = plans.filter { $0.name == "user_id" || $0.name == "session_id" }
        timePlan = mapping.kind == .events ? plans.first { $0.name == "timestamp" } : nil
        tokens = .allocate(capacity: max(1, line.range.upperBound))
        tokens.initialize(repeating: JSONToken(), count: max(1, line.range.upperBound))
    }

    deinit { tokens.deallocate() }

    /// Reads a record and hands over what becomes of it: once, or once a line.
    ///
    /// - Parameters:
    ///   - bytes: JSON in UTF-8; borrowed for the call.
    ///   - take: is given the line's place in its array, counted from 0, and what became of it; nil of a record that has no lines.
    /// - Throws: ``Rejection`` of the record as a whole; nothing was handed over then.
    /// - Complexity: O(bytes), and twice that of the array that `each` names.
    public func map(_ bytes: UnsafeRawBufferPointer, _ take: (_ line: Int?, Outcome) -> Void) throws(Rejection) {
        let reader = try readRecord(bytes)
        guard conditions.allSatisfy({ !$0.isOfRecord || $0.holds(tokens[$0.token], reader.bytes) }) else { return take(nil, .leftOut) }
        guard let lines else {
            lineID = .none
            return take(nil, outcome(reader))
        }
        try mapLines(lines, reader, take)
    }

    /// Reads what stands at the paths of the whole record.
    func readRecord(_ bytes: UnsafeRawBufferPointer) throws(Rejection) -> FieldReader {
        let (start, reader) = try decoder.begin(bytes, maxBytes: decoder.rules.maxRecordBytes)
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
        var written = 0, isEmpty = true
        try forEachLine(reader) { place in
            isEmpty = false
            guard conditions.allSatisfy({ $0.isOfRecord || $0.holds(tokens[$0.token], reader.bytes) }) else {
                take(place, .leftOut)
                return true
            }
            lineID = lines.id.map { .token(tokens[$0]) } ?? .place(place)
            let outcome = outcome(reader)
            written += buffer.count
            take(place, written <= Self.growthLimit * decoder.rules.maxRecordBytes ? outcome : .refused(Self.tooMuch))
            return true
        }
        if isEmpty { take(nil, .leftOut) }
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

    // MARK: One record of Freshet's own

    private func outcome(_ reader: FieldReader) -> Outcome {
        do throws(Rejection) {
            buffer.clear()
            buffer.append(UInt8(ascii: "{"))
            for plan in plans { try field(plan, reader) }
            if !members.isEmpty { try object(reader) }
            buffer.append(UInt8(ascii: "}"))
            return .record(buffer.bytes)
        } catch {
            return .refused(error)
        }
    }

    private func object(_ reader: FieldReader) throws(Rejection) {
        let before = buffer.count
        if before > 1 { buffer.append(UInt8(ascii: ",")) }
        buffer.append(objectOpening)
        let opening = buffer.count
        buffer.append(UInt8(ascii: "{"))
        for plan in members { try field(plan, reader, after: opening) }
        guard buffer.count > opening + 1 else { return buffer.cut(to: before) }
        buffer.append(UInt8(ascii: "}"))
    }

    /// Writes a field, or nothing where there is neither a value nor one instead.
    ///
    /// - Parameter opening: where the brace stands behind which no comma is wanted.
    private func field(_ plan: FieldPlan, _ reader: FieldReader, after opening: Int = 0) throws(Rejection) {
        let before = buffer.count
        if before > opening + 1 { buffer.append(UInt8(ascii: ",")) }
        buffer.append(plan.opening)
        if let token = value(plan) {
            if lines != nil, plan.isEventID { return try lineEvent(plan, token, reader) }
            guard !plan.isPlain else { return copy(token, reader) }
            try convert(plan, token, reader)
        } else if let json = plan.otherwise {
            buffer.append(json)
        } else {
            buffer.cut(to: before)
        }
    }

    /// The first value of a field's paths.
    @inline(__always)
    func value(_ plan: FieldPlan) -> JSONToken? {
        for place in plan.places {
            let token = tokens[place.token]
            if token.isPresent, token.count > 0 { return token }
        }
        return nil
    }

    /// The value as it stands.
    private func copy(_ token: JSONToken, _ reader: FieldReader) {
        guard let base = reader.bytes.baseAddress else { return }
        let quote = token.kind == .string ? 1 : 0
        buffer.append(base + token.start - quote, token.count + 2 * quote)
    }

    private func copy(_ slice: UnsafeBufferPointer<UInt8>) {
        if let base = slice.baseAddress { buffer.append(base, slice.count) }
    }

    /// The id of a line's event: that of its record, and the line's.
    private func lineEvent(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader) throws(Rejection) {
        let own: String
        switch lineID {
        case .none: own = ""
        case .place(let place): own = String(place)
        case .token(let token):
            guard token.isPresent, token.count > 0, let text = try plainID(token, reader, "each.id") else {
                throw Rejection(.missingField, field: "event_id", "the line has no id of its own, which each.id names")
            }
            own = text
        }
        guard let text = try plainID(token, reader, plan.name) else { return copy(token, reader) }
        let prefix = String(decoding: plan.prefix, as: UTF8.self)
        buffer.append(Array(JSONText.quoted(decoder.rules.composedID("\(prefix)\(text)/\(own)")).utf8))
    }

    /// An id as text; nil of what is none, which the decoder refuses.
    func plainID(_ token: JSONToken, _ reader: FieldReader, _ field: String) throws(Rejection) -> String? {
        switch token.kind {
        case .string: try reader.string(token, .id, field)
        case .number: FieldReader.wholeNumber(reader.slice(token))
        default: nil
        }
    }

    // MARK: Values that are written otherwise

    private func convert(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader) throws(Rejection) {
        if let words = plan.words { return try word(plan, words, token, reader) }
        switch plan.takes {
        case .id: prefixed(plan, token, reader)
        case .time: try time(plan, token, reader)
        case .money where plan.isInMinorUnits: try minorUnits(plan, token, reader)
        case .money, .number: unquoted(token, reader) { JSONNumber.isWritten($0) }
        case .boolean: unquoted(token, reader) { $0.elementsEqual("true".utf8) || $0.elementsEqual("false".utf8) }
        case .word, .object, .other: copy(token, reader)
        }
    }

    private func word(
        _ plan: FieldPlan, _ words: [(text: [UInt8], json: [UInt8])], _ token: JSONToken, _ reader: FieldReader
    ) throws(Rejection) {
        if let found = words.first(where: { TokenText.isEqual(token, $0.text, reader.bytes) }) { return buffer.append(found.json) }
        let shown = JSONText.scalar(token, reader.bytes).map { JSONText.quoted(String($0.prefix(64))) } ?? token.kind.name
        throw Rejection(
            plan.name == "type" ? .unknownType : .outOfRange, field: plan.name,
            "\(shown) is not one of \(words.prefix(20).map { String(decoding: $0.text, as: UTF8.self) }.joined(separator: ", ")), "
                + "which the mapping knows\(plan.origin)")
    }

    private func prefixed(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader) {
        let text = reader.slice(token)
        guard token.kind == .string || token.kind == .number && FieldReader.wholeNumber(text) != nil else { return copy(token, reader) }
        buffer.append(UInt8(ascii: "\""))
        buffer.append(plan.prefix)
        if token.kind == .string { copy(text) } else { buffer.append(Array((FieldReader.wholeNumber(text) ?? "").utf8)) }
        buffer.append(UInt8(ascii: "\""))
    }

    /// A number or a truth in quotes without them, where it is one; all else as it stands, for the decoder to refuse.
    private func unquoted(_ token: JSONToken, _ reader: FieldReader, _ isOne: (UnsafeBufferPointer<UInt8>) -> Bool) {
        let text = reader.slice(token)
        if token.kind == .string, isOne(text) { copy(text) } else { copy(token, reader) }
    }

    private func time(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader) throws(Rejection) {
        let text = reader.slice(token)
        if let unit = plan.unit, unit != .rfc3339 {
            guard token.kind == .number || token.kind == .string && JSONNumber.isWritten(text),
                let milliseconds = JSONNumber.scaled(text, unit)
            else { throw refusal(plan, token, "must be a number of \(unit.rawValue) since 1970 (unit)") }
            guard (EventTime.earliestWritable...EventTime.latestWritable).contains(EventTime(milliseconds: milliseconds)) else {
                throw Rejection(
                    .outOfRange, field: plan.name,
                    "\(String(decoding: text, as: UTF8.self)) \(unit.rawValue) since 1970 is outside the years 0000 to 9999: is the unit "
                        + "another one?\(plan.origin)")
            }
            return buffer.append(number: milliseconds)
        }
        guard token.kind == .string else {
            guard plan.unit == nil else { throw refusal(plan, token, "must be RFC 3339 text (unit)") }
            return copy(token, reader)
        }
        guard let zone = plan.zone else { return copy(token, reader) }
        guard let time = zone.time(of: try reader.string(token, .id, plan.name)) else {
            throw Rejection(
                .wrongType, field: plan.name,
                "is no date with a time of day, such as 2026-11-21T08:00:00, and no RFC 3339 time either\(plan.origin)")
        }
        buffer.append(number: time.milliseconds)
    }

    private func refusal(_ plan: FieldPlan, _ token: JSONToken, _ wanted: String) -> Rejection {
        Rejection(.wrongType, field: plan.name, "is \(token.kind.name); it \(wanted)\(plan.origin)")
    }

    /// An amount of cents as one of the currency.
    private func minorUnits(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader) throws(Rejection) {
        let text = reader.slice(token)
        guard token.kind == .number || token.kind == .string && JSONNumber.isWritten(text), let whole = JSONNumber.whole(text) else {
            throw refusal(plan, token, "must be a whole number of the currency's minor units (minor_units)")
        }
        let digits = Currency.minorUnitDigits(currencyCode(reader))
        if whole < 0 { buffer.append(UInt8(ascii: "-")) }
        buffer.append(Array(ExactDecimal.text(units: UInt128(whole.magnitude), digits: digits).utf8))
    }

    /// The currency that the record will have; one that is none is refused by the decoder.
    private func currencyCode(_ reader: FieldReader) -> String {
        guard let currency else { return decoder.rules.defaultCurrency }
        let json: [UInt8]
        if let token = value(currency) {
            guard let words = currency.words else { return Currency.normalized(reader.slice(token)) ?? decoder.rules.defaultCurrency }
            json = words.first { TokenText.isEqual(token, $0.text, reader.bytes) }?.json ?? []
        } else {
            json = currency.otherwise ?? []
        }
        // JSON text in quotes.
        return json.dropFirst().dropLast().withUnsafeBufferPointer { Currency.normalized($0) } ?? decoder.rules.defaultCurrency
    }
}
