/// Reads the small part of XML 1.0 that feeds need, in pieces of any size: elements, attributes, text, CDATA, comments, the five entities
/// of XML and character references. It is strict about these; a document type definition is told and read no further, since entities of
/// its own and files from elsewhere come with it.
struct XMLTokens: Sendable {
    enum Token: Equatable {
        /// A start tag, with its attributes and whether it ends the element as well (`<a/>`).
        case start(name: String, attributes: [String: String], isEmpty: Bool)
        case end(name: String)
        case text(String)
        /// A comment or a processing instruction.
        case aside
        /// A document type definition.
        case doctype
        /// What is no XML: why.
        case broken(String)
    }

    /// The longest token in bytes.
    let tokenLimitBytes: Int
    /// Attributes of an element at most.
    static let attributesLimit = 64

    private var buffer: [UInt8] = []
    private var at = 0
    private var isFinished = false
    /// The line at which the next token begins, counted from 0.
    private(set) var line: Int64 = 0
    /// The text of the last token.
    private(set) var written: ArraySlice<UInt8> = []

    init(tokenLimitBytes: Int) { self.tokenLimitBytes = tokenLimitBytes }

    mutating func feed(_ text: [UInt8]) {
        written = []
        buffer.removeFirst(at)
        at = 0
        buffer.append(contentsOf: text)
    }

    mutating func finish() { isFinished = true }

    /// The next token; nil where more must come first, or nothing does.
    mutating func next() -> Token? {
        guard at < buffer.count else { return nil }
        if buffer[at] != UInt8(ascii: "<") { return textRun() }
        for (opening, closing) in Self.bracketed {
            let head = buffer[at...].prefix(opening.utf8.count)
            guard opening.utf8.starts(with: head) else { continue }
            if head.count < opening.utf8.count { return unfinished() }
            if opening == "<!DOCTYPE" { return .doctype }
            guard let end = find(closing, from: at + opening.utf8.count), end - at <= tokenLimitBytes else { return unfinished() }
            let inner = buffer[at + opening.utf8.count..<end]
            take(upTo: end + closing.utf8.count)
            guard opening == "<![CDATA[" else { return .aside }
            return String(validating: inner, as: UTF8.self).map(Token.text) ?? .broken("it is not UTF-8")
        }
        guard let end = tagEnd(), end - at <= tokenLimitBytes else { return unfinished() }
        let token = Self.tag(buffer[at + 1..<end])
        // Of a broken one nobody knows where it ends: quotes may have taken in what is good.
        if case .broken = token { take(upTo: at + 1) } else { take(upTo: end + 1) }
        return token
    }

    /// Goes to the next start tag of one of these names; false where there is none yet.
    mutating func skip(toStartOf names: [String]) -> Bool {
        var place = at
        while let hit = buffer[min(place, buffer.count)...].firstIndex(of: UInt8(ascii: "<")) {
            let rest = buffer[(hit + 1)...]
            if rest.count <= Self.longestNameBytes, !isFinished {
                take(upTo: hit)
                return false
            }
            let name = rest.prefix(Self.longestNameBytes).prefix { !Self.isSpace($0) && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
            if names.contains(where: { $0.utf8.elementsEqual(name) }) {
                take(upTo: hit)
                return true
            }
            place = hit + 1
        }
        take(upTo: buffer.count)
        return false
    }

    private static let longestNameBytes = 16
    private static let bracketed = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!DOCTYPE", ">")]

    private mutating func take(upTo end: Int) {
        guard end > at else { return }
        written = buffer[at..<end]
        line += Int64(written.count { $0 == 0x0A })
        at = end
    }

    /// Nothing yet, or what is wrong with a token that does not end.
    private mutating func unfinished() -> Token? {
        let tooLong = buffer.count - at > tokenLimitBytes
        guard isFinished || tooLong else { return nil }
        take(upTo: at + 1)
        let what = "a tag, a comment or a section"
        return .broken(tooLong ? "\(what) is longer than \(tokenLimitBytes) bytes" : "the feed ends within \(what)")
    }

    private mutating func textRun() -> Token? {
        let end = buffer[at...].firstIndex(of: UInt8(ascii: "<")) ?? buffer.count
        guard end - at <= tokenLimitBytes else {
            take(upTo: end)
            return .broken("a text is longer than \(tokenLimitBytes) bytes")
        }
        if end == buffer.count, !isFinished { return nil }
        let run = buffer[at..<end]
        take(upTo: end)
        return Self.unescaped(run)
    }

    private func find(_ text: String, from: Int) -> Int? {
        let wanted = Array(text.utf8)
        var place = from
        while let hit = buffer[min(place, buffer.count)...].firstIndex(of: wanted[0]) {
            if buffer[hit...].starts(with: wanted) { return hit }
            place = hit + 1
        }
        return nil
    }

    /// Where the tag at hand ends: its `>` outside of quotes.
    private func tagEnd() -> Int? {
        var quote: UInt8?
        for place in at + 1..<buffer.count {
            let byte = buffer[place]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return place
            }
        }
        return nil
    }

