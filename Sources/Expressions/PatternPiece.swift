/// Why a text is no pattern.
struct PatternProblem: Error, Equatable {
    /// A phrase that follows "the pattern".
    let reason: String
}

/// A part of a pattern. How deep pieces stand in each other is bounded when they are read.
indirect enum PatternPiece {
    case one(ScalarSet)
    case edge(Edge)
    case sequence([PatternPiece])
    case either([PatternPiece])
    /// Between `least` and `most` times; nil stands for no end.
    case repeated(PatternPiece, least: Int, most: Int?)
}

/// A place between characters.
enum Edge: Sendable {
    case start, end, word, noWord
}

/// Some characters.
struct ScalarSet: Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false
    var ignoresCase = false

    static let digits = ScalarSet(ranges: [0x30...0x39])
    static let words = ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let spaces = ScalarSet(ranges: [0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
    /// All but the end of a line, as `.` has it.
    static let noLineEnd = ScalarSet(ranges: [0x0A...0x0A], isNegated: true)

    /// The same characters as ranges that are not negated.
    var plain: [ClosedRange<UInt32>] {
        guard isNegated else { return ranges }
        var rest: [ClosedRange<UInt32>] = [], from: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > from { rest.append(from...(range.lowerBound - 1)) }
            from = max(from, range.upperBound + 1)
        }
        if from <= 0x10FFFF { rest.append(from...0x10FFFF) }
        return rest
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var found = holds(scalar.value)
        if !found, ignoresCase {
            let lower = scalar.properties.lowercaseMapping.unicodeScalars, upper = scalar.properties.uppercaseMapping.unicodeScalars
            found = (lower.count == 1 && lower.first.map { holds($0.value) } == true)
                || (upper.count == 1 && upper.first.map { holds($0.value) } == true)
        }
        return found != isNegated
    }

    private func holds(_ value: UInt32) -> Bool {
        ranges.contains { $0.contains(value) }
    }
}
