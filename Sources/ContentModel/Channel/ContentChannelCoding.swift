/// Why bytes are no content channel.
public struct ContentFormatError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: what is wrong and what to do.
    public var description: String
}

typealias ContentReader = ColumnReader<ContentFormatError>

// Layout, little-endian: the 8 bytes "FRCONTE4"; 32-bit counts of tokens, token limit, parts, numbers, bytes of the link attributes; the
// clock; those bytes, separated by zero bytes; by token the hash, the inverse frequency, the background, the popularity and a byte
// that is 1 for links; of the numbers mean, scale, both ends and popularity; the largest popularity; the weights; then the space, see
// ContentSpaceCoding.swift.
extension ContentChannel {
    /// The name of the file beside the model.
    public static let attachmentName = "content"
    private static let magic = Array("FRCONTE4".utf8)

    /// The channel as bytes, for a file beside the model.
    public func encoded() -> [UInt8] {
        let names = Array(vocabulary.rules.linkAttributes.joined(separator: "\0").utf8)
        var bytes = Self.magic
        for count in [tokenCount, vocabulary.rules.tokensLimit, weights.count, ContentNumbers.count, names.count] {
            Self.append([UInt32(clamping: count)], to: &bytes)
        }
        Self.append([numbers.clock], to: &bytes)
        bytes += names
        Self.append(vocabulary.hashes, to: &bytes)
        for column in [vocabulary.inverseFrequency, background, popularity.tokens] { Self.append(column, to: &bytes) }
        bytes += vocabulary.isLink.map { $0 ? 1 : 0 }
        for column in [numbers.mean, numbers.scale, numbers.lowest, numbers.highest, popularity.numbers, [popularity.largest], weights] {
            Self.append(column, to: &bytes)
        }
        ContentSpace.append(space, to: &bytes)
        return bytes
    }

    /// A channel from its bytes.
    ///
    /// - Throws: where they are cut short, too long, of another version, or hold numbers that cannot be.
    public init(encoded bytes: UnsafeRawBufferPointer) throws(ContentFormatError) {
        var reader = ContentReader(bytes, of: "the content channel") { ContentFormatError(description: $0) }
        guard try reader.values(UInt8.self, Self.magic.count) == Self.magic else {
            throw ContentFormatError(description: "these bytes are no content channel of this version. Train again.")
        }
        let counts = try reader.values(UInt32.self, 5).map { Int($0) }
        let clock = try reader.values(Int64.self, 1)[0]
        guard counts[1] > 0, counts[2] == Part.count, counts[3] == ContentNumbers.count else {
            throw ContentFormatError(description: "the content channel has other parts than this program knows. Train again.")
        }
        let names = String(decoding: try reader.values(UInt8.self, counts[4]), as: UTF8.self)
        let hashes = try reader.values(UInt64.self, counts[0])
        let frequency = try reader.finite(counts[0]), background = try reader.finite(counts[0]), popularity = try reader.finite(counts[0])
        let links = try reader.values(UInt8.self, counts[0])
        var numbers = ContentNumbers(clock: clock)
        numbers.mean = try reader.finite(ContentNumbers.count)
        numbers.scale = try reader.finite(ContentNumbers.count)
        numbers.lowest = try reader.finite(ContentNumbers.count)
        numbers.highest = try reader.finite(ContentNumbers.count)
        let numberPopularity = try reader.finite(ContentNumbers.count), largest = try reader.finite(1)[0],
            weights = try reader.finite(Part.count)
        let space = try ContentSpace.read(&reader, tokenCount: counts[0])
        try reader.end()
        self.init(
            vocabulary: ContentVocabulary(
                rules: ContentRules(
                    linkAttributes: names.isEmpty ? [] : names.split(separator: "\0").map(String.init), tokensLimit: counts[1]),
                hashes: hashes, inverseFrequency: frequency, isLink: links.map { $0 != 0 }),
            numbers: numbers, background: background,
            popularity: ContentPopularity(tokens: popularity, numbers: numberPopularity, largest: largest), space: space,
            weights: weights)
    }

    static func append<Element: BitwiseCopyable>(_ values: [Element], to bytes: inout [UInt8]) {
        #if _endian(little)
            values.withUnsafeBytes { bytes.append(contentsOf: $0) }
        #else
            #error("model files are little-endian")
        #endif
    }
}
