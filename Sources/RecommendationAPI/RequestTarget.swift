/// Undoes percent-encoding, and refuses what is not UTF-8 or holds control characters.
enum PercentEncoding {
    /// The text behind `encoded`, or nil where an escape is cut, is not hexadecimal, or the bytes are not UTF-8.
    /// - Parameter plusIsSpace: as HTML forms and `URLSearchParams` write a space in a query.
    static func decode(_ encoded: some Collection<UInt8>, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.count)
        var iterator = encoded.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else if plusIsSpace, byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else {
                bytes.append(byte)
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension String {
    /// True where the text holds U+0000–U+001F or U+007F–U+009F, which no id may.
    var holdsControlCharacter: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
    }
}

/// The parameters of a query string, decoded, in order.
package struct QueryParameters: Sendable {
    private let pairs: [(name: String, value: String)]

    /// The most parameters that are read.
    static let maxParameters = 2_100

    /// None.
    init() {
        pairs = []
    }

    init(_ query: String?) throws(Problem) {
        var pairs: [(name: String, value: String)] = []
        for part in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            guard pairs.count < Self.maxParameters else {
                throw Problem(
                    .badRequest, "too-many-parameters",
                    "The query has more than \(Self.maxParameters) parameters. Send a POST with a body instead.")
            }
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let encodedName = part[..<(equals ?? part.endIndex)]
            guard let name = PercentEncoding.decode(encodedName, plusIsSpace: true) else {
                throw Problem(
                    .badRequest, "invalid-encoding",
                    "The name of query parameter \(pairs.count + 1) is not percent-encoded UTF-8.")
            }
            guard let equals else {
                pairs.append((name, ""))
                continue
            }
            let encodedValue = part[part.index(after: equals)...]
            guard let value = PercentEncoding.decode(encodedValue, plusIsSpace: true) else {
                throw Problem(
                    .badRequest, "invalid-encoding", "The value of `\(name.cutForMessage)` is not percent-encoded UTF-8.",
                    parameter: name.cutForMessage)
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// Refuses what `known` does not name, with the nearest name that it does.
    func check(_ known: KnownParameters, takesBody: Bool) throws(Problem) {
        for (name, _) in pairs where !known.names.contains(name) {
            // `context.` alone names nothing.
            if known.prefixes.contains(where: { $0.isEmpty || name.hasPrefix($0) && name.utf8.count > $0.utf8.count }) { continue }
            throw .unknown(
                name, kind: "parameter", known: known.names + known.prefixes.map { $0 + "NAME" },
                ifNone: takesBody ? "this request takes what it needs from its body" : "this request takes none")
        }
    }

    /// The value of a parameter that may stand once; nil where it is missing or empty.
    func value(_ name: String) throws(Problem) -> String? {
        var found: String?
        for pair in pairs where pair.name == name {
            guard found == nil else {
                throw .badParameter(name, "`\(name)` is given more than once; give it once.")
            }
            found = pair.value
        }
        return found == "" ? nil : found
    }

    /// The values of a parameter that may be repeated.
    package func values(_ name: String) -> [String] {
        pairs.filter { $0.name == name }.map(\.value)
    }

    /// Everything below a prefix: `context.device=phone` under `context.` gives `device`.
    func values(under prefix: String) -> [(name: String, value: String)] {
        pairs.filter { $0.name.hasPrefix(prefix) }.map { (String($0.name.dropFirst(prefix.count)), $0.value) }
    }

    /// A whole number within bounds, or nil where it is missing.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .badParameter(
                name,
                "`\(name)` is \(text.quotedForMessage); give a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// True for `name=true`, `name=1` and a bare `name`.
    func flag(_ name: String) throws(Problem) -> Bool {
        guard pairs.contains(where: { $0.name == name }) else { return false }
        switch try value(name) {
        case nil, "true", "1": return true
        case "false", "0": return false
        case let other?:
            throw .badParameter(name, "`\(name)` is \(other.quotedForMessage); give `true` or `false`.")
        }
    }
}

extension String {
    /// The text in quotes, cut to what a message can hold.
    var quotedForMessage: String {
        let cut = cutForMessage
        return "\"\(cut)\(cut.utf8.count == utf8.count ? "" : "…")\""
    }

    /// The first 64 code points: a single character may be megabytes of accents.
    var cutForMessage: String { String(String.UnicodeScalarView(unicodeScalars.prefix(64))) }
}
