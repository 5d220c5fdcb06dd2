import Evaluation
import Learning
import Recommending
import Tensors
import Testing

@Suite("Prices keep an item from filling everybody's list")
struct PriceTrainingTests {
    private static func training(_ items: Int = 1_000, limit: Double = 0.1, cost: Double = 0.02) -> PriceTraining {
        PriceTraining(ItemShareSettings(limit: limit, cost: cost), itemCount: items)
    }

    /// 400 lists of 40 of 1,000 items by chance, of which one, row 0, is first in six of ten lists, here by more and there by less. What is
    /// to be found stands second, or is row 0 itself.
    private static func lists(findsDoormat: Bool = false) -> [PriceTraining.List] {
        var random = SeededGenerator(seed: 3, stream: 1)
        return (0..<400).map { number in
            var rows: [Int32] = []
            while rows.count < 40 {
                let row = Int32(1 + random.next(below: 999))
                if !rows.contains(row) { rows.append(row) }
            }
            var ranked = rows.enumerated().map { (place: Int, row: Int32) -> (row: Int32, score: Float) in (row, 4 - 0.1 * Float(place)) }
            if number % 10 < 6 { ranked.insert((row: 0, score: 4.1 + 2 * Float(number % 40) / 40), at: 0) }
            return PriceTraining.List(ranked: ranked, truth: [findsDoormat && number % 10 < 6 ? 0 : rows[0]])
        }
    }

    @Test("a doormat that stands in six of ten lists is in as many as may be, at no cost where nobody takes it")
    func planted() throws {
        let found = try #require(Self.training().fitted(Self.lists())), record = found.record
        #expect(record.before == 0.6 && (record.after ?? 1) <= 0.1 && record.bound == 0.1)
        #expect((found.prices[0] ?? 0) > 0 && found.prices.count < 20 && found.prices.count == record.priced)
        #expect(found.prices.values.allSatisfy { $0.isFinite && $0 > 0 })
        // What is to be found moves up where the doormat goes.
        #expect((record.afterNDCG ?? 0) > record.beforeNDCG && record.cost < 0 && (record.askedCost ?? 1) < 0)
        #expect(record.sentence.contains("was in 60.0 %, and is in ") && record.sentence.contains("with prices on "), "\(record.sentence)")
    }

    @Test("a bound that would cost more than it may is loosened, and where any would, nothing is bounded")
    func cost() throws {
        let lists = Self.lists(findsDoormat: true)
        let strict = try #require(Self.training(cost: 1).fitted(lists))
        #expect((strict.record.after ?? 1) <= 0.1 && (strict.record.askedCost ?? 0) > 0.2 && strict.record.cost > 0.2)
        let loose = try #require(Self.training(cost: 0.001).fitted(lists))
        #expect(loose.prices.isEmpty && loose.record.after == 0.6 && loose.record.cost == 0)
        #expect(loose.record.askedCost == strict.record.askedCost)
        #expect(loose.record.sentence.contains("stays there: no prices help"), "\(loose.record.sentence)")
        let between = try #require(Self.training(cost: 0.4).fitted(lists)), after = try #require(between.record.after)
        #expect(after > 0.1 && after < 0.6 && between.record.cost <= 0.4 && between.record.bound > 0.1)
        #expect(between.record.sentence.contains("the bound asked for would cost"), "\(between.record.sentence)")
    }

    @Test("the bound is never below what the catalogue allows, and a small one has none")
    func small() throws {
        #expect(Self.training(1_000).bound == 0.1 && Self.training(100).bound == 0.3 && Self.training(30).bound == 1)
        #expect(Self.training(30).fitted(Self.lists()) == nil && Self.training(0).fitted(Self.lists()) == nil)
        #expect(Self.training(limit: 1).fitted(Self.lists()) == nil && Self.training().fitted([]) == nil)
    }

    @Test("where nothing is too often there are no prices, and odd scores do no harm")
    func odd() throws {
        let bounded = Self.lists().map { PriceTraining.List(ranked: $0.ranked.filter { $0.row > 0 }, truth: $0.truth) }
        let calm = try #require(Self.training().fitted(bounded))
        #expect(calm.prices.isEmpty && calm.record.askedCost == nil && calm.record.sentence.contains("most shown item is in"))
        let ranked = (0..<30).map { (row: Int32) -> (row: Int32, score: Float) in (row, 1) }
        let same = (0..<40).map { (list: Int32) -> PriceTraining.List in PriceTraining.List(ranked: ranked, truth: [list % 30]) }
        let equal = try #require(Self.training(cost: 1).fitted(same))
        // Where all are shown the same for the same reasons, whatever gives way gives way to another one for all.
        #expect(equal.record.before == 1 && equal.record.after == 1 && equal.prices.isEmpty)
        for score in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude] {
            let odd = ranked.map { (found: (row: Int32, score: Float)) -> (row: Int32, score: Float) in (found.row, score) }
            let lists = same.map { PriceTraining.List(ranked: odd, truth: $0.truth) }
            #expect(Self.training(cost: 1).fitted(lists)?.prices.values.allSatisfy { $0.isFinite && $0 > 0 } == true, "\(score)")
        }
        let bare = (0..<40).map { (list: Int) -> PriceTraining.List in
            PriceTraining.List(ranked: list % 2 == 0 ? [] : Array(ranked[5..<6]), truth: [])
        }
        #expect(Self.training().fitted(bare)?.record.before == 0.5)
    }

    @Test("a model's prices are learned with its parts, published with them, and hold where it serves")
    func served() throws {
        // Everybody takes item 0 now and then, and what is their own in between.
        let log = PlantedLog.log(users: 120, events: 30, items: 400, seed: 4) { user, had, random in
            had.count % 3 == 1 ? 0 : 1 + (user % 19) * 21 + random.next(below: 21)
        }
        var settings = SmallSettings.learning(.newest(share: 0.1))
        settings.itemShare.cost = 1
        let scoring = try SmallSettings.scoring(log, settings)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let parts = PartsJudging(model, scoring: scoring, settings: settings), record = try #require(parts.prices?.record)
        var free = settings
        free.itemShare.limit = 1
        let unbounded = PartsJudging(model, scoring: scoring, settings: free)
        #expect(unbounded.prices == nil && unbounded.weights.prices == nil && unbounded.bundles.allSatisfy { $0.prices.isEmpty })
        let before = scoring.score(unbounded.bundles, settings: free), after = scoring.score(parts.bundles, settings: settings)
        #expect(before.report.concentration?.mostShownShare == record.before && record.before > record.bound)
        let most = try #require(after.report.concentration).mostShownShare, told = try #require(record.after)
        #expect(abs(most - told) < 0.03 && most < record.before, "\(most) beside \(told), \(record.before) before")
        #expect(abs(after.report["NDCG@10"] - (record.afterNDCG ?? 0)) < 0.02)
        let published = BundleTraining(log: log, settings: settings).bundle(model, parts.weights, rows: scoring.trainingRows)
        #expect(!published.prices.isEmpty && published.prices == parts.weights.prices && PartWeights(published).prices == published.prices)
    }
}
