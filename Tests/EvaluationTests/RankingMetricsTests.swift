import Evaluation
import Testing

#if canImport(Glibc)
import Glibc
#endif

private func near(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-12, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(a != nil && abs((a ?? .nan) - b) < tolerance, "\(String(describing: a)) is not \(b)", sourceLocation: sourceLocation)
}

@Suite struct RankingMetricsTests {
    @Test func oneTruthItemEach() {
        // a: hit at rank 2; b: miss; c: no list.
        var metrics = RankingMetrics(cutoffs: [2, 1], catalogueSize: 5)
        metrics.add(ranked: [7, 3], relevant: [3])
        metrics.add(ranked: [7, 3], relevant: [4])
        metrics.add(ranked: [], relevant: [5])
        let report = metrics.report()
        near(report["Recall@2"], 1.0 / 3)
        near(report["Recall@1"], 0)
        near(report["Hit@2"], 1.0 / 3)
        near(report["NDCG@2"], 1 / log2(3.0) / 3)
        near(report["MRR@2"], 0.5 / 3)
        near(report.metrics["Recall@2"]?.standardError, ((1.0 / 3) * (2.0 / 3) / 2).squareRoot())
        #expect(report.users == 3 && report.truthPairs == 3)
        #expect(metrics.perUserNDCG.count == 3 && metrics.perUserNDCG[1] == 0)
    }

    @Test func repeatsMoveUpAndCoverageAndGini() {
        var metrics = RankingMetrics(cutoffs: [1, 2], catalogueSize: 5)
        metrics.add(ranked: [1, 1, 0], relevant: [0])
        metrics.add(ranked: [3], relevant: [3])
        let report = metrics.report()
        near(report["Recall@2"], 1)
        near(report["NDCG@2"], (1 / log2(3.0) + 1) / 2)
        near(report.coverageAt10, 3.0 / 5)
        near(report.giniAt10, 0.4)  // 0 0 1 1 1
        near(giniCoefficient(of: [5], catalogueSize: 1), 0)
        near(giniCoefficient(of: [10], catalogueSize: 10), 0.9)
        #expect(giniCoefficient(of: [], catalogueSize: 3) == nil)
    }

    @Test func slices() {
        // Events: s 3, q 2, x 1, so head = {s}, mid = {q} and tail = {x}; y and z are cold.
        let (s, q, x, y, z): (Int32, Int32, Int32, Int32, Int32) = (0, 1, 2, 3, 4)
        _ = s
        var metrics = RankingMetrics(cutoffs: [1, 2], catalogueSize: 5, slices: ItemSlices(counts: [3, 2, 1, 0, 0]))
        metrics.add(ranked: [q, y], relevant: [q, y])
        metrics.add(ranked: [y, x], relevant: [x, z])
        let report = metrics.report()
        #expect(report.slices["head"] == nil)
        let beyondHead = report.slices[ItemSlice.beyondHead]
        #expect(beyondHead?.users == 2 && report.slices["cold"]?.users == 2)
        #expect(report.slices["mid"]?.users == 1 && report.slices["tail"]?.users == 1)
        near(report.slices["mid"]?.metrics["NDCG@1"]?.mean, 1)
        near(report.slices["tail"]?.metrics["NDCG@2"]?.mean, 1 / log2(3.0))
        near(beyondHead?.metrics["Recall@1"]?.mean, 0.5)
        near(beyondHead?.metrics["Recall@2"]?.mean, 1)
        near(report.slices["cold"]?.metrics["Recall@2"]?.mean, 0.5)
        near(beyondHead?.metrics["NDCG@2"]?.mean, (1 + 1 / log2(3.0)) / 2)
        near(report.slices["cold"]?.metrics["NDCG@2"]?.mean, 1 / log2(3.0) / 2)
        near(report["NDCG@2"], (1 + 1 / log2(3.0) / (1 + 1 / log2(3.0))) / 2)
    }

    @Test func sliceBoundsAndTies() {
        // Six items with events: the head is ceil(1.2) = 2, the head and the middle are 3.
        let slices = ItemSlices(counts: [1, 1, 1, 1, 1, 1, 0], itemIDs: ["f", "e", "d", "c", "b", "a", "g"])
        #expect([5, 4].allSatisfy { slices.slice(of: $0) == .head })
        #expect(slices.slice(of: 3) == .mid)
        #expect([2, 1, 0].allSatisfy { slices.slice(of: $0) == .tail })
        #expect(slices.slice(of: 6) == .cold)
        #expect(slices.slice(of: 99) == .cold)
    }

    @Test func severalListsOfAUserCountOnce() {
        // The first user's lists are worth 1 and 0, the second's one list 1/log2(3).
        let scorer = ListScorer(cutoffs: [2])
        var first = ListScoreSums(), second = ListScoreSums()
        first.add(scorer, ranked: [0, 1], relevant: [0])
        first.add(scorer, ranked: [0, 1], relevant: [2])
        first.add(scorer, ranked: [0, 1], relevant: [])
        second.add(scorer, ranked: [3, 4], relevant: [4])
        var metrics = RankingMetrics(cutoffs: [2], catalogueSize: 10)
        metrics.add(first)
        metrics.add(second)
        metrics.add(ListScoreSums())
        let report = metrics.report()
        #expect(report.users == 2 && first.lists == 2 && report.truthPairs == 3)
        near(report["NDCG@2"], (0.5 + 1 / log2(3.0)) / 2)
        near(report["MRR@2"], 0.5)
        near(report.coverageAt10, 0.4)
        #expect(metrics.perUserNDCG.count == 2)
    }

    @Test func gains() {
        var metrics = RankingMetrics(cutoffs: [1, 3], catalogueSize: 9)
        metrics.add(ranked: [0, 5, 1], relevant: [0, 1], gains: [1, 3])
        let report = metrics.report()
        near(report["gNDCG@3"], (1 + 3 / log2(4.0)) / (3 + 1 / log2(3.0)))
        near(report["gNDCG@1"], 1.0 / 3)
        near(report["NDCG@3"], 1.5 / (1 + 1 / log2(3.0)))
        near(report["Recall@1"], 0.5)
    }

    @Test func topRowsAgreesWithSorting() {
        var state: UInt64 = 7
        let scores = (0..<500).map { _ -> Float in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40).truncatingRemainder(dividingBy: 37)  // many ties
        }
        for count in [1, 3, 10, 499, 600] {
            var rows: [Int32] = (0..<500).filter { $0 % 7 != 0 }
            rows.sort { a, b in
                let (left, right) = (scores[Int(a)], scores[Int(b)])
                return left != right ? left > right : a < b
            }
            let expected = Array(rows.prefix(count))
            #expect(topRows(count, of: scores) { $0 % 7 == 0 } == expected)
        }
        #expect(topRows(2, of: [.nan, 1, .nan]) == [1])
        #expect(topRows(0, of: [1]).isEmpty)
    }
}
