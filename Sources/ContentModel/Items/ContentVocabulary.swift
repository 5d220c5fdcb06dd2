#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A sparse vector over the tokens of a ``ContentVocabulary``.
public struct SparseContent: Sendable, Equatable {
    /// Ascending and distinct.
    public internal(set) var tokens: [Int32] = []
    /// One a token.
    public internal(set) var weights: [Float] = []

    /// A vector of zeros.
    public init() {}

    /// The heaviest `limit` tokens.
    init(_ values: [Int32: Float], limit: Int) {
        var kept = values.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        if kept.count > limit { kept.removeLast(kept.count - limit) }
        kept.sort { $0.key < $1.key }
        tokens = kept.map(\.key)
        weights = kept.map(\.value)
    }

    /// Whether nothing is known.
    public var isEmpty: Bool { tokens.isEmpty }
}

/// How contents become sparse vectors.
public struct ContentRules: Sendable, Equatable {
    /// Attributes whose values are ids of other items: works cited, parts of a set.
    public var linkAttributes: [String]
    /// Tokens kept of one item's text, tags and links: the heaviest.
    public var tokensLimit: Int

    /// Makes rules.
    public init(linkAttributes: [String] = [], tokensLimit: Int = 256) {
        self.linkAttributes = linkAttributes
        self.tokensLimit = max(tokensLimit, 1)
    }

    /// How much a whole field weighs: each has unit length first, so that a long text does not outshout a short one.
    static let description: Float = 1, tags: Float = 1, categories: Float = 0.7, attributes: Float = 0.7, links: Float = 0.7
    static let title: Float = 0.5, tagPieces: Float = 0.5
    /// What the linked items' content counts beside an item's own, and where it has none.
    static let linkedBeside: Float = 0.3, linkedAlone: Float = 0.7
}

/// The tokens that training met, with how rare they are: exact sparse vectors, where ``ContentHasher`` makes short dense ones.
///
/// Sparse vectors keep what a rare word, tag or person says, which a vector of a few dozen numbers cannot.
struct ContentVocabulary: Sendable {
    let rules: ContentRules
    /// Hashes by token.
    let hashes: [UInt64]
    /// ln((items + 1) / (items with it + 1)) + 1 by token.
    let inverseFrequency: [Float]
    /// Whether a token stands for a linked item.
    let isLink: [Bool]
    private let places: [UInt64: Int32]

    /// Tokens known.
    var count: Int { hashes.count }

