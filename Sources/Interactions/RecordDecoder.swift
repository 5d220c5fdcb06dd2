import Bytes

/// Decodes and validates records: bytes in, a value or a ``Rejection`` out. It never traps, whatever the bytes.
///
/// One pass finds the fields that the record type knows and checks the syntax of everything else; then each field is read once.
/// So a syntax error wins over an error in a field, a key that occurs twice counts with its last value, and unknown fields are
/// ignored. A byte order mark at the start is skipped. A null field is an absent one.
public struct RecordDecoder: Sendable {
    /// What is accepted, and how it is read.
    public let rules: DecodingRules
    /// What the canonical names stand for, so that the common case needs no dictionary.
    let impressionType, clickType, addToCartType, purchaseType, returnType: InteractionType

    /// Makes a decoder.
    public init(rules: DecodingRules = DecodingRules()) {
        self.rules = rules
        func meaning(_ type: InteractionType) -> InteractionType { rules.typeNames[type.name] ?? type }
        impressionType = meaning(.impression)
        clickType = meaning(.click)
        addToCartType = meaning(.addToCart)
        purchaseType = meaning(.purchase)
        returnType = meaning(.return)
    }

    /// The byte ranges of the records in a JSON text that is one record or an array of records, as `POST /v1/events` takes them.
    ///
    /// The syntax of the whole text is checked; the records themselves are not decoded.
    ///
    /// - Parameters:
    ///   - maxBytes: The largest text, in bytes.
    ///   - maxRecords: The longest array.
    public func records(
        in bytes: UnsafeRawBufferPointer, maxBytes: Int, maxRecords: Int
    ) -> Result<[Range<Int>], Rejection> {
        Result { () throws(Rejection) -> [Range<Int>] in
            var (scanner, _) = try begin(bytes, maxBytes: maxBytes, extraDepth: 1)
            scanner.skipSpace()
            guard scanner.byte == UInt8(ascii: "[") else {
                let token = try scanner.value(depth: 0)
                try finish(&scanner)
                guard token.kind == .object else {
                    throw Rejection(.notAnObject, "expected an object or an array of objects, found \(token.kind.name)")
                }
                return [token.start..<token.end]
            }
            scanner.at += 1
            var ranges: [Range<Int>] = []
            var first = true
            while try scanner.nextElement(first: &first) {
                guard ranges.count < maxRecords else {
                    throw Rejection(.tooManyElements, "the array holds more than \(maxRecords) records")
                }
                let token = try scanner.value(depth: 1)
                // A string's token stands inside its quotes.
                ranges.append(token.kind == .string ? token.start - 1..<token.end + 1 : token.start..<token.end)
            }
            try finish(&scanner)
            return ranges
        }
    }

    // MARK: Shared by the record types

    /// Checks size and encoding, skips a byte order mark, and stands at the first byte; the reader reads what the scanner finds.
    @inline(__always)
    func begin(
        _ bytes: UnsafeRawBufferPointer, maxBytes: Int, extraDepth: Int = 0
    ) throws(Rejection) -> (JSONScanner, reader: FieldReader) {
        guard bytes.count <= maxBytes else {
            throw Rejection(.tooLarge, "the record has \(bytes.count) bytes; at most \(maxBytes) are allowed")
        }
        guard bytes.count > 0 else { throw Rejection(.malformedJSON, "the record is empty") }
        rules.scanned?.add(bytes.count)
        let survey = TextSurvey.of(bytes)
        guard survey != .invalid else { throw Rejection(.invalidUTF8, "the record is not UTF-8") }
        let text = bytes.assumingMemoryBound(to: UInt8.self)
        let hasMark = survey == .rich && bytes.count >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF
        return (
            JSONScanner(text, from: hasMark ? 3 : 0, to: bytes.count, maxDepth: rules.maxDepth + extraDepth),
            FieldReader(bytes: text, rules: rules, rich: survey == .rich)
        )
    }

    /// Enters the record's object.
    @inline(__always)
    func open(_ scanner: inout JSONScanner) throws(Rejection) {
        scanner.skipSpace()
        guard scanner.byte == UInt8(ascii: "{") else {
            let token = try scanner.value(depth: 0)
            try finish(&scanner)
            throw Rejection(.notAnObject, "the record is \(token.kind.name); it must be an object")
        }
        scanner.at &+= 1
    }

    /// Sees to it that nothing follows.
    @inline(__always)
    func finish(_ scanner: inout JSONScanner) throws(Rejection) {
        scanner.skipSpace()
        guard scanner.at == scanner.end else { throw scanner.malformed("something follows the record") }
    }

