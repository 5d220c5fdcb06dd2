import Evaluation
import Testing

@Suite struct RivalsAndSplitsTests {
    @Test func popularity() {
        let rival = PopularityRival(items: [2, 1, 2, 0, 1, 2], itemCount: 4)
        #expect(rival.scores == [1, 2, 3, 0])
        #expect(rival.rank(3) == [2, 1, 0])
        #expect(rival.rank(2, excluding: [2]) == [1, 0])
    }

    @Test func recentPopularityHalvesWithAge() {
        let rival = RecentPopularityRival(items: [0, 0, 1, 2], times: [0, 0, 100, 300], itemCount: 3, now: 200, halfLifeMilliseconds: 100)
        #expect(rival.scores == [0.5, 0.5, 1])
        #expect(rival.rank(3) == [2, 0, 1])
    }

    @Test func markovByHand() {
        // 0→1 once at distance 1 and 0→2 at distance 2, twice the latter as 2 also follows 1 in the other user.
        let rival = MarkovRival(sequences: [[0, 1, 2], [1, 2]], itemCount: 4)
        // Leaving: 0: 1.5, 1: 2. Reaching: 1: 1, 2: 2.5.
        let scores = rival.scores(history: [0, 1])
        let expected2 = 2 / (2 * 2.5 as Float).squareRoot() + 0.8 * 0.5 / (1.5 * 2.5 as Float).squareRoot()
        #expect(abs(scores[2] - expected2) < 1e-6)
        #expect(abs(scores[1] - 0.8 / (1.5 as Float).squareRoot()) < 1e-6)
        #expect(scores[0] == 0 && scores[3] == 0)
        #expect(rival.rank(1, history: [0, 1], excluding: [1]) == [2])
        #expect(rival.scores(history: [-1, 99]) == [0, 0, 0, 0])
    }
}
