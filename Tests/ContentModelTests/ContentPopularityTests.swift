import ContentModel
import Tensors
import Testing

/// Items whose descriptions are long, and popular where they hold one of a few common words.
struct ContentPopularityTests {
    private static let items = 240, learned = 200, filler = 400
    private static let famous = ["award", "classic", "beloved"]

    /// The content of an item with so many famous words, among 300 words that say nothing.
    private static func content(_ random: inout SeededGenerator, famousWords: Int) -> ItemContent {
        var words = (0..<300).map { _ in "filler\(random.next(below: filler))" }
        words += famous.prefix(famousWords)
        random.shuffle(&words)
        return ItemContent(description: words.joined(separator: " "))
    }

    /// Popularities that are expected of the items that nobody took, by how many famous words they have.
    private static func expected(seed: UInt64) -> [(words: Int, popularity: Float)] {
        var random = SeededGenerator(seed: seed, stream: 7)
        var contents: [ItemContent] = [], words: [Int] = []
        for _ in 0..<items {
            words.append(random.next(below: 4))
            contents.append(content(&random, famousWords: words[words.count - 1]))
        }
        // With n famous words an item is taken 4 (1 + n)² times.
        var takings: [Int32] = []
        for item in 0..<learned { takings += [Int32](repeating: Int32(item), count: 4 * (1 + words[item]) * (1 + words[item])) }
        random.shuffle(&takings)
        let users = stride(from: 0, to: takings.count, by: 10).map { $0..<min($0 + 10, takings.count) }
        let learning = takings.withUnsafeBufferPointer { events in
            ContentLearning(
                itemIDs: (0..<items).map { "i\($0)" }, contents: contents, users: users, events: events, clock: 0, rules: ContentRules())
        }
        return (learned..<items).map { (words[$0], learning.items[$0].popularity) }
    }

    @Test func wordsThatAreCommonInLongTextsTellWhatBecomesPopular() {
        let found = Self.expected(seed: 1)
        let means = (0...3).map { count in
            let own = found.filter { $0.words == count }.map(\.popularity)
            return own.reduce(0, +) / Float(max(1, own.count))
        }
        // The roots are 2, 4, 6 and 8, so the differences are alike: 2 · 2 / their mean of 5, drawn together by the ridge.
        for (low, high) in zip(means, means.dropFirst()) { #expect(0.3...0.9 ~= high - low, "\(means)") }
        #expect(found.allSatisfy { $0.popularity >= -2 && $0.popularity <= 2 * (8 - 4) / 4 })
    }

    @Test func theSameItemsGiveTheSameNumbers() {
        #expect(Self.expected(seed: 2).map(\.popularity) == Self.expected(seed: 2).map(\.popularity))
    }
}