    init(rules: ContentRules, hashes: [UInt64], inverseFrequency: [Float], isLink: [Bool]) {
        self.rules = rules
        self.hashes = hashes
        self.inverseFrequency = inverseFrequency
        self.isLink = isLink
        places = Dictionary(hashes.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    }

    /// Learns tokens from items; one that a single item has is left out, unless it is a link.
    ///
    /// - Parameter unknown: ids of items that do not exist yet: links to them are left out.
    init(rules: ContentRules, itemIDs: [String], contents: [ItemContent], unknown: [String] = []) {
        let hidden = Set(unknown.map { FeatureHash.hash($0.utf8, field: .link) })
        var documents: [UInt64: Int32] = [:]
        var links = Set<UInt64>()
        for (id, content) in zip(itemIDs, contents) {
            for field in Self.fields(of: content, id: id, rules: rules) {
                for token in field.counts.keys { documents[token, default: 0] += 1 }
                if field.isLinks { links.formUnion(field.counts.keys) }
            }
        }
        let kept = documents.filter { ($0.value > 1 || links.contains($0.key)) && !hidden.contains($0.key) }.keys.sorted()
        let items = Double(contents.count + 1)
        self.init(
            rules: rules, hashes: kept, inverseFrequency: kept.map { Float(log(items / Double((documents[$0] ?? 0) + 1)) + 1) },
            isLink: kept.map(links.contains))
    }

    /// An item's own vector, links included.
    func vector(of content: ItemContent, id: String) -> SparseContent {
        var combined: [Int32: Float] = [:]
        for field in Self.fields(of: content, id: id, rules: rules) {
            var known: [(token: Int32, weight: Float)] = []
            for (hash, count) in field.counts {
                guard let token = places[hash] else { continue }
                known.append((token, count * inverseFrequency[Int(token)]))
            }
            // Sums of floats depend on their order, and a dictionary's is not fixed.
            known.sort { $0.token < $1.token }
            let length = known.reduce(Float(0)) { $0 + $1.weight * $1.weight }.squareRoot()
            guard length > 0 else { continue }
            for (token, weight) in known { combined[token, default: 0] += field.weight * weight / length }
        }
        return SparseContent(combined, limit: rules.tokensLimit)
    }

    /// All tokens of a content that are known, each once, ascending: common words too, of which a vector leaves out what weighs least.
    func tokens(of content: ItemContent) -> [Int32] {
        var known: Set<Int32> = []
        for field in Self.fields(of: content, id: "", rules: rules) {
            for hash in field.counts.keys { if let token = places[hash] { known.insert(token) } }
        }
        return known.sorted()
    }

    /// The vector by which an item without history is found: its own with some of what it links to, which stands in where it has
    /// no content itself.
    ///
    /// - Parameter linked: the own vectors of the items that it links to.
    func candidate(_ own: SparseContent, linked: [SparseContent]) -> SparseContent {
        var neighbours: [Int32: Float] = [:], neighbourCount = 0
        for other in linked {
            let length = textLength(other)
            guard length > 0 else { continue }
            neighbourCount += 1
            for (token, weight) in zip(other.tokens, other.weights) where !isLink[Int(token)] {
                neighbours[token, default: 0] += weight / length
            }
        }
        guard neighbourCount > 0 else { return own }
        let around = Self.length(neighbours), ownLength = textLength(own)
        var blended: [Int32: Float] = [:]
        for (token, weight) in neighbours {
            blended[token] = (ownLength > 0 ? ContentRules.linkedBeside : 1) * weight / around
        }
        if ownLength > 0 {
            for (token, weight) in zip(own.tokens, own.weights) where !isLink[Int(token)] {
                blended[token, default: 0] += weight / ownLength
            }
        }
        let scale = (ownLength > 0 ? ownLength : ContentRules.linkedAlone) / Self.length(blended)
        for token in blended.keys { blended[token]? *= scale }
        for (token, weight) in zip(own.tokens, own.weights) where isLink[Int(token)] { blended[token] = weight }
        return SparseContent(blended, limit: rules.tokensLimit)
    }

    /// The ids that a content links to.
    func links(of content: ItemContent) -> [String] { Self.links(of: content, rules: rules) }

    private func textLength(_ vector: SparseContent) -> Float {
        var sum: Float = 0
        for (token, weight) in zip(vector.tokens, vector.weights) where !isLink[Int(token)] { sum += weight * weight }
        return sum.squareRoot()
    }

    private static func length(_ values: [Int32: Float]) -> Float {
        values.sorted { $0.key < $1.key }.reduce(Float(0)) { $0 + $1.value * $1.value }.squareRoot()
    }

    private static func links(of content: ItemContent, rules: ContentRules) -> [String] {
        guard !rules.linkAttributes.isEmpty else { return [] }
        return content.attributes.compactMap { token in
            guard let end = token.firstIndex(of: "="), rules.linkAttributes.contains(String(token[..<end])) else { return nil }
            return String(token[token.index(after: end)...])
        }
    }

    private struct Field {
        var weight: Float
        var counts: [UInt64: Float]
        var isLinks = false
    }

    private static func fields(of content: ItemContent, id: String, rules: ContentRules) -> [Field] {
        var title: [UInt64: Float] = [:], description = title, pieces = title
        func hash(_ value: String, _ field: FeatureHash.Field) -> UInt64 { FeatureHash.hash(value.utf8, field: field) }
        func all(_ values: [String], _ field: FeatureHash.Field) -> [UInt64: Float] {
            Dictionary(values.map { (hash($0, field), 1) }) { first, _ in first }
        }
        if let text = content.title { TextWords.forEach(in: text) { title[FeatureHash.hash($0, field: .titleWord)] = 1 } }
        if let text = content.description { TextWords.forEach(in: text) { description[FeatureHash.hash($0, field: .descriptionWord)] = 1 } }
        for tag in content.tags {
            // The words of a tag say what it is near to: `gene-network` and `network`.
            var words: [UInt64] = []
            TextWords.forEach(in: tag) { words.append(FeatureHash.hash($0, field: .tagPiece)) }
            for word in words where words.count > 1 { pieces[word] = 1 }
        }
        let linked = links(of: content, rules: rules)
        let isLink = { (token: String) in
            token.firstIndex(of: "=").map { rules.linkAttributes.contains(String(token[..<$0])) } ?? false
        }
        let plain = rules.linkAttributes.isEmpty ? content.attributes : content.attributes.filter { !isLink($0) }
        var fields = [
            Field(weight: ContentRules.description, counts: description), Field(weight: ContentRules.title, counts: title),
            Field(weight: ContentRules.categories, counts: all(content.categories, .category)),
            Field(weight: ContentRules.tags, counts: all(content.tags, .tag)), Field(weight: ContentRules.tagPieces, counts: pieces),
            Field(weight: ContentRules.attributes, counts: all(plain, .attribute)),
        ]
        // An item links to itself, so that it meets those that link to it.
        if !rules.linkAttributes.isEmpty {
            fields.append(Field(weight: ContentRules.links, counts: all(linked + [id], .link), isLinks: true))
        }
        return fields
    }
}
