import Bytes

/// Hashes that are the same on every machine and in every version: models store what was learned per bucket.
package enum FeatureHash {
    /// The salt of each field, so that the same word in two fields is two features.
    package enum Field: UInt64 {
        case titleWord = 1
        case titlePiece = 2
        case descriptionWord = 3
        case category = 4
        case tag = 5
        case attribute = 6
        case user = 7
        case tagPiece = 8
        case link = 9
    }

    /// A hash of all 64 bits, of its own in each field.
    package static func hash(_ bytes: some Sequence<UInt8>, field: Field) -> UInt64 {
        SplitMix64Mixing.mixed(FNV1a.hash(bytes, salt: field.rawValue &* SplitMix64Mixing.increment))
    }

    /// The bucket of a hash; the high bits choose.
    package static func bucket(_ hash: UInt64, of count: Int) -> Int32 {
        Int32(hash.multipliedFullWidth(by: UInt64(count)).high)
    }
}

/// Cuts text into lower-case words; ideographs and kana, which are written without spaces, stand alone.
enum TextWords {
    /// Calls `body` with the UTF-8 bytes of each word, in order.
    static func forEach(in text: String, _ body: (ArraySlice<UInt8>) -> Void) {
        var word: [UInt8] = []
        func flush() {
            if !word.isEmpty { body(word[...]) }
            word.removeAll(keepingCapacity: true)
        }
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                let byte = UInt8(truncatingIfNeeded: scalar.value)
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): word.append(byte)
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte | 0x20)
                case UInt8(ascii: "'"): continue
                default: flush()
                }
            } else if isUnspaced(scalar.value) {
                flush()
                body(Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)[...])
            } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                word.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
            } else if scalar.properties.generalCategory != .nonspacingMark {
                flush()
            }
        }
        flush()
    }

    /// Calls `body` with each 3- and 4-byte piece of a word with its borders marked, so that spellings and endings share features.
    static func forEachPiece(of word: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) {
        guard word.count >= 3, word.count <= 64 else { return }
        let marked = [UInt8(ascii: "<")] + word + [UInt8(ascii: ">")]
        for length in 3...4 where marked.count >= length {
            for start in 0...(marked.count - length) { body(marked[start..<start + length]) }
        }
    }

    private static func isUnspaced(_ value: UInt32) -> Bool {
        (0x3040...0x30FF).contains(value) || (0x3400...0x4DBF).contains(value) || (0x4E00...0x9FFF).contains(value)
            || (0x20000...0x2FFFF).contains(value)
    }
}
