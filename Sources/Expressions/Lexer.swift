/// Cuts an expression into tokens.
struct Lexer {
    private let scalars: [Unicode.Scalar]
    private var place = 0

    init(_ text: String) throws(ExpressionProblem) {
        guard text.utf8.count <= ExpressionLimits.maxTextBytes else {
            throw ExpressionProblem(
                1, "the expression has \(text.utf8.count) bytes, at most \(ExpressionLimits.maxTextBytes) are allowed: make it shorter")
        }
        scalars = Array(text.unicodeScalars)
    }

    /// All tokens, the last one the end.
    mutating func tokens() throws(ExpressionProblem) -> [Token] {
        var tokens: [Token] = []
        while true {
            skipSpace()
            let column = place + 1
            guard let scalar = peek() else {
                tokens.append(Token(kind: .end, column: column))
                return tokens
            }
            tokens.append(Token(kind: try kind(scalar), column: column))
        }
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        place + ahead < scalars.count ? scalars[place + ahead] : nil
    }

    private mutating func skipSpace() {
        while let scalar = peek() {
            if scalar == "/", peek(1) == "/" {
                while let next = peek(), next != "\n" { place += 1 }
            } else if [" ", "\t", "\n", "\r", "\u{0C}"].contains(scalar) {
                place += 1
            } else {
                return
            }
        }
    }

    private mutating func kind(_ scalar: Unicode.Scalar) throws(ExpressionProblem) -> Token.Kind {
        if Self.isDigit(scalar) || (scalar == "." && peek(1).map(Self.isDigit) == true) { return try number() }
        if scalar == "\"" || scalar == "'" { return .string(try string(isRaw: false)) }
        if scalar == "r" || scalar == "R", peek(1) == "\"" || peek(1) == "'" {
            place += 1
            return .string(try string(isRaw: true))
        }
        if scalar == "b" || scalar == "B", peek(1) == "\"" || peek(1) == "'" {
            throw ExpressionProblem(place + 1, "bytes are not in the subset: write a string without the b")
        }
        if Self.isLetter(scalar) {
            let start = place
            while let next = peek(), Self.isLetter(next) || Self.isDigit(next) { place += 1 }
            return .name(Self.text(scalars[start..<place]))
        }
        let pair = Self.text(scalars[place..<min(place + 2, scalars.count)])
        if ["&&", "||", "==", "!=", "<=", ">="].contains(pair) {
            place += 2
            return .sign(pair)
        }
        if "()[]{}.,?:<>!+-*/%".unicodeScalars.contains(scalar) {
            place += 1
            return .sign(String(Character(scalar)))
        }
        let help = switch scalar {
        case "&", "|": "; write it twice"
        case "=": "; equality is =="
        default: ""
        }
        throw ExpressionProblem(place + 1, "\(Self.shown(scalar)) has no meaning here\(help)")
    }

    private mutating func number() throws(ExpressionProblem) -> Token.Kind {
        let start = place
        func literal() -> String { Self.text(scalars[start..<place]) }
        if peek() == "0", peek(1) == "x" || peek(1) == "X" {
            place += 2
            let digits = place
            while let next = peek(), next.isASCII, next.properties.isHexDigit { place += 1 }
            guard let value = UInt64(Self.text(scalars[digits..<place]), radix: 16) else { throw tooLarge(start, literal()) }
            return try whole(value, start, literal())
        }
        while let next = peek(), Self.isDigit(next) { place += 1 }
        var isDouble = false
        if peek() == ".", peek(1).map(Self.isDigit) == true {
            isDouble = true
            place += 1
            while let next = peek(), Self.isDigit(next) { place += 1 }
        }
        if peek() == "e" || peek() == "E" {
            let sign = peek(1) == "+" || peek(1) == "-" ? 2 : 1
            if peek(sign).map(Self.isDigit) == true {
                isDouble = true
                place += sign
                while let next = peek(), Self.isDigit(next) { place += 1 }
            }
        }
        if isDouble {
            guard let value = Double(literal()), value.isFinite else { throw tooLarge(start, literal()) }
            if let next = peek(), Self.isLetter(next) { throw stuck(next, literal()) }
            return .double(value)
        }
        guard let value = UInt64(literal()) else { throw tooLarge(start, literal()) }
        return try whole(value, start, literal())
    }

    private mutating func whole(_ value: UInt64, _ start: Int, _ literal: String) throws(ExpressionProblem) -> Token.Kind {
        if peek() == "u" || peek() == "U" {
            place += 1
            if let next = peek(), Self.isLetter(next) || Self.isDigit(next) { throw stuck(next, literal) }
            return .uint(value)
        }
        if let next = peek(), Self.isLetter(next) { throw stuck(next, literal) }
        guard value <= 1 << 63 else { throw tooLarge(start, literal) }
        return .int(value)
    }

    private func tooLarge(_ start: Int, _ literal: String) -> ExpressionProblem {
        ExpressionProblem(start + 1, "the number \(literal.prefix(40)) does not fit 64 bits")
    }

    private func stuck(_ scalar: Unicode.Scalar, _ literal: String) -> ExpressionProblem {
        ExpressionProblem(place + 1, "\(Self.shown(scalar)) follows the number \(literal.prefix(40)) without a space or sign between them")
    }

    private mutating func string(isRaw: Bool) throws(ExpressionProblem) -> String {
        let start = place, quote = scalars[place]
        let isTriple = peek(1) == quote && peek(2) == quote
        place += isTriple ? 3 : 1
        var text = String.UnicodeScalarView()
        while let scalar = peek() {
            if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                place += isTriple ? 3 : 1
                return String(text)
            }
            if !isTriple, scalar == "\n" || scalar == "\r" { break }
            place += 1
            if scalar == "\\", !isRaw {
                text.append(try escape())
            } else {
                text.append(scalar)
            }
        }
        let quotes = isTriple ? "three quotes" : "its quote"
        throw ExpressionProblem(start + 1, "the string that begins here has no end; close it with \(quotes)")
    }

    /// What follows a backslash.
    private mutating func escape() throws(ExpressionProblem) -> Unicode.Scalar {
        let start = place
        guard let scalar = peek() else { throw ExpressionProblem(start, "a backslash ends the expression") }
        place += 1
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "a": return "\u{07}"
        case "b": return "\u{08}"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "\\", "\"", "'", "`", "?": return scalar
        case "x", "X": return try scalarOf(digits: 2, radix: 16, from: start)
        case "u": return try scalarOf(digits: 4, radix: 16, from: start)
        case "U": return try scalarOf(digits: 8, radix: 16, from: start)
        case "0", "1", "2", "3":
            place -= 1
            return try scalarOf(digits: 3, radix: 8, from: start)
        default:
            throw ExpressionProblem(start, "\\\(scalar) is no escape; write \\\\ for a backslash, or r\"…\" for a string without escapes")
        }
    }

    private mutating func scalarOf(digits: Int, radix: Int, from start: Int) throws(ExpressionProblem) -> Unicode.Scalar {
        let end = min(place + digits, scalars.count)
        let text = Self.text(scalars[place..<end])
        guard text.utf8.count == digits, text.first != "+", text.first != "-", let number = UInt32(text, radix: radix),
            let scalar = Unicode.Scalar(number)
        else { throw ExpressionProblem(start, "this escape is no character of Unicode; it takes \(digits) digits") }
        place = end
        return scalar
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    /// A character for people; those that cannot be seen by their number.
    private static func shown(_ scalar: Unicode.Scalar) -> String {
        scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
            ? "U+" + String(scalar.value, radix: 16, uppercase: true) : "'\(scalar)'"
    }
}