    /// Reads a member's value and names the field in the reason when its syntax is wrong.
    @inline(__always)
    func value(_ scanner: inout JSONScanner, _ field: StaticString) throws(Rejection) -> JSONToken {
        do throws(Rejection) {
            return try scanner.value(depth: 1)
        } catch {
            throw Rejection(error.code, field: error.field ?? "\(field)", error.detail)
        }
    }

    /// A key with its escapes resolved, for comparison with the known names.
    @inline(never)
    func unescaped(_ key: JSONToken, _ bytes: UnsafeRawBufferPointer) throws(Rejection) -> String {
        let reader = FieldReader(bytes: bytes.assumingMemoryBound(to: UInt8.self), rules: rules, rich: true)
        do throws(Rejection) {
            return try reader.string(key, .id, "")
        } catch {
            return ""  // A control character: no known name has one.
        }
    }

    /// The time of an event, within the rules' bounds.
    @inline(__always)
    func eventTime(_ token: JSONToken, _ reader: FieldReader, now: EventTime) throws(Rejection) -> EventTime {
        guard let time = try reader.time(token, "timestamp") else {
            throw reader.missing("timestamp", "an RFC 3339 time or milliseconds since 1970")
        }
        guard time >= rules.earliestTime else { throw tooEarly(time, token, field: "timestamp") }
        guard time <= rules.latestTime(at: now) else { throw inFuture(time, field: "timestamp", now: now) }
        return time
    }

    @inline(never)
    private func tooEarly(_ time: EventTime, _ token: JSONToken, field: String) -> Rejection {
        let hint =
            token.kind == .number && abs(time.milliseconds) < 100_000_000_000
            ? "; the number looks like seconds, and milliseconds since 1970 are wanted" : ""
        return Rejection(
            .timeTooEarly, field: field,
            "\(time.rfc3339()) is before \(rules.earliestTime.rfc3339())\(hint)")
    }

    /// `updated_at`, which may not lie further ahead of `now` than an event may: such a record would win over every later one. The same
    /// for the time that Kafka gives a record without one.
    func updateTime(
        _ token: JSONToken, _ reader: FieldReader, _ origin: RecordOrigin, now: EventTime, field: String = "updated_at"
    ) throws(Rejection) -> EventTime? {
        let time = try reader.time(token, field)
        guard !rules.isStored, let dated = time ?? origin.recordTime else { return time }
        guard dated <= rules.latestTime(at: now) else {
            let whose = origin.isTimeOfChange
                ? "the time that the change event states (source.ts_ms, else ts_ms)" : "the record's own time in Kafka"
            let what = time == nil ? "\(whose), which counts where \(field) is missing, is " : ""
            throw inFuture(dated, field: field, what, now: now)
        }
        // Seconds taken for milliseconds would make the record older than every other, and lose it without a word.
        if let time, time < rules.earliestTime, token.kind == .number, time.milliseconds >= 100_000_000 {
            throw tooEarly(time, token, field: field)
        }
        return time
    }

    @inline(never)
    private func inFuture(_ time: EventTime, field: String, _ what: String = "", now: EventTime) -> Rejection {
        Rejection(
            .timeInFuture, field: field,
            "\(what)\(time.rfc3339()), more than \(rules.maxFutureSkewMilliseconds / 1_000) s ahead of \(now.rfc3339())")
    }

    /// The id of an event that came without one: from its place in Kafka, or from its content and line in a file.
    @inline(never)
    func derivedEventID(_ bytes: UnsafeRawBufferPointer, _ origin: RecordOrigin) -> String {
        if origin.cluster.isEmpty {
            var hash = PayloadHash()
            hash.combine(bytes)
            return "file:\(Hexadecimal.text(hash.value)):\(origin.position.offset)"
        }
        return rules.composedID("\(origin.cluster)/\(origin.source)/\(origin.position.partition)/\(origin.position.offset)")
    }
}

extension JSONScanner {
    /// Whether a key without escapes has exactly this name.
    @inline(__always)
    func key(_ key: JSONToken, is name: StaticString) -> Bool {
        guard key.count == name.utf8CodeUnitCount else { return false }
        var wanted: UInt64 = 0
        for index in 0..<min(8, name.utf8CodeUnitCount) {
            wanted |= UInt64(name.utf8Start[index]) &<< UInt64(index &* 8)
        }
        guard leadingWord(key) == wanted else { return false }
        var index = 8
        while index < name.utf8CodeUnitCount {
            guard base[key.start &+ index] == name.utf8Start[index] else { return false }
            index &+= 1
        }
        return true
    }
}
