import Evaluation
import Foundation
import Recommending
import TrainingFiles

/// Learns what items must cost so that none of them is in more than a share of the lists.
///
/// It asks for the lists that would serve the held-out questions, and raises the price of what is shown too often until the bound holds;
/// an item that is shown seldom again becomes cheaper. Lists are ordered anew among the first hundred items of each, by score less price.
/// No answer is looked at for the prices; what they cost of NDCG@10 is told, and a bound that would cost more than it may is loosened.
package struct PriceTraining {
    /// The bound.
    package let settings: ItemShareSettings
    /// Items that may be shown.
    package let itemCount: Int

    /// Questions that are looked at, at most.
    package static let questionsLimit = 2_000
    /// Items of a list that may stand in the first ten under prices.
    package static let depthItems = 100
    private static let rounds = 60
    /// A bound is loosened by this factor.
    private static let loosening = 1.5
    /// The bound is at least so many times the share that each item has where all are shown alike.
    private static let leastTimes = 3.0

    /// A list, best first, with what was to be found.
    package struct List {
        /// Rows with their final scores.
        package var ranked: [(row: Int32, score: Float)]
        /// The rows to be found.
        package var truth: [Int32]

        /// All of it.
        package init(ranked: [(row: Int32, score: Float)], truth: [Int32]) {
            self.ranked = ranked
            self.truth = truth
        }
    }

    /// What was learned.
    package struct Fitted {
        /// By row, above 0.
        package var prices: [Int32: Float]
        /// What was asked, what was done, and what it cost.
        package var record: ItemShareRecord
    }

    /// Prepares.
    package init(_ settings: ItemShareSettings, itemCount: Int) {
        self.settings = settings
        self.itemCount = itemCount
    }

    /// The bound that holds for a catalogue of this size: lists of ten of 30 items cannot do without any in a third of them.
    package var bound: Double {
        max(settings.limit, Self.leastTimes * Double(ListConcentration.places) / Double(max(1, itemCount)))
    }

    /// Whether anything is bounded.
    package var isWanted: Bool { bound < 1 }

    /// Prices for a model that serves; nil where nothing is bounded or nothing was asked.
    package func fitted(_ scoring: HoldoutScoring, _ served: (HoldoutScoring) -> ServedScoring) -> Fitted? {
        guard isWanted else { return nil }
        let sample = scoring.sampled(Self.questionsLimit), asked = served(sample)
        return fitted(
            sample.holdout.questions.map { List(ranked: asked.scored(Self.depthItems, $0), truth: $0.truth) })
    }

    /// Prices for lists; nil where nothing is bounded or there are none.
    package func fitted(_ lists: [List]) -> Fitted? {
        guard isWanted, !lists.isEmpty else { return nil }
        let before = ordered(lists, [:])
        var record = ItemShareRecord(limit: settings.limit, bound: bound, before: before.most, beforeNDCG: before.ndcg)
        var found = (prices: [Int32: Float](), most: before.most, ndcg: before.ndcg), wanted = bound
        let unit = unit(lists)
        while wanted < before.most {
            let prices = prices(lists, wanted, unit: unit), after = ordered(lists, prices)
            let cost = before.ndcg > 0 ? 1 - after.ndcg / before.ndcg : 0
            if record.askedCost == nil { record.askedCost = cost }
            if cost <= settings.cost {
                found = (prices, after.most, after.ndcg)
                break
            }
            wanted *= Self.loosening
        }
        record.bound = max(bound, min(1, wanted))
        (record.after, record.afterNDCG, record.priced) = (found.most, found.ndcg, found.prices.count)
        return Fitted(prices: found.prices, record: record)
    }

    /// What scores are measured in: their scatter within a list.
    private func unit(_ lists: [List]) -> Float {
        var sum = 0.0, count = 0.0
        for list in lists {
            let scores = list.ranked.lazy.map { Double($0.score) }.filter(\.isFinite), n = Double(scores.count)
            guard n > 1 else { continue }
            let mean = scores.reduce(0, +) / n
            sum += scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
            count += 1
        }
        let unit = Float((sum / max(1, count)).squareRoot())
        return unit.isFinite && unit > 0 ? unit : 1
    }

    /// The prices under which the most shown item comes nearest to the bound from above, or falls below it.
    private func prices(_ lists: [List], _ bound: Double, unit: Float) -> [Int32: Float] {
        var prices: [Int32: Float] = [:], best = (most: Double.infinity, prices: [Int32: Float]())
        for _ in 0..<Self.rounds {
            var shown: [Int32: Int] = [:]
            for list in lists { for row in top(list, prices) { shown[row, default: 0] += 1 } }
            let most = Double(shown.values.max() ?? 0) / Double(lists.count)
            if most < best.most { best = (most, prices) }
            guard most > bound else { break }
            for row in Set(shown.keys).union(prices.keys) {
                let share = Double(shown[row] ?? 0) / Double(lists.count)
                guard share > bound || prices[row] != nil else { continue }
                // A half more or a third less a round at most.
                let step = Float(0.5 * min(1, max(-0.5, log(share / bound))))
                let price = max(0, (prices[row] ?? 0) + step * unit)
                prices[row] = price > 0 ? price : nil
            }
        }
        return best.prices
    }

    /// The first ten under prices.
    private func top(_ list: List, _ prices: [Int32: Float]) -> [Int32] {
        guard !prices.isEmpty else { return list.ranked.prefix(ListConcentration.places).map(\.row) }
        // Of equal ones the former stays before.
        var best: [(row: Int32, score: Float)] = []
        best.reserveCapacity(ListConcentration.places + 1)
        for (row, score) in list.ranked {
            let own = score - (prices[row] ?? 0)
            if best.count == ListConcentration.places, own <= best[best.count - 1].score { continue }
            best.insert((row, own), at: best.firstIndex { $0.score < own } ?? best.count)
            if best.count > ListConcentration.places { best.removeLast() }
        }
        return best.map(\.row)
    }

    /// The share of the lists that hold the most shown item, and NDCG@10.
    private func ordered(_ lists: [List], _ prices: [Int32: Float]) -> (most: Double, ndcg: Double) {
        var metrics = RankingMetrics(cutoffs: [ListConcentration.places], catalogueSize: itemCount), shown: [Int32: Int] = [:]
        for list in lists {
            let rows = top(list, prices)
            for row in rows { shown[row, default: 0] += 1 }
            metrics.add(ranked: rows, relevant: list.truth)
        }
        return (Double(shown.values.max() ?? 0) / Double(lists.count), metrics.report()["NDCG@10"])
    }
}
