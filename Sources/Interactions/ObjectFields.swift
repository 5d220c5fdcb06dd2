/// The fields of one JSON object that is no record, such as the body of a request, read by the rules that records are read by:
/// ids may be whole numbers, of which every digit is kept, and null is the same as absent.
///
/// The bytes are borrowed: it must not outlive the call that lends it.
public struct ObjectFields {
    private let reader: FieldReader
    private let tokens: [String: JSONToken]
    /// The names of the fields, each once, in no order.
    public var names: some Sequence<String> { tokens.keys }

    init(reader: FieldReader, tokens: [String: JSONToken]) {
        self.reader = reader
        self.tokens = tokens
    }

    /// An id, or nil where there is none. An empty one is refused.
    public func id(_ name: String) throws(Rejection) -> String? {
        guard let token = present(name) else { return nil }
        return try reader.requiredID(token, name)
    }

    /// A list of ids in their order, repeats included, or nil where there is none.
    ///
    /// - Parameter limit: a longer list is refused.
    public func ids(_ name: String, limit: Int) throws(Rejection) -> [String]? {
        guard let token = present(name) else { return nil }
        guard token.kind == .array else { throw reader.wrongType(token, name, "an array of ids") }
        var result: [String] = []
        var scanner = reader.scanner(from: token.start + 1, to: token.end)
        var first = true
        while try scanner.nextElement(first: &first) {
            let element = try scanner.value(depth: 0)
            guard result.count < limit else { throw Rejection(.tooManyElements, field: name, "lists more than \(limit) ids") }
            result.append(try reader.requiredID(element, "\(name)[\(result.count)]"))
        }
        return result
    }

    /// Text without control characters, or nil where there is none.
    public func text(_ name: String) throws(Rejection) -> String? {
        guard let token = present(name) else { return nil }
        guard token.kind == .string else { throw reader.wrongType(token, name, "a string") }
        return try reader.string(token, .id, name)
    }

    /// A whole number within bounds, or nil where there is none.
    public func integer(_ name: String, in range: ClosedRange<Int32>) throws(Rejection) -> Int32? {
        guard let token = present(name) else { return nil }
        return try reader.integer(token, name, in: range)
    }

    /// True or false, or nil where there is none.
    public func boolean(_ name: String) throws(Rejection) -> Bool? {
        guard let token = present(name) else { return nil }
        return try reader.boolean(token, name)
    }

    /// An object of strings, numbers and booleans, each as the text that ``JSONText`` gives it, or nil where there is none.
    ///
    /// - Parameter limit: an object with more entries is refused.
    public func scalars(_ name: String, limit: Int) throws(Rejection) -> [String: String]? {
        guard let token = present(name) else { return nil }
        guard token.kind == .object else { throw reader.wrongType(token, name, "an object") }
        var result: [String: String] = [:]
        for (key, value) in try members(token, name, limit) where value.isPresent {
            guard value.kind != .array, value.kind != .object, let text = JSONText.scalar(value, reader.bytes) else {
                throw reader.wrongType(value, "\(name).\(key)", "a string, a number or a boolean")
            }
            result[key] = text
        }
        return result
    }

    /// An object of numbers, or nil where there is none.
    ///
    /// - Parameter limit: an object with more entries is refused.
    public func numbers(_ name: String, limit: Int) throws(Rejection) -> [String: Double]? {
        guard let token = present(name) else { return nil }
        guard token.kind == .object else { throw reader.wrongType(token, name, "an object of numbers") }
        var result: [String: Double] = [:]
        for (key, value) in try members(token, name, limit) where value.isPresent {
            guard value.kind == .number, let number = Double(String(decoding: reader.slice(value), as: UTF8.self)) else {
                throw reader.wrongType(value, "\(name).\(key)", "a number")
            }
            result[key] = number
        }
        return result
    }

    private func present(_ name: String) -> JSONToken? {
        guard let token = tokens[name], token.isPresent else { return nil }
        return token
    }

    private func members(_ token: JSONToken, _ field: String, _ limit: Int) throws(Rejection) -> [String: JSONToken] {
        var scanner = reader.scanner(from: token.start + 1, to: token.end)
        var result: [String: JSONToken] = [:]
        var first = true
        while let key = try scanner.nextKey(first: &first) {
            guard result.count < limit else { throw Rejection(.tooManyElements, field: field, "has more than \(limit) entries") }
            let name = try reader.string(key, .text, field)
            result[name] = try scanner.value(depth: 0)
        }
        return result
    }
}

extension RecordDecoder {
    /// Reads a JSON object that is no record: `read` gets its fields.
    ///
    /// - Parameter maxBytes: a larger text is refused.
    /// - Returns: what `read` returned, or what was wrong: with a field where one was at fault, without where the text as a whole was.
    public func object<Value>(
        _ bytes: UnsafeRawBufferPointer, maxBytes: Int, _ read: (ObjectFields) throws(Rejection) -> Value
    ) -> Result<Value, Rejection> {
        Result { () throws(Rejection) -> Value in
            let fields: ObjectFields
            do throws(Rejection) {
                var (scanner, reader) = try begin(bytes, maxBytes: maxBytes)
                var tokens: [String: JSONToken] = [:]
                try members(&scanner, bytes) { name, token in tokens[name] = token }
                fields = ObjectFields(reader: reader, tokens: tokens)
            } catch {
                throw Rejection(error.code, error.detail)
            }
            return try read(fields)
        }
    }

    /// The id that an event without one would get at this place in Kafka.
    public func derivedEventID(at origin: RecordOrigin) -> String { derivedEventID(UnsafeRawBufferPointer(start: nil, count: 0), origin) }
}
