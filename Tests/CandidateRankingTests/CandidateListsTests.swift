import CandidateRanking
import Testing

@Suite("Questions to learn an order from")
struct CandidateListsTests {
    @Test("questions lie one behind the other, and one that says nothing is left out")
    func append() {
        var lists = CandidateLists(width: 2, goals: 2)
        lists.append(signals: [1, 2, 3, 4], gains: [[0, 1], [0, 9]], group: 1)
        lists.append(signals: [5, 6], gains: [[1], [2]], group: 0)
        lists.append(signals: [], gains: [[], []], group: 0)
        lists.append(signals: [7, 8, 9, 10, 11, 12], gains: [[1, 0, 0], [3, 0, 0]], group: 0)
        #expect(lists.count == 2 && lists.groups == [1, 0] && lists.starts == [0, 2, 5])
        #expect(lists.candidates(of: 1) == 2..<5 && lists.signals.suffix(6) == [7, 8, 9, 10, 11, 12])
        #expect(lists.gains == [[0, 1, 1, 0, 0], [0, 9, 3, 0, 0]])
    }
}
