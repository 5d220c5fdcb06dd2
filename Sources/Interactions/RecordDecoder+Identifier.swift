extension RecordDecoder {
    /// The id under a key of a JSON object: a record's own, or that of a list of ids. It is read as records are: escapes resolved,
    /// whole numbers as their text, in the one spelling of ids; a user's with its `id_space`.
    ///
    /// - Parameters:
    ///   - field: A member of the object itself; one of an object inside is another.
    ///   - bytes: JSON in UTF-8; borrowed for the call.
    /// - Returns: The id, or why there is none: the object is malformed, the member is missing, or it is no id.
    public func identifier(_ field: String, in bytes: UnsafeRawBufferPointer) -> Result<String, Rejection> {
        Result { () throws(Rejection) -> String in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var found = JSONToken(), space = JSONToken()
            try members(&scanner, bytes) { name, token in
                if name == field { found = token } else if name == "id_space" { space = token }
            }
            let id = try reader.requiredID(found, of: Self.subject(of: field), field)
            return field == "user_id" ? try rules.userID(id, in: reader.idSpace(space), field: field) : id
        }
    }

    /// The id that a line of a list of ids holds.
    ///
    /// A line that is a JSON object has it under `field`; a JSON string or number is the id; any other line is the id as it stands,
    /// without the white space around it. An object or a string that is not well-formed is refused: it was meant as JSON.
    ///
    /// - Returns: The id; nil of a line without anything; or what is wrong with it.
    public func identifierLine(_ line: UnsafeRawBufferPointer, field: String) -> Result<String?, Rejection> {
        Result { () throws(Rejection) -> String? in
            let text = Self.trimmed(line)
            guard let first = text.first else { return nil }
            switch first {
            case UInt8(ascii: "{"):
                return try identifier(field, in: text).get()
            case UInt8(ascii: "\""):
                return try scalar(text, field)
            case UInt8(ascii: "["), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                // `[draft]`, `007` and `3D-printer` are no JSON: names as good as any.
                guard isJSON(text) else { return try plain(text, field) }
                return try scalar(text, field)
            default:
                return try plain(text, field)
            }
        }
    }

    /// The names of the members of a JSON object; nil of what is no well-formed object.
    public func memberNames(of bytes: UnsafeRawBufferPointer) -> Set<String>? {
        do throws(Rejection) {
            var (scanner, _) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var names: Set<String> = []
            try members(&scanner, bytes) { name, _ in names.insert(name) }
            return names
        } catch {
            return nil
        }
    }

    /// The id that one JSON value stands for, as a field of a record would hold it; null is none.
    public func id(inJSON bytes: UnsafeRawBufferPointer, field: String) -> Result<String?, Rejection> {
        Result { () throws(Rejection) -> String? in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            let token = try scanner.value(depth: 0)
            try finish(&scanner)
            return token.isPresent ? try reader.requiredID(token, of: Self.subject(of: field), field) : nil
        }
    }

    private func scalar(_ text: UnsafeRawBufferPointer, _ field: String) throws(Rejection) -> String {
        guard let id = try id(inJSON: text, field: field).get() else {
            throw Rejection(.missingField, field: field, "is null; it must be a non-empty string")
        }
        return id
    }

    private func isJSON(_ text: UnsafeRawBufferPointer) -> Bool {
        do throws(Rejection) {
            var (scanner, _) = try begin(text, maxBytes: rules.maxRecordBytes)
            _ = try scanner.value(depth: 0)
            try finish(&scanner)
            return true
        } catch {
            return false
        }
    }

    private func plain(_ text: UnsafeRawBufferPointer, _ field: String) throws(Rejection) -> String {
        guard TextSurvey.of(text) != .invalid else { throw Rejection(.invalidUTF8, field: field, "is not UTF-8") }
        let quoted = Array(JSONText.quoted(String(decoding: text, as: UTF8.self)).utf8)
        do throws(Rejection) {
            return try quoted.withUnsafeBytes { bytes in Result { () throws(Rejection) in try scalar(bytes, field) } }.get()
        } catch {
            // Of a line that goes on for ever, the size says it.
            throw error.code == .tooLarge ? Rejection(.tooLarge, field: field, "is longer than \(rules.maxIDBytes) bytes") : error
        }
    }

    static func subject(of field: String) -> IDSubject { field == "user_id" ? .user : .thing }

    private static func trimmed(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var rest = line[...]
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }
}