    /// The token of what stands between `<` and `>`.
    private static func tag(_ bytes: ArraySlice<UInt8>) -> Token {
        var bytes = bytes
        let isEnd = bytes.first == UInt8(ascii: "/")
        let isEmpty = !isEnd && bytes.last == UInt8(ascii: "/")
        if isEnd { bytes.removeFirst() }
        if isEmpty { bytes.removeLast() }
        let nameBytes = bytes.prefix { !isSpace($0) && $0 != UInt8(ascii: "=") }
        guard let name = String(validating: nameBytes, as: UTF8.self), isName(nameBytes) else { return .broken("a tag has no name") }
        var rest = bytes[nameBytes.endIndex...].drop(while: isSpace)
        if isEnd { return rest.isEmpty ? .end(name: name) : .broken("</\(name)> has more than its name") }
        var attributes: [String: String] = [:]
        while !rest.isEmpty {
            let key = rest.prefix { !isSpace($0) && $0 != UInt8(ascii: "=") }
            guard isName(key), let keyText = String(validating: key, as: UTF8.self) else {
                return .broken("<\(name)> has an attribute without a name")
            }
            rest = rest[key.endIndex...].drop(while: isSpace)
            guard rest.popFirst() == UInt8(ascii: "=") else { return .broken("<\(name)> has the attribute \(keyText) without a value") }
            rest = rest.drop(while: isSpace)
            guard let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = rest.firstIndex(of: quote), case .text(let value) = unescaped(rest[..<end])
            else { return .broken("<\(name)> has the attribute \(keyText) without a value in quotes") }
            attributes[keyText] = value
            guard attributes.count <= attributesLimit else { return .broken("<\(name)> has more than \(attributesLimit) attributes") }
            rest = rest[(end + 1)...].drop(while: isSpace)
        }
        return .start(name: name, attributes: attributes, isEmpty: isEmpty)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    /// Letters, digits, `-`, `_`, `.`, `:` and whatever is beyond ASCII.
    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, bytes.count <= 256, first | 0x20 >= UInt8(ascii: "a") || first == UInt8(ascii: "_") else {
            return false
        }
        return bytes.allSatisfy {
            $0 >= 0x80 || $0 &- UInt8(ascii: "0") < 10 || ($0 | 0x20) &- UInt8(ascii: "a") < 26 || [0x2D, 0x2E, 0x3A, 0x5F].contains($0)
        }
    }

    /// The text with its references resolved, or what is wrong with one.
    static func unescaped(_ bytes: ArraySlice<UInt8>) -> Token {
        guard bytes.contains(UInt8(ascii: "&")) else {
            return String(validating: bytes, as: UTF8.self).map(Token.text) ?? .broken("it is not UTF-8")
        }
        var plain: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "&") else { plain.append(byte); continue }
            guard let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
                return .broken("an & stands alone: XML writes it &amp;")
            }
            let name = String(decoding: rest[..<end], as: UTF8.self)
            guard let scalar = reference(name) else { return .broken("&\(name); is no entity of XML, and no character") }
            plain.append(contentsOf: Array(String(Character(scalar)).utf8))
            rest = rest[(end + 1)...]
        }
        return String(validating: plain, as: UTF8.self).map(Token.text) ?? .broken("it is not UTF-8")
    }

    private static func reference(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        guard name.hasPrefix("#") else { return nil }
        let isHexadecimal = name.hasPrefix("#x")
        let digits = name.dropFirst(isHexadecimal ? 2 : 1)
        guard digits.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }), let value = UInt32(digits, radix: isHexadecimal ? 16 : 10), value > 0
        else { return nil }
        return Unicode.Scalar(value)
    }
}
