/// A word, sign or literal of an expression, and where it stands.
struct Token {
    enum Kind: Equatable {
        case name(String), int(UInt64), uint(UInt64), double(Double), string(String), sign(String), end
    }

    var kind: Kind
    /// Counted from 1 in Unicode scalars.
    var column: Int

    /// As a person would point at it.
    var shown: String {
        switch kind {
        case .name(let name): "'\(name)'"
        case .int(let value): "\(value)"
        case .uint(let value): "\(value)u"
        case .double(let value): "\(value)"
        case .string: "a string"
        case .sign(let sign): "'\(sign)'"
        case .end: "the end"
        }
    }
}
