import Evaluation
import Testing

@Suite("How much the lists of many people are one list")
struct ListConcentrationTests {
    private static let ids = (0..<200).map { "i\($0)" }

    private static func report(
        _ lists: [[Int32]], had: Set<Int32> = [], new: Set<Int32> = [], kinds: Set<Int32> = []
    ) -> ListConcentration? {
        var counter = ListConcentration.Counter(itemCount: ids.count)
        for list in lists { counter.add(list, had: had.contains, isNew: new.contains, hadKind: kinds.contains) }
        return counter.report(itemIDs: ids)
    }

    @Test("the most shown item, the ten most shown, repeats and new ones are told of the first ten of each list")
    func planted() throws {
        // Item 7 is in every list of ten, nine others are in one list each; what follows the tenth counts for nothing.
        let lists = (0..<4).map { (list: Int32) -> [Int32] in
            let own = (0..<9).map { (place: Int32) -> Int32 in 10 + 9 * list + place }
            return [7] + own + [99, 98]
        }
        let found = try #require(Self.report(lists, had: [7, 10], new: [10, 11, 12, 99], kinds: Set(7...20)))
        #expect(found.lists == 4 && found.mostShownItem == "i7" && found.mostShownShare == 1)
        #expect(found.tenMostShownShare == 13.0 / 40 && found.distinctItems == 37)
        #expect(found.repeatShare == 5.0 / 40 && found.newShare == 2.0 / 40)
        // What is of a kind that the user had is no discovery, nor is what they had or what is new: 10 to 20 are of such kinds.
        #expect(found.discoveryShare == 25.0 / 40)
    }

    @Test("of more than 1,000 lists the items are told that so many of them would hold")
    func sampled() throws {
        // All hold one item, and each of 100 others stands in 20 lists: chance that none of 1,000 of 2,000 lists has it, 2^-20.
        let lists = (0..<2_000).map { (list: Int32) -> [Int32] in [0, 1 + list % 100] }
        let many = try #require(Self.report(lists))
        #expect(many.distinctItems > 100.99 && many.distinctItems <= 101)
        // Each of 150 stands in one of 3,000 lists: a third of them is seen.
        let few = (0..<3_000).map { (list: Int32) -> [Int32] in list < 150 ? [0, 1 + list] : [0] }
        let rare = try #require(Self.report(few))
        #expect(abs(rare.distinctItems - 51) < 1e-9)
        #expect(Self.report(Array(lists.prefix(1_000)))?.distinctItems == 101)
    }

    @Test("no lists, empty lists, and rows that stand twice")
    func odd() throws {
        #expect(Self.report([]) == nil)
        let empty = try #require(Self.report([[], []]))
        #expect(empty.mostShownItem == nil && empty.mostShownShare == 0 && empty.distinctItems == 0 && empty.repeatShare == 0)
        let twice = try #require(Self.report([[3, 3, 3, 4]]))
        #expect(twice.tenMostShownShare == 1 && twice.distinctItems == 2 && twice.mostShownItem == "i3")
    }
}
