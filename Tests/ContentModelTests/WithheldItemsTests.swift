import ContentModel
import Testing

@Suite struct WithheldItemsTests {
    private let ids = (0..<100).map { "i\($0)" }

    private func newest(dates: [Int64?], counts: [Int]) -> [Bool]? {
        WithheldItems.newest(contents: dates.map { ItemContent(publishedAt: $0) }, counts: counts)
    }

    @Test func theNewestFifthOfWhatWasTakenIsWithheld() throws {
        let dates = (0..<100).map { Int64?.some(Int64($0 * 37 % 100) * 86_400_000) }
        var counts = [Int](repeating: 5, count: 100)
        // The very newest was never taken: it is what arrives, not what is withheld.
        let untaken = try #require(dates.firstIndex(of: 99 * 86_400_000))
        counts[untaken] = 0
        let chosen = try #require(newest(dates: dates, counts: counts))
        #expect(!chosen[untaken])
        let days = ids.indices.filter { chosen[$0] }.compactMap { dates[$0].map { $0 / 86_400_000 } }.sorted()
        #expect(days == Array(80...98))
    }

    @Test func itemsOfOneDateAreWithheldTogether() {
        // 25 items of the newest date: more than a fifth, but no reason to tell them apart.
        let dates = (0..<100).map { Int64?.some($0 < 75 ? Int64($0) : 1_000) }
        #expect(newest(dates: dates, counts: [Int](repeating: 1, count: 100))?.count { $0 } == 25)
    }

    @Test func datesThatDoNotTellChooseNothing() {
        let counts = [Int](repeating: 3, count: 100)
        #expect(newest(dates: [Int64?](repeating: nil, count: 100), counts: counts) == nil)
        #expect(newest(dates: [Int64?](repeating: 7, count: 100), counts: counts) == nil, "one delivery")
        let few = (0..<100).map { $0 % 4 == 0 ? nil : Int64?.some(Int64($0)) }
        #expect(newest(dates: few, counts: counts) == nil, "three quarters are too few")
        #expect(WithheldItems.newest(contents: [], counts: []) == nil)
        let drawn = WithheldItems.atRandom(itemIDs: ids).count { $0 }
        #expect(8...35 ~= drawn)
    }

    @Test func whatHadNoTimeToBeFoundDoesNotStandForTheNew() {
        let dates = (0..<100).map { Int64?.some(Int64($0)) }
        #expect(newest(dates: dates, counts: (0..<100).map { $0 < 80 ? 10 : 1 }) == nil)
        #expect(newest(dates: dates, counts: (0..<100).map { $0 < 80 ? 10 : 6 }) != nil)
    }
}
