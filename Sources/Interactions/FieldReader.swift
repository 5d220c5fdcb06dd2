/// Turns the tokens of one record into values, or says which field is wrong and what would be right.
///
/// The bytes are borrowed: the reader must not outlive them.
struct FieldReader {
    let bytes: UnsafeBufferPointer<UInt8>
    let rules: DecodingRules
    /// Strings may hold control characters even where they have no escapes.
    let rich: Bool

    /// How a string treats control characters (U+0000–001F, U+007F–009F).
    enum StringUse {
        /// Ids: none are allowed.
        case id
        /// Words for people: each becomes a space, except that U+0000 is refused.
        case text
    }

    func slice(_ token: JSONToken) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[token.start..<token.end])
    }

    func scanner(from start: Int, to end: Int) -> JSONScanner {
        rules.scanned?.add(end - start)
        // The text was checked when it was found, nesting included.
        return JSONScanner(bytes, from: start, to: end, maxDepth: DecodingRules.deepestAllowed)
    }

    // MARK: Strings

    /// An optional id: null, absent and empty give nil; a whole number gives its text, with every digit.
    @inline(__always)
    func id(
        _ token: JSONToken, of subject: IDSubject = .thing, _ field: @autoclosure () -> String
    ) throws(Rejection) -> String? {
        guard token.isPresent, token.count > 0 else { return nil }
        if token.kind == .string, token.traits.isEmpty, !rich, token.count <= rules.maxIDBytes {
            return String(decoding: slice(token), as: UTF8.self)
        }
        return try unusualID(token, subject, field())
    }

    @inline(never)
    private func unusualID(_ token: JSONToken, _ subject: IDSubject, _ field: String) throws(Rejection) -> String? {
        let text: String
        switch token.kind {
        case .string:
            text = try string(token, .id, field)
        case .number:
            guard let whole = Self.wholeNumber(slice(token)) else {
                throw Rejection(.wrongType, field: field, "must be a string or a whole number written with all its digits")
            }
            text = whole
        default:
            throw wrongType(token, field, "a string")
        }
        return try rules.id(text, of: subject, field: field)
    }

    /// The digits of a number that is written as an integer, or as one with a fraction of zeros (`42.0`); nil for any other.
    static func wholeNumber(_ number: UnsafeBufferPointer<UInt8>) -> String? {
        let point = number.firstIndex(of: UInt8(ascii: ".")) ?? number.endIndex
        guard number[..<point].allSatisfy({ $0 == UInt8(ascii: "-") || $0 &- UInt8(ascii: "0") < 10 }),
            number[point...].dropFirst().allSatisfy({ $0 == UInt8(ascii: "0") })
        else { return nil }
        return String(decoding: number[..<point], as: UTF8.self)
    }

    /// An id that must be there.
    @inline(__always)
    func requiredID(
        _ token: JSONToken, of subject: IDSubject = .thing, _ field: @autoclosure () -> String
    ) throws(Rejection) -> String {
        guard let text = try id(token, of: subject, field()) else { throw missing(field(), "a non-empty string") }
        return text
    }

    /// Words for people, in the rules' normal form: null, absent and empty give nil; a number is taken as it is written.
    func text(_ token: JSONToken, _ field: String) throws(Rejection) -> String? {
        guard token.isPresent else { return nil }
        guard token.kind == .string || token.kind == .number else { throw wrongType(token, field, "a string") }
        return try words(token, field, maxBytes: rules.maxTextBytes)
    }

    private func words(_ token: JSONToken, _ field: String, maxBytes: Int) throws(Rejection) -> String? {
        let written = token.kind == .number ? String(decoding: slice(token), as: UTF8.self) : try string(token, .text, field)
        let text = rules.idForm?.of(written) ?? written
        guard text.utf8.count <= maxBytes else { throw Rejection(.tooLarge, field: field, "is longer than \(maxBytes) bytes") }
        return text.isEmpty ? nil : text
    }

    /// A string with its escapes resolved.
    func string(_ token: JSONToken, _ use: StringUse, _ field: String) throws(Rejection) -> String {
        if !rich, !token.traits.contains(.escaped) { return String(decoding: slice(token), as: UTF8.self) }
        var result: [UInt8] = []
        result.reserveCapacity(token.count)
        var scanner = scanner(from: token.start, to: token.end)
        while true {
            // Runs without anything special are copied whole. The C1 controls are C2 80 to C2 9F in UTF-8.
            let run = scanner.at
            while scanner.at < token.end, !Self.mayBeSpecial(bytes[scanner.at]) { scanner.at += 1 }
            result.append(contentsOf: bytes[run..<scanner.at])
            guard scanner.at < token.end else { break }
            let byte = bytes[scanner.at]
            var scalar = UInt32(byte)
            if byte == UInt8(ascii: "\\") {
                scalar = try scanner.escape()
            } else {
                scanner.at += 1
                if byte == 0xC2 {
                    scalar = UInt32(bytes[scanner.at])  // U+0080–00BF: the scalar is the second byte.
                    scanner.at += 1
                }
            }
            if scalar < 0x20 || (0x7F..<0xA0).contains(scalar) {
                if use == .id, rules.isStored {
                    result.append(contentsOf: UTF8.encode(Unicode.Scalar(UInt8(scalar)))!)
                    continue
                }
                guard use == .text, scalar != 0 else { throw Self.controlCharacter(scalar, field) }
                result.append(UInt8(ascii: " "))
            } else if let scalar = Unicode.Scalar(scalar) {
                result.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    @inline(__always)
    private static func mayBeSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == 0x7F || byte == 0xC2
    }

    static func controlCharacter(_ scalar: UInt32, _ field: String) -> Rejection {
        let digits = String(scalar, radix: 16, uppercase: true)
        let code = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        return Rejection(.controlCharacter, field: field, "holds the control character U+\(code)")
    }

    /// A list of labels: an array of strings or numbers, or one alone; empty and repeated ones are dropped.
    func labels(_ token: JSONToken, _ field: String) throws(Rejection) -> [String] {
        try list(token, field) { (token, field) throws(Rejection) in try label(token, field) }
    }

    /// A list of ids, as ``labels(_:_:)`` but without control characters.
    func ids(_ token: JSONToken, of subject: IDSubject, _ field: String) throws(Rejection) -> [String] {
        try list(token, field) { (token, field) throws(Rejection) in try id(token, of: subject, field) }
    }

    private func list(
        _ token: JSONToken, _ field: String, _ read: (JSONToken, String) throws(Rejection) -> String?
    ) throws(Rejection) -> [String] {
        guard token.isPresent else { return [] }
        guard token.kind == .array else {
            guard token.kind == .string || token.kind == .number else { throw wrongType(token, field, "an array of strings") }
            return try read(token, field).map { [$0] } ?? []
        }
        var result: [String] = []
        var seen: Set<String> = []
        var scanner = scanner(from: token.start + 1, to: token.end)
        var first = true
        var count = 0
        while try scanner.nextElement(first: &first) {
            let element = try scanner.value(depth: 0)
            guard count < rules.maxTags else {
                throw Rejection(.tooManyElements, field: field, "lists more than \(rules.maxTags)")
            }
            if let text = try read(element, "\(field)[\(count)]"), seen.insert(text).inserted { result.append(text) }
            count += 1
        }
        return result
    }

    private func label(_ token: JSONToken, _ field: String) throws(Rejection) -> String? {
        switch token.kind {
        case .string: return try words(token, field, maxBytes: rules.maxIDBytes)
        case .number:
            if let whole = Self.wholeNumber(slice(token)) { return whole }
            return try words(token, field, maxBytes: rules.maxIDBytes)
        case .absent, .null: return nil
        default: throw wrongType(token, field, "a string")
        }
    }

    // MARK: Numbers

    /// The number as the decimal that was written.
    func decimal(_ token: JSONToken, _ field: String) throws(Rejection) -> ExactDecimal {
        guard token.kind == .number else { throw wrongType(token, field, "a number") }
        guard let decimal = ExactDecimal(slice(token)) else {
            throw Rejection(
                .outOfRange, field: field, "has more than \(ExactDecimal.maxSignificantDigits) significant digits")
        }
        return decimal
    }

    /// An optional whole number within bounds.
    func integer(_ token: JSONToken, _ field: String, in range: ClosedRange<Int32>) throws(Rejection) -> Int32? {
        guard token.isPresent else { return nil }
        let decimal = try decimal(token, field)
        guard decimal.isWhole else { throw Rejection(.wrongType, field: field, "must be a whole number") }
        guard let value = decimal.integer, let small = Int32(exactly: value), range.contains(small) else {
            throw Rejection(
                .outOfRange, field: field, "must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return small
    }

    /// An amount of money that is not negative.
    func money(_ token: JSONToken, _ field: String) throws(Rejection) -> ExactDecimal {
        let decimal = try decimal(token, field)
        guard !decimal.negative else { throw Rejection(.outOfRange, field: field, "is negative") }
        return decimal
    }

    /// Millionths of the unit, rounded half away from zero.
    func micros(_ decimal: ExactDecimal, _ field: String) throws(Rejection) -> Int64 {
        guard let micros = decimal.magnitude(times: 1, shift: 6) else {
            throw Rejection(.outOfRange, field: field, "is too large: at most 9223372036854.775807")
        }
        return micros
    }

    /// An ISO 4217 code in upper case.
    func currency(_ token: JSONToken, _ field: String) throws(Rejection) -> String? {
        guard token.isPresent, token.count > 0 else { return nil }
        guard token.kind == .string else { throw wrongType(token, field, "a string") }
        guard let code = Currency.normalized(slice(token)) else {
            if rules.isStored { return try string(token, .text, field) }
            throw Rejection(.outOfRange, field: field, "must be the three letters of an ISO 4217 code, such as EUR")
        }
        return code
    }

    func boolean(_ token: JSONToken, _ field: String) throws(Rejection) -> Bool {
        guard token.isPresent else { return false }
        guard token.kind == .yes || token.kind == .no else { throw wrongType(token, field, "true or false") }
        return token.kind == .yes
    }

    // MARK: Objects and vectors

    /// A JSON object that PostgreSQL's `jsonb` accepts, in the spelling of ``CanonicalJSON``; null, absent and `{}` give nil.
    func object(_ token: JSONToken, _ field: String) throws(Rejection) -> String? {
        guard token.isPresent else { return nil }
        guard token.kind == .object else { throw wrongType(token, field, "an object") }
        if token.traits.contains(.nul) {
            throw Rejection(.controlCharacter, field: field, "holds the character U+0000")
        }
        if token.traits.contains(.extremeNumber), !rules.isStored {
            throw Rejection(
                .outOfRange, field: field, "holds a number with more than 40 digits or an exponent beyond 300")
        }
        let text = CanonicalJSON(bytes: bytes, form: rules.idForm, scanned: rules.scanned).object(token)
        guard text.utf8.count <= rules.maxContextBytes else {
            throw Rejection(.tooLarge, field: field, "is larger than \(rules.maxContextBytes) bytes")
        }
        return text.utf8.count == 2 ? nil : text
    }

    /// A list of finite numbers; null, absent and empty give nil.
    func vector(_ token: JSONToken, _ field: String) throws(Rejection) -> [Float]? {
        guard token.isPresent else { return nil }
        guard token.kind == .array else { throw wrongType(token, field, "an array of numbers") }
        var result: [Float] = []
        var scanner = scanner(from: token.start + 1, to: token.end)
        var first = true
        while try scanner.nextElement(first: &first) {
            let element = try scanner.value(depth: 0)
            let name = "\(field)[\(result.count)]"
            guard result.count < rules.maxEmbeddingDimension else {
                throw Rejection(.tooManyElements, field: field, "has more than \(rules.maxEmbeddingDimension) numbers")
            }
            guard element.kind == .number else { throw wrongType(element, name, "a number") }
            guard let value = Float(String(decoding: slice(element), as: UTF8.self)), value.isFinite else {
                throw Rejection(.outOfRange, field: name, "does not fit a 32-bit float")
            }
            result.append(value)
        }
        return result.isEmpty ? nil : result
    }

    // MARK: Reasons

    @inline(never)
    func missing(_ field: String, _ wanted: String) -> Rejection {
        Rejection(.missingField, field: field, "is missing or empty; it must be \(wanted)")
    }

    @inline(never)
    func wrongType(_ token: JSONToken, _ field: String, _ wanted: String) -> Rejection {
        Rejection(.wrongType, field: field, "is \(token.kind.name); it must be \(wanted)")
    }
}
