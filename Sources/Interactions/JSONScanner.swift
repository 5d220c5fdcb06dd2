/// A JSON value found in a record: what it is and where it stands. Nothing is copied.
struct JSONToken {
    enum Kind: UInt8 {
        case absent, null, no, yes, number, string, array, object

        /// The name for a person.
        var name: String {
            switch self {
            case .absent: "nothing"
            case .null: "null"
            case .no, .yes: "a boolean"
            case .number: "a number"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        }
    }

    /// What was met inside the value.
    struct Traits: OptionSet {
        var rawValue: UInt8
        /// A string has escapes.
        static let escaped = Traits(rawValue: 1)
        /// A string holds `\u0000`, which PostgreSQL refuses.
        static let nul = Traits(rawValue: 2)
        /// A number has more than 40 digits or an exponent beyond ±300.
        static let extremeNumber = Traits(rawValue: 4)
        /// There is white space between values.
        static let spaced = Traits(rawValue: 8)
    }

    var kind: Kind = .absent
    var traits: Traits = []
    /// The first byte; of a string, the one after its quote.
    var start = 0
    /// One past the last byte; of a string, its closing quote.
    var end = 0

    /// Whether there is a value other than null.
    var isPresent: Bool { kind.rawValue > Kind.null.rawValue }
    var count: Int { end &- start }
}

/// Reads JSON (RFC 8259) once from left to right and checks all of it, also what nobody asks for.
///
/// The bytes must be valid UTF-8; see ``TextSurvey``. They are borrowed: the scanner must not outlive them.
struct JSONScanner {
    let base: UnsafePointer<UInt8>
    let end: Int
    let maxDepth: Int
    var at: Int
    var traits: JSONToken.Traits = []

    init(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, maxDepth: Int) {
        precondition(start >= 0 && start <= end && end <= bytes.count && bytes.baseAddress != nil)
        base = bytes.baseAddress!
        self.end = end
        at = start
        self.maxDepth = maxDepth
    }

    @inline(__always)
    mutating func skipSpace() {
        while at < end {
            let byte = base[at]
            if byte > 0x20 { return }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            traits.insert(.spaced)
            at &+= 1
        }
    }

    /// The byte at hand, or 0 at the end.
    @inline(__always)
    var byte: UInt8 { at < end ? base[at] : 0 }

    // MARK: Objects and arrays, pulled

    /// After an opening brace (`first`) or after a member's value: the next key, or nil past the closing brace.
    @inline(__always)
    mutating func nextKey(first: inout Bool) throws(Rejection) -> JSONToken? {
        skipSpace()
        if byte == UInt8(ascii: "}") {
            at &+= 1
            return nil
        }
        if first {
            first = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw malformed("expected ',' or '}'") }
            at &+= 1
            skipSpace()
        }
        guard byte == UInt8(ascii: "\"") else { throw malformed("expected a key in quotes") }
        let key = try string()
        skipSpace()
        guard byte == UInt8(ascii: ":") else { throw malformed("expected ':' after a key") }
        at &+= 1
        return key
    }

