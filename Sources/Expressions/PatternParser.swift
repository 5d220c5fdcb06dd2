/// Reads a pattern: the part of RE2's syntax that has no captures and no classes by property.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var place = 0, level = 0
    private var ignoresCase = false

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func whole() throws(PatternProblem) -> PatternPiece {
        if scalars.starts(with: "(?i)".unicodeScalars) { (place, ignoresCase) = (4, true) }
        let piece = try either()
        if place < scalars.count { throw PatternProblem(reason: "has a ')' that closes nothing") }
        return piece
    }

    private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        place += 1
        return true
    }

    private mutating func either() throws(PatternProblem) -> PatternPiece {
        var choices = [try sequence()]
        while take("|") { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .either(choices)
    }

    private mutating func sequence() throws(PatternProblem) -> PatternPiece {
        var pieces: [PatternPiece] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let piece = try one()
            pieces.append(try repeated(piece))
        }
        return .sequence(pieces)
    }

    private mutating func repeated(_ piece: PatternPiece) throws(PatternProblem) -> PatternPiece {
        let bounds: (least: Int, most: Int?)
        switch next {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{":
            guard let counted = counted() else { return piece }
            bounds = counted.bounds
            place = counted.end - 1
        default: return piece
        }
        place += 1
        if let most = bounds.most, most < bounds.least {
            throw PatternProblem(reason: "repeats at least \(bounds.least) and at most \(most) times")
        }
        if max(bounds.least, bounds.most ?? 0) > ExpressionLimits.maxPatternInstructions {
            throw PatternProblem(reason: "repeats more than \(ExpressionLimits.maxPatternInstructions) times")
        }
        // Whether it takes few or many makes no difference to whether it is found.
        _ = take("?")
        if let scalar = next, ["*", "+", "?"].contains(scalar) || (scalar == "{" && counted() != nil) {
            throw PatternProblem(reason: "repeats a repetition; put the inner one into (?:…)")
        }
        return .repeated(piece, least: bounds.least, most: bounds.most)
    }

    /// `{2}`, `{2,}` or `{2,5}` at this place; nil where the brace is a character like others.
    private func counted() -> (bounds: (least: Int, most: Int?), end: Int)? {
        guard let close = scalars[place...].firstIndex(of: "}") else { return nil }
        let inside = String(String.UnicodeScalarView(scalars[(place + 1)..<close]))
        let parts = inside.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.utf8.count <= 6 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let least = Int(parts[0])
        else { return nil }
        return ((least, parts.count == 1 ? least : Int(parts[1])), close + 1)
    }

    private mutating func one() throws(PatternProblem) -> PatternPiece {
        guard let scalar = next else { throw PatternProblem(reason: "ends too early") }
        place += 1
        switch scalar {
        case "^": return .edge(.start)
        case "$": return .edge(.end)
        case ".": return .one(.noLineEnd)
        case "*", "+", "?": throw PatternProblem(reason: "has a '\(scalar)' that repeats nothing; write \\\(scalar) for the character")
        case "(": return try group()
        case "[": return .one(try characterClass())
        case "\\": return try escaped()
        default: return .one(literal(scalar))
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
        ScalarSet(ranges: [scalar.value...scalar.value], ignoresCase: ignoresCase)
    }

    private mutating func group() throws(PatternProblem) -> PatternPiece {
        level += 1
        defer { level -= 1 }
        guard level <= ExpressionLimits.maxPatternDepthLevels else {
            throw PatternProblem(reason: "has groups more than \(ExpressionLimits.maxPatternDepthLevels) deep")
        }
        if take("?") {
            if take("P") {
                guard take("<") else { throw unknownGroup }
                while let scalar = next, scalar != ">" { place += 1 }
                guard take(">") else { throw unknownGroup }
            } else {
                guard take(":") else { throw unknownGroup }
            }
        }
        let piece = try either()
        guard take(")") else { throw PatternProblem(reason: "has a '(' without its ')'") }
        return piece
    }

    private var unknownGroup: PatternProblem {
        PatternProblem(reason: "has a group of an unknown kind; known: (…), (?:…), (?P<name>…), and (?i) at the beginning")
    }

    private mutating func escaped() throws(PatternProblem) -> PatternPiece {
        switch next {
        case "b": place += 1; return .edge(.word)
        case "B": place += 1; return .edge(.noWord)
        case "A": place += 1; return .edge(.start)
        case "z": place += 1; return .edge(.end)
        default: return .one(try escapedSet())
        }
    }

    private mutating func escapedSet() throws(PatternProblem) -> ScalarSet {
        guard let scalar = next else { throw PatternProblem(reason: "ends with a backslash; write \\\\ for the character") }
        place += 1
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet(ranges: ScalarSet.digits.ranges, isNegated: true)
        case "w": return .words
        case "W": return ScalarSet(ranges: ScalarSet.words.ranges, isNegated: true)
        case "s": return .spaces
        case "S": return ScalarSet(ranges: ScalarSet.spaces.ranges, isNegated: true)
        case "n": return ScalarSet(ranges: [0x0A...0x0A])
        case "r": return ScalarSet(ranges: [0x0D...0x0D])
        case "t": return ScalarSet(ranges: [0x09...0x09])
        case "f": return ScalarSet(ranges: [0x0C...0x0C])
        case "v": return ScalarSet(ranges: [0x0B...0x0B])
        default:
            guard scalar.isASCII, !scalar.properties.isAlphabetic, !Lexer.isDigit(scalar) else {
                throw PatternProblem(reason: "has the unknown escape \\\(scalar)")
            }
            return literal(scalar)
        }
    }

    private mutating func characterClass() throws(PatternProblem) -> ScalarSet {
        var set = ScalarSet(ignoresCase: ignoresCase), isFirst = true
        set.isNegated = take("^")
        while let scalar = next {
            if scalar == "]", !isFirst {
                place += 1
                return set
            }
            isFirst = false
            if scalar == "[", place + 1 < scalars.count, scalars[place + 1] == ":" {
                throw PatternProblem(reason: "has a class by name; write its ranges, as in [a-z]")
            }
            place += 1
            let low = scalar == "\\" ? try escapedSet() : literal(scalar)
            guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
                set.ranges += low.plain
                continue
            }
            place += 1
            guard let scalar = next else { break }
            place += 1
            let high = scalar == "\\" ? try escapedSet() : literal(scalar)
            guard low.ranges.count == 1, high.ranges.count == 1, !low.isNegated, !high.isNegated, low.ranges[0].count == 1,
                high.ranges[0].count == 1, low.ranges[0].lowerBound <= high.ranges[0].lowerBound
            else { throw PatternProblem(reason: "has a range that goes backwards or has no single end") }
            set.ranges.append(low.ranges[0].lowerBound...high.ranges[0].lowerBound)
        }
        throw PatternProblem(reason: "has a '[' without its ']'")
    }
}
