#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An item's content as numbers: hashed tokens with weights, and four plain numbers.
package struct ContentFeatures: Sendable {
    /// Rows of the token table, ascending and distinct.
    package var buckets: [Int32] = []
    /// The weight of each bucket. Those of one field have unit length together, so that long texts do not outshout short ones.
    package var weights: [Float] = []
    /// has price, log price, has date, log age in days; standardised by ``ContentHasher/numberMean`` and ``ContentHasher/numberScale``.
    package var numbers: [Float] = [0, 0, 0, 0]

    /// Numbers that stand beside the tokens.
    package static let numberCount = 4

    /// Nothing.
    package init() {}

    /// Whether nothing is known of the item.
    package var isEmpty: Bool { buckets.isEmpty && numbers[0] == 0 && numbers[2] == 0 }
}

/// Turns ``ItemContent`` into ``ContentFeatures``, with what training learned about how rare each token is.
package struct ContentHasher: Sendable {
    /// Buckets of words and word pieces; they come first in the token table.
    package let textBuckets: Int
    /// Buckets of categories, tags and attributes; they follow.
    package let tagBuckets: Int
    /// Words kept of one description: those that weigh most.
    package let textTokens: Int
    /// Inverse document frequency per bucket: ln((items + 1) / (items with it + 1)) + 1, and 0 for tokens that fewer than two
    /// training items have: those are left out.
    package var inverseFrequency: [Float]
    /// Mean and 1/standard deviation of log price and log age over the training items.
    package var numberMean: [Float] = [0, 0]
    /// 1/standard deviation of the same.
    package var numberScale: [Float] = [1, 1]
    /// The data clock at training: ages are measured to it.
    package var clock: Int64

    /// All rows of the token table.
    package var bucketCount: Int { textBuckets + tagBuckets }

    /// A hasher that treats all tokens alike.
    package init(textBuckets: Int, tagBuckets: Int, textTokens: Int, clock: Int64) {
        self.textBuckets = textBuckets
        self.tagBuckets = tagBuckets
        self.textTokens = textTokens
        self.clock = clock
        inverseFrequency = [Float](repeating: 1, count: textBuckets + tagBuckets)
    }

    /// Learns frequencies and the scale of the numbers from the items of a training set. O(total text).
    package mutating func learn(from contents: [ItemContent]) {
        var documents = [Int32](repeating: 0, count: bucketCount)
        var sums = [Double](repeating: 0, count: 2), squares = sums, counts = sums
        for content in contents {
            var tokens: [Int32: Float] = [:]
            for field in fields(of: content) { tokens.merge(field) { a, _ in a } }
            for bucket in tokens.keys { documents[Int(bucket)] += 1 }
            let raw = rawNumbers(of: content)
            for index in 0..<2 {
                guard let value = raw[index] else { continue }
                sums[index] += Double(value)
                squares[index] += Double(value) * Double(value)
                counts[index] += 1
            }
        }
        let items = Double(contents.count + 1)
        // A token of one item alone would stand in for its id and teach nothing about other items.
        inverseFrequency = documents.map { $0 < 2 ? 0 : Float(log(items / Double($0 + 1)) + 1) }
        for index in 0..<2 where counts[index] > 0 {
            let mean = sums[index] / counts[index]
            let variance = max(0, squares[index] / counts[index] - mean * mean)
            numberMean[index] = Float(mean)
            numberScale[index] = variance > 1e-6 ? Float(1 / variance.squareRoot()) : 1
        }
    }

    /// The features of a content. O(its text).
    package func features(of content: ItemContent) -> ContentFeatures {
        var result = ContentFeatures()
        var combined: [Int32: Float] = [:]
        for field in fields(of: content) where !field.isEmpty {
            var weighted = field.map { (bucket: $0.key, weight: $0.value * inverseFrequency[Int($0.key)]) }
            weighted.removeAll { $0.weight <= 0 }
            guard !weighted.isEmpty else { continue }
            weighted.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.bucket < $1.bucket }
            if weighted.count > textTokens { weighted.removeLast(weighted.count - textTokens) }
            let length = weighted.reduce(Float(0)) { $0 + $1.weight * $1.weight }.squareRoot()
            for token in weighted { combined[token.bucket, default: 0] += token.weight / length }
        }
        for bucket in combined.keys.sorted() {
            result.buckets.append(bucket)
            result.weights.append(combined[bucket] ?? 0)
        }
        let raw = rawNumbers(of: content)
        for index in 0..<2 {
            guard let value = raw[index] else { continue }
            result.numbers[2 * index] = 1
            // Bounded, so that one absurd price cannot throw a vector out of the space.
            result.numbers[2 * index + 1] = min(4, max(-4, (value - numberMean[index]) * numberScale[index]))
        }
        return result
    }

    /// Token counts (dampened: 1 + ln count) by bucket for each field; text fields first.
    private func fields(of content: ItemContent) -> [[Int32: Float]] {
        var title: [Int32: Float] = [:], description = title, categories = title, tags = title, attributes = title
        if let text = content.title {
            TextWords.forEach(in: text) { word in
                title[textBucket(word, .titleWord), default: 0] += 1
                // Pieces weigh less than the word that they come from.
                TextWords.forEachPiece(of: word) { title[textBucket($0, .titlePiece), default: 0] += 0.3 }
            }
        }
        if let text = content.description {
            TextWords.forEach(in: text) { description[textBucket($0, .descriptionWord), default: 0] += 1 }
            for (bucket, count) in description where count > 1 { description[bucket] = 1 + log(count) }
        }
        for value in content.categories { categories[tagBucket(value, .category)] = 1 }
        for value in content.tags { tags[tagBucket(value, .tag)] = 1 }
        for value in content.attributes { attributes[tagBucket(value, .attribute)] = 1 }
        return [title, description, categories, tags, attributes]
    }

    private func rawNumbers(of content: ItemContent) -> [Float?] {
        let price = content.priceMicros.map { log(Float(max(0, $0)) / 1e6 + 1) }
        let age = content.publishedAt.map { log(Float(max(0, Double(clock) - Double($0)) / 86_400_000) + 1) }
        return [price, age]
    }

    private func textBucket(_ bytes: ArraySlice<UInt8>, _ field: FeatureHash.Field) -> Int32 {
        FeatureHash.bucket(FeatureHash.hash(bytes, field: field), of: textBuckets)
    }

    private func tagBucket(_ value: String, _ field: FeatureHash.Field) -> Int32 {
        Int32(textBuckets) + FeatureHash.bucket(FeatureHash.hash(value.utf8, field: field), of: tagBuckets)
    }
}