    /// After an opening bracket (`first`) or after an element: true at the next element, false past the closing bracket.
    @inline(__always)
    mutating func nextElement(first: inout Bool) throws(Rejection) -> Bool {
        skipSpace()
        if byte == UInt8(ascii: "]") {
            at &+= 1
            return false
        }
        if first {
            first = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw malformed("expected ',' or ']'") }
            at &+= 1
        }
        return true
    }

    // MARK: Values

    /// Reads any value, checks it whole, and says where it stands.
    ///
    /// - Parameter depth: How many objects and arrays it stands in.
    mutating func value(depth: Int) throws(Rejection) -> JSONToken {
        skipSpace()
        switch byte {
        case UInt8(ascii: "\""):
            return try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return try container(depth: depth)
        case UInt8(ascii: "t"): return try word("true", .yes)
        case UInt8(ascii: "f"): return try word("false", .no)
        case UInt8(ascii: "n"): return try word("null", .null)
        default:
            throw malformed(at < end ? "expected a value" : "the record ends where a value should begin")
        }
    }

    /// Reads an object or an array and gathers its traits.
    private mutating func container(depth: Int) throws(Rejection) -> JSONToken {
        guard depth < maxDepth else { throw tooDeep }
        let outer = traits
        traits = []
        let start = at
        let isObject = byte == UInt8(ascii: "{")
        at &+= 1
        var first = true
        if isObject {
            while try nextKey(first: &first) != nil { _ = try value(depth: depth &+ 1) }
        } else {
            while try nextElement(first: &first) { _ = try value(depth: depth &+ 1) }
        }
        let token = JSONToken(kind: isObject ? .object : .array, traits: traits, start: start, end: at)
        traits.formUnion(outer)
        return token
    }

    private mutating func word(_ text: StaticString, _ kind: JSONToken.Kind) throws(Rejection) -> JSONToken {
        let count = text.utf8CodeUnitCount
        guard at &+ count <= end else { throw malformed("expected \(text)") }
        for index in 0..<count where base[at &+ index] != text.utf8Start[index] {
            throw malformed("expected \(text)")
        }
        at &+= count
        return JSONToken(kind: kind, traits: [], start: at &- count, end: at)
    }

    /// Reads a string from its opening quote: eight bytes a step up to the next quote, backslash or control character.
    @inline(__always)
    mutating func string() throws(Rejection) -> JSONToken {
        let start = at &+ 1
        var index = start
        var own: JSONToken.Traits = []
        while true {
            while index &+ 8 <= end {
                let word = UInt64(
                    littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let stops = Self.stops(word)
                if stops != 0 {
                    index &+= stops.trailingZeroBitCount &>> 3
                    break
                }
                index &+= 8
            }
            while index < end, base[index] >= 0x20, base[index] != UInt8(ascii: "\""), base[index] != UInt8(ascii: "\\") {
                index &+= 1
            }
            guard index < end else { throw malformed("a string has no closing quote") }
            switch base[index] {
            case UInt8(ascii: "\""):
                at = index &+ 1
                traits.formUnion(own)
                return JSONToken(kind: .string, traits: own, start: start, end: index)
            case UInt8(ascii: "\\"):
                own.insert(.escaped)
                at = index
                if try escape() == 0 { own.insert(.nul) }
                index = at
            default:
                throw Rejection(
                    .controlCharacter,
                    "a string holds the control character \(base[index]) at byte \(index); JSON wants it escaped")
            }
        }
    }

    /// The high bit of the lowest byte that is `"`, `\` or below 0x20 is set; higher ones may be wrong, and nobody looks at them.
    @inline(__always)
    private static func stops(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5C)
        let found =
            ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word)
        return found & (ones &* 0x80)
    }

    /// Reads one escape from its backslash, both halves of a surrogate pair at once, and gives its scalar.
    mutating func escape() throws(Rejection) -> UInt32 {
        at &+= 1
        let kind = byte
        at &+= 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt32(kind)
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"):
            let unit = try fourHexadecimalDigits()
            switch unit {
            case 0xD800..<0xDC00:
                guard at &+ 1 < end, base[at] == UInt8(ascii: "\\"), base[at &+ 1] == UInt8(ascii: "u") else {
                    throw malformed("a high surrogate stands alone")
                }
                at &+= 2
                let low = try fourHexadecimalDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw malformed("a high surrogate stands alone") }
                return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            case 0xDC00..<0xE000: throw malformed("a low surrogate stands alone")
            default: return unit
            }
        default:
            throw malformed("an unknown escape")
        }
    }

    private mutating func fourHexadecimalDigits() throws(Rejection) -> UInt32 {
        guard at &+ 4 <= end else { throw malformed("\\u wants four hexadecimal digits") }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let digit = base[at]
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: throw malformed("\\u wants four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(value)
            at &+= 1
        }
        return unit
    }

    private mutating func number() throws(Rejection) -> JSONToken {
        let start = at
        var digits = 0
        if byte == UInt8(ascii: "-") { at &+= 1 }
        if byte == UInt8(ascii: "0") {
            at &+= 1
            digits = 1
            if byte &- UInt8(ascii: "0") < 10 { throw malformed("a number has a leading zero") }
        } else {
            digits = skipDigits()
            if digits == 0 { throw malformed("expected a digit") }
        }
        if byte == UInt8(ascii: ".") {
            at &+= 1
            let fraction = skipDigits()
            if fraction == 0 { throw malformed("expected a digit after the decimal point") }
            digits &+= fraction
        }
        var own: JSONToken.Traits = []
        if byte | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { at &+= 1 }
            let exponentStart = at
            if skipDigits() == 0 { throw malformed("expected a digit in the exponent") }
            var exponent = 0
            for index in exponentStart..<at where exponent <= 300 {
                exponent = exponent * 10 + Int(base[index] &- UInt8(ascii: "0"))
            }
            if exponent > 300 { own = .extremeNumber }
        }
        if digits > 40 { own = .extremeNumber }
        traits.formUnion(own)
        return JSONToken(kind: .number, traits: own, start: start, end: at)
    }

    @inline(__always)
    private mutating func skipDigits() -> Int {
        let start = at
        while at < end, base[at] &- UInt8(ascii: "0") < 10 { at &+= 1 }
        return at &- start
    }

    @inline(never)
    func malformed(_ what: String) -> Rejection {
        Rejection(.malformedJSON, "\(what), at byte \(at) of \(end)")
    }

    /// The reason of a record with too many levels at the byte at hand.
    var tooDeep: Rejection { Rejection(.tooDeep, "objects and arrays are nested more than \(maxDepth) deep at byte \(at)") }

    // MARK: Keys

    /// The first eight bytes of a key as a number, the missing ones 0.
    @inline(__always)
    func leadingWord(_ key: JSONToken) -> UInt64 {
        let count = key.count
        if key.start &+ 8 <= end {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: key.start, as: UInt64.self))
            return count >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
        }
        var word: UInt64 = 0
        for index in 0..<min(count, 8) { word |= UInt64(base[key.start &+ index]) &<< UInt64(index &* 8) }
        return word
    }
}
