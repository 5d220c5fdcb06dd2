@_spi(_Unicode) import Swift

/// Splits text into the pieces of a BERT vocabulary: whole words where the vocabulary has them, else a first piece and `##` pieces.
///
/// Text is cleaned, lower-cased, stripped of accents and split at spaces, punctuation and CJK characters, then each word is cut
/// greedily into the longest known pieces (Wu et al. 2016, as BERT applies it).
public struct WordPieceTokenizer: Sendable {
    /// A word with more characters than this is unknown as a whole.
    public static let maxWordCharacters = 100
    /// Text beyond this is not looked at.
    public static let maxTextScalars = 65_536

    private let rows: [String: Int32]
    private let lowercases: Bool
    /// Rows of `[CLS]`, `[SEP]` and `[UNK]`.
    private let first, last, unknown: Int32

    /// Makes a tokenizer from a vocabulary in the order of its rows.
    ///
    /// - Returns: nil where `[CLS]`, `[SEP]` or `[UNK]` is missing.
    public init?(vocabulary: [String], lowercases: Bool = true) {
        var rows: [String: Int32] = [:]
        rows.reserveCapacity(vocabulary.count)
        for (row, piece) in vocabulary.enumerated() where rows[piece] == nil { rows[piece] = Int32(row) }
        guard let first = rows["[CLS]"], let last = rows["[SEP]"], let unknown = rows["[UNK]"] else { return nil }
        self.rows = rows
        self.lowercases = lowercases
        (self.first, self.last, self.unknown) = (first, last, unknown)
    }

    /// The rows of a text: `[CLS]`, its pieces, `[SEP]`; at most `limit` of them (at least 2).
    public func rows(of text: String, limit: Int) -> [Int32] {
        var result = [first]
        for word in words(of: text) {
            if result.count >= limit - 1 { break }
            append(word, to: &result)
        }
        if result.count > limit - 1 { result.removeLast(result.count - max(1, limit - 1)) }
        result.append(last)
        return result
    }

    /// The words of a text after cleaning; punctuation and CJK characters are words of their own.
    func words(of text: String) -> [String] {
        let bounded = String(String.UnicodeScalarView(text.unicodeScalars.prefix(Self.maxTextScalars)))
        let cased = lowercases ? bounded.lowercased() : bounded
        var words: [String] = [], word = String.UnicodeScalarView()
        func finish() {
            if !word.isEmpty { words.append(String(word)) }
            word = String.UnicodeScalarView()
        }
        func take(_ scalar: Unicode.Scalar) {
            if CharacterKind.isSpace(scalar) {
                finish()
            } else if CharacterKind.isDropped(scalar) {
                return
            } else if CharacterKind.isPunctuation(scalar) || CharacterKind.isCJK(scalar) {
                finish()
                words.append(String(scalar))
            } else {
                word.append(scalar)
            }
        }
        if lowercases {
            for scalar in cased._nfd where scalar.properties.generalCategory != .nonspacingMark { take(scalar) }
        } else {
            for scalar in cased.unicodeScalars { take(scalar) }
        }
        finish()
        return words
    }

    private func append(_ word: String, to result: inout [Int32]) {
        let scalars = Array(word.unicodeScalars)
        guard scalars.count <= Self.maxWordCharacters else { return result.append(unknown) }
        var pieces: [Int32] = [], start = 0
        while start < scalars.count {
            var end = scalars.count, found: Int32?
            while end > start {
                var piece = start > 0 ? "##" : ""
                piece.unicodeScalars.append(contentsOf: scalars[start..<end])
                if let row = rows[piece] {
                    found = row
                    break
                }
                end -= 1
            }
            guard let found else { return result.append(unknown) }
            pieces.append(found)
            start = end
        }
        result += pieces
    }
}

/// The kinds of characters that BERT's text cleaning knows.
enum CharacterKind {
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\n", "\r": true
        default: scalar.properties.generalCategory == .spaceSeparator
        }
    }

    /// Control and format characters, and the replacement character.
    static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0 || scalar.value == 0xFFFD { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate, .unassigned: return true
        default: return false
        }
    }

    /// All ASCII characters that are neither letters, digits nor spaces count as punctuation, and what Unicode calls so.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 33...47, 58...64, 91...96, 123...126: return true
        default: break
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation:
            return true
        default: return false
        }
    }

    static func isCJK(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B820...0x2CEAF,
            0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
