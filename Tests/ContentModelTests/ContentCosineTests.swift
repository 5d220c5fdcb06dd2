import ContentModel
import Tensors
import Testing

@Suite("The cosine of contents as a rival")
struct ContentCosineTests {
    /// Six known items and three new ones, of two kinds; everybody's word says nothing, and a rare one more than a common one.
    private static let contents = [
        ["tea", "green", "all"], ["tea", "black", "all"], ["tea", "green", "leaf", "all"], ["mug", "clay", "all"], ["mug", "glass", "all"],
        ["mug", "clay", "all"], ["tea", "leaf", "all"], ["mug", "glass", "all"], ["mug", "clay", "tea", "all"],
    ].map { ItemContent(tags: $0) }

    /// Items 3 and 5 are taken most.
    private static let learning: ContentLearning = {
        let events: [Int32] = [0, 1, 2, 3, 5, 3, 5, 3, 5, 4, 3, 5]
        let users = [0..<3, 3..<5, 5..<7, 7..<10, 10..<12]
        return events.withUnsafeBufferPointer {
            ContentLearning(
                itemIDs: contents.indices.map { "i\($0)" }, contents: contents, users: users, events: $0, clock: 0, rules: ContentRules())
        }
    }()

    private static let rival = ContentCosine(learning, items: [6, 7, 8].map { learning.items[$0] })

    /// The cosine by its definition.
    private func plain(_ history: [Int], _ item: Int) -> Float {
        var profile: [Int32: Float] = [:]
        for vector in history.map({ Self.learning.vectors[$0] }) {
            for (token, weight) in zip(vector.tokens, vector.weights) { profile[token, default: 0] += weight }
        }
        let own = Self.learning.items[item].vector
        let length = own.weights.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        let all = profile.values.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        return zip(own.tokens, own.weights).reduce(Float(0)) { $0 + $1.1 * (profile[$1.0] ?? 0) } / (length * all)
    }

    @Test("the usual one is the cosine of the channel's vectors, repeats once; fewer items are the newest")
    func cosine() {
        let found = Self.rival.cosines([0, 3, 0, 2], ContentCosine.plain[0])
        for (place, item) in [6, 7, 8].enumerated() { #expect(abs(found[place] - plain([0, 3, 2], item)) < 1e-5) }
        #expect(found.allSatisfy { $0 >= 0 && $0 <= 1.0001 })
        let newest = ContentCosine.Setting(newestItems: 2)
        let last = Self.rival.cosines([3, 4, 0, 2], newest)
        for (place, item) in [6, 7, 8].enumerated() { #expect(abs(last[place] - plain([0, 2], item)) < 1e-5) }
        #expect(last[0] > last[1])
        #expect(Self.rival.cosines([], ContentCosine.plain[0]) == [0, 0, 0], "nobody's history is like nothing")
    }

    @Test("rarity counts by its power, and a power that is not among the tried ones counts alike")
    func rarity() {
        let rare = Self.rival.cosines([2], ContentCosine.Setting(rarityPower: 2))
        let usual = Self.rival.cosines([2], ContentCosine.Setting()), even = Self.rival.cosines([2], ContentCosine.Setting(rarityPower: 0))
        // What all have in common counts the less the rarer the rest is.
        #expect(rare[1] < usual[1] && usual[1] < even[1] && rare[0] > rare[2])
        #expect(even.allSatisfy { $0 > 0 && $0 <= 1.0001 })
    }

    @Test("popularity decides between items that are as like, and where nothing is known of the user")
    func popularity() {
        let popular = Self.rival.popularity
        #expect(popular.count == 3 && popular[1] != popular[0])
        let best = popular.indices.max { popular[$0] < popular[$1] }
        for setting in ContentCosine.weighed {
            let scores = Self.rival.scores([0, 0, 0], setting)
            #expect(scores.indices.max { scores[$0] < scores[$1] } == best && scores.allSatisfy { $0 > 0 && $0.isFinite })
        }
        #expect(Self.rival.scores([0.1, 0.9, 0.2], ContentCosine.plain[0]) == [0.1, 0.9, 0.2])
        #expect(Set(ContentCosine.weighed.map(\.profile)) == Set(ContentCosine.plain))
    }
}
