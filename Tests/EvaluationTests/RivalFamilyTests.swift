import Evaluation
import Testing

@Suite("Rivals that somebody would try in an afternoon")
struct RivalFamilyTests {
    private static let day: Int64 = 86_400_000

    @Test("neighbours are those of a count over all pairs, with rare pairs damped")
    func itemItem() {
        // A small generator, so that the sets are the same in every run.
        var state: UInt64 = 7
        func next(_ bound: UInt64) -> Int { state = state &* 6_364_136_223_846_793_005 &+ 1; return Int(state >> 33) % Int(bound) }
        let count = 12, sequences = (0..<40).map { _ in (0..<(1 + next(8))).map { _ in Int32(next(12)) } }
        let sets = sequences.map(Set.init)
        for shrinkage in [Float(0), 5] {
            let rival = ItemItemRival(sequences: sequences, itemCount: count, shrinkage: shrinkage)
            func users(_ items: [Int32]) -> Float { Float(sets.count { $0.isSuperset(of: items) }) }
            let history: [Int32] = [3, 7, 3, 99, -1], question = RivalQuestion(history: history, times: [0, 1, 2, 3, 4], now: 5)
            let found = rival.scores(question)
            for item in 0..<Int32(count) {
                let expected = [Int32(3), 7].reduce(Float(0)) { sum, own in
                    let both = users([own, item])
                    guard own != item, both > 0 else { return sum }
                    return sum + both / (users([own]) * users([item])).squareRoot() * both / (both + shrinkage)
                }
                #expect(abs(found[Int(item)] - expected) < 1e-5)
            }
        }
    }

    @Test("only the newest distinct items of a history are asked")
    func lastItems() {
        let rival = ItemItemRival(sequences: [[0, 1], [2, 3]], itemCount: 4, shrinkage: 0, lastItems: 1)
        let found = rival.scores(RivalQuestion(history: [0, 2, 2], times: [0, 1, 2], now: 3))
        #expect(found == [0, 0, 0, 1])
    }

    @Test("with a half-life the newer of two own items comes first, without one the more frequent; both before what is not one's own")
    func buyAgain() {
        let counts: [Float] = [1, 1, 1_000, 5]
        let question = RivalQuestion(history: [0, 0, 1], times: [0, 0, 100 * Self.day], now: 101 * Self.day)
        func order(_ halfLife: Int64?) -> [Int32] {
            let rival = BuyAgainRival(counts: counts, popularity: halfLife == nil ? 0.999 : 1e-7, halfLifeMilliseconds: halfLife)
            return topRows(4, of: rival.scores(question))
        }
        #expect(order(nil) == [0, 1, 2, 3])
        #expect(order(10 * Self.day) == [1, 0, 2, 3])
        // However short the half-life: what is one's own is not lost behind the popular.
        #expect(Set(order(60_000).prefix(2)) == [0, 1])
        // Where popularity is worth two times, what everybody takes stands before what one had once, and not before what one had thrice.
        let strong = BuyAgainRival(counts: [1, 1, 10, 5], popularity: 2)
        #expect(topRows(4, of: strong.scores(history: [0, 0, 0, 1])) == [0, 2, 1, 3])
    }

    @Test("a window counts what lies in it, and everything else by all its events")
    func window() {
        let events: [(Int32, Int64)] = [(0, 0), (0, 1), (0, 2), (1, 50), (2, 3)]
        let rival = RecentPopularityRival(itemCount: 4, now: 60, windowMilliseconds: 20) { add in
            for (item, time) in events { add(item, time) }
        }
        #expect(topRows(4, of: rival.scores) == [1, 0, 2, 3])
    }

    @Test("where a rival has nothing to say, the popular follow in their order")
    func backed() {
        let markov = MarkovRival(sequences: [[0, 3], [0, 3]], itemCount: 4)
        let backed = BackedRival(markov, counts: [2, 5, 9, 2])
        #expect(topRows(4, of: backed.scores(RivalQuestion(history: [0], times: [0], now: 1))) == [3, 2, 1, 0])
    }

    @Test("one Gram matrix gives every λ what a solution from nothing gives")
    func gram() {
        let sequences: [[Int32]] = [[0, 1], [1, 2], [0, 1, 2], [3]]
        let gram = EASERival.Gram(sequences: sequences, itemCount: 4)
        for lambda in [Float(1), 30] {
            let apart = EASERival(sequences: sequences, itemCount: 4, lambda: lambda).scores(history: [0, 3])
            #expect(EASERival(gram, lambda: lambda).scores(history: [0, 3]) == apart)
        }
    }

    @Test("kinds have settings of their own, in words, and buying again is one where things may be shown again")
    func families() {
        let data = RivalData(itemCount: 2, counts: [2, 1], sequences: [[0, 1], [0]], oldest: 0, newest: 300 * Self.day) { add in
            add(0, 0)
            add(1, 300 * Self.day)
        }
        let names = data.families().map(\.contestant)
        #expect(names == [.popularity, .recentPopularity, .windowedMarkov, .ease, .itemItem, .buyAgain])
        #expect(data.counting.map(\.contestant) == [.popularity, .recentPopularity, .buyAgain])
        for family in data.families() {
            let words = family.settings.map(\.words)
            #expect(Set(words).count == words.count && (words.count == 1 || words.count(where: \.isEmpty) <= 1))
            for setting in family.settings {
                #expect(setting.learn().scores(RivalQuestion(history: [0], times: [0], now: 1)).count == 2)
            }
        }
        #expect(data.families()[1].settings.map(\.words).contains("half-life 30.0 days"))
        #expect(data.families()[1].settings.map(\.words).contains("the last 28 days"))
        // Everything at one instant has no windows, and no half-life of nothing.
        let instant = RivalData(itemCount: 1, counts: [1], sequences: [[0]], oldest: 5, newest: 5) { $0(0, 5) }
        let question = RivalQuestion(history: [], times: [], now: 6)
        #expect(instant.families()[1].settings.allSatisfy { $0.learn().scores(question) == [1] })
    }
}
