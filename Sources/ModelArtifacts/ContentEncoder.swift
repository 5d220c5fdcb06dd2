import ContentModel
import Interactions
import Logging
import Tensors
import TextEncoding

/// The sentence encoder that `content.encoder` names: gives items whose record brings no embedding the vector of their title and
/// description. Vectors are kept in a file beside the models, so that each text is encoded once.
package final class ContentEncoder: Sendable {
    /// Texts between two looks at the clock; what is done is on disk after each.
    private static let textsAtOnce = 256

    /// Tells this encoder from any other.
    package let checksum: String
    /// The network.
    package let encoder: TextEncoder
    private let cache: TextVectorCache
    private let precision: ProductPrecision
    private let logger: Logger

    /// Loads the folder.
    ///
    /// - Parameter cachePath: the file of known vectors.
    /// - Throws: `ArtifactError` with the file at fault.
    package init(folder: String, cachePath: String, cacheBytes: Int, precision: ProductPrecision, logger: Logger) throws {
        let checksum = try TextEncoderFolder.checksum(folder)
        self.checksum = checksum
        encoder = try TextEncoderFolder.load(folder)
        // bfloat16 changes the third digit: such vectors are not mixed with exact ones.
        cache = try TextVectorCache(
            path: cachePath, encoder: precision == .bfloat16 ? String(checksum.dropLast()) + "b" : checksum, width: encoder.shape.width,
            limitBytes: cacheBytes)
        self.precision = precision
        self.logger = logger
    }

    /// What the encoder reads of an item; nil where there is nothing to read.
    package static func text(of content: ItemContent) -> String? {
        let parts = [content.title, content.description].compactMap { $0 }.filter { !$0.allSatisfy(\.isWhitespace) }
        return parts.isEmpty ? nil : parts.joined(separator: ". ")
    }

    /// Gives each content without an embedding that of its text.
    ///
    /// Texts are encoded shortest first, so that those of one pass are of like length.
    ///
    /// - Parameter progress: hears how many of how many texts that were not known are done.
    package func complete(_ contents: inout [ItemContent], threads: Int, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) {
        var places: [TextKey: [Int]] = [:], unknown: [(key: TextKey, tokens: [Int32])] = []
        for place in contents.indices where contents[place].embedding == nil {
            guard let text = Self.text(of: contents[place]) else { continue }
            let key = Self.key(of: text)
            if places[key] == nil, cache[key] == nil { unknown.append((key, encoder.tokenizer.rows(of: text, limit: encoder.maxTokens))) }
            places[key, default: []].append(place)
        }
        unknown.sort { ($0.tokens.count, $0.key.first, $0.key.second) < ($1.tokens.count, $1.key.first, $1.key.second) }
        var found: [TextKey: [Float]] = [:], isToldOf = false
        for start in stride(from: 0, to: unknown.count, by: Self.textsAtOnce) {
            let slice = unknown[start..<min(start + Self.textsAtOnce, unknown.count)]
            let vectors = encoder.encode(tokens: slice.map(\.tokens), threads: threads, precision: precision)
            let entries = slice.enumerated().map { (key: $1.key, vector: vectors.row($0)) }
            for entry in entries { found[entry.key] = entry.vector }
            do {
                try cache.add(entries)
            } catch {
                if !isToldOf { logger.warning("vectors of texts are not kept for the next run: \(error)") }
                isToldOf = true
            }
            progress(start + slice.count, unknown.count)
        }
        for (key, own) in places {
            guard let vector = cache[key] ?? found[key] else { continue }
            for place in own { contents[place].embedding = vector }
        }
    }

    /// Forgets the vectors of texts that none of the contents has, once the file is half full.
    package func trim(to contents: [ItemContent]) {
        let keys = Set(contents.lazy.compactMap { Self.text(of: $0).map(Self.key) })
        do {
            try cache.trim { keys.contains($0) }
        } catch {
            logger.warning("the file of vectors of texts stays as it is: \(error)")
        }
    }

    private static func key(of text: String) -> TextKey {
        var first = PayloadHash(), second = PayloadHash(), text = text
        text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            first.combine(raw)
            // Begun elsewhere: the two meet for the same text only.
            withUnsafeBytes(of: UInt64(0x7465_7874)) { second.combine($0) }
            second.combine(raw)
        }
        return TextKey(first.value, second.value)
    }
}
