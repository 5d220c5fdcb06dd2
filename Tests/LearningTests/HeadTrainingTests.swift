import ContentModel
import Evaluation
import Interactions
import Learning
import Recommending
import Tensors
import Testing
import TowerModel
import TrainingFiles

@Suite("Heads learn what is bought after a click, and what an order is worth")
struct HeadTrainingTests {
    /// Of sixteen items the first eight are bought whenever they are clicked, for a lot or a little; the others are dear and never bought.
    static func log(users: Int = 50, paid: Bool = true) -> TrainingLog {
        var random = SeededGenerator(seed: 8, stream: 2), events: [SmallLog.Event] = []
        for user in 0..<users {
            for event in 0..<8 {
                let item = random.next(below: 16), time = PlantedLog.time(user, event)
                events.append(SmallLog.Event(user: PlantedLog.user(user), item: PlantedLog.item(item), time: time))
                guard item < 8 else { continue }
                events.append(
                    SmallLog.Event(
                        user: PlantedLog.user(user), item: PlantedLog.item(item), time: time + 1_000, type: .purchase,
                        amount: paid ? item < 4 ? 9_000 : 300 : -1))
            }
        }
        var log = SmallLog.of(events, items: (0..<16).map(PlantedLog.item))
        log.contents = (0..<16).map {
            ItemContent(categories: [$0 < 8 ? "small" : "large"], priceMicros: ($0 < 8 ? 5 : 900) * 1_000_000)
        }
        return log
    }

    private struct Learned {
        var outcome: HeadTraining.Outcome
        var builder: HeadExamplesBuilder
    }

    private static func builder(_ log: TrainingLog, _ scoring: HoldoutScoring) throws -> HeadExamplesBuilder {
        let training = BlendTraining(log: log, settings: SmallSettings.blend)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let heads = HeadTraining(log: log, settings: SmallSettings.learning().heads)
        return HeadExamplesBuilder(
            scoring: scoring, judged: JudgedRanking(model, scoring: scoring, training: training), training: training,
            tables: heads.tables(scoring.trainingRows))
    }

    private static func learned(_ log: TrainingLog, tunesValue: Bool = false) throws -> Learned {
        let builder = try builder(log, SmallSettings.scoring(log, SmallSettings.learning(.newest(share: 0.3))))
        var settings = SmallSettings.learning().heads
        settings.tunesValue = tunesValue
        let outcome = HeadTraining(log: log, settings: settings).learn(builder.scoring, judged: builder.judged, training: builder.training)
        return Learned(outcome: try #require(outcome), builder: builder)
    }

    @Test("purchases and worth are told apart on users whom the heads did not learn from; the same log gives the same heads")
    func planted() throws {
        let log = Self.log(), learned = try Self.learned(log, tunesValue: true)
        var sums = [Double](repeating: 0, count: 2), worth = sums
        for question in learned.builder.scoring.holdout.questions {
            let seen = HeadSight(question, learned.builder)
            let features = (0..<16).flatMap { seen.features(of: Int32($0)) }
            let outputs = features.withUnsafeBufferPointer { learned.outcome.halves[question.user % 2].outputs($0) }
            for (row, output) in outputs.enumerated() {
                sums[row < 8 ? 1 : 0] += Double(output.conversionProbability)
                if row < 8 { worth[row < 4 ? 1 : 0] += Double(output.logValue) }
            }
        }
        let asked = Double(8 * learned.builder.scoring.holdout.questions.count)
        #expect(sums[1] / asked > sums[0] / asked + 0.3, "\(sums.map { $0 / asked })")
        #expect(worth[1] > worth[0] + asked / 100, "\(worth)")

        let record = learned.outcome.record, points = try #require(record.points)
        #expect(record.clicks == true && record.purchases == true && record.values == true)
        #expect(record.examplesFrom?.hasPrefix("sampled negatives") == true && points.count == 24)
        // The power of value that is best for what was paid is taken.
        let best = points.filter { $0.conversion == record.conversionPower }.map { $0.gainNDCG ?? 0 }.max()
        let taken = points.first {
            $0.conversion == record.conversionPower && $0.value == record.valuePower && $0.clickHead == record.clickHead
        }
        #expect(taken?.gainNDCG == best && best ?? 0 > 0)
        #expect(learned.outcome.halves.allSatisfy { $0.weights.powers == learned.outcome.weights.powers })
        // The front is what no other point beats.
        for point in points {
            let isBeaten = points.contains {
                ($0.ndcg ?? 0) >= point.ndcg ?? 0 && ($0.gainNDCG ?? 0) >= point.gainNDCG ?? 0
                    && (($0.ndcg ?? 0) > point.ndcg ?? 0 || ($0.gainNDCG ?? 0) > point.gainNDCG ?? 0)
            }
            #expect(point.front == !isBeaten)
        }
        let again = try Self.learned(log, tunesValue: true)
        #expect(again.outcome.weights == learned.outcome.weights)
    }

    @Test("a click head ranks where it finds surely more, and where turnover counts does not cost any")
    func ranksBetter() {
        /// Lists that find the first of two items at a place from 0, of which the second is worth more; `both`: the second right behind it.
        func point(_ places: [Int], both: Bool) -> HeadTraining.Point {
            var metrics = RankingMetrics(cutoffs: [10], catalogueSize: 50)
            for place in places {
                let list = (0..<10).map { Int32($0 == place ? 1 : both && $0 == place + 1 ? 2 : $0 + 10) }
                metrics.add(ranked: list, relevant: [1, 2], gains: [1, 9])
            }
            return HeadTraining.Point(
                powers: ObjectivePowers(), usesClickHead: false, report: metrics.report(), perUserNDCG: metrics.perUserNDCG)
        }
        let places = (0..<40).map { $0 % 4 + 1 }
        let ranking = point(places, both: false), better = point(places.map { $0 - 1 }, both: false)
        #expect(better.ranksBetter(than: ranking, keepsWorth: true))
        #expect(!ranking.ranksBetter(than: ranking, keepsWorth: false))
        // One better answer of forty is chance.
        var once = places
        once[0] = 0
        #expect(!point(once, both: false).ranksBetter(than: ranking, keepsWorth: false))
        // What finds more and earns less is better only where turnover does not count.
        let dear = point(places.map { $0 + 5 }, both: true)
        #expect(better.ranksBetter(than: dear, keepsWorth: false) != better.ranksBetter(than: dear, keepsWorth: true))
    }

    @Test("without prices paid or impressions there is nothing to learn; nor where no heads are wanted")
    func unwanted() throws {
        let settings = SmallSettings.learning().heads
        #expect(!HeadTraining(log: Self.log(users: 3, paid: false), settings: settings).isWanted)
        #expect(HeadTraining(log: Self.log(users: 3), settings: settings).isWanted)
        var off = settings
        off.isWanted = false
        #expect(!HeadTraining(log: Self.log(users: 3), settings: off).isWanted)
        var shown = Self.log(users: 3, paid: false)
        shown.impressions = ImpressionColumns(users: [0], items: [1], times: [5], outcomes: [0], amounts: [0])
        #expect(HeadTraining(log: shown, settings: settings).isWanted)
    }

    @Test("worth is counted of orders in the rows that may be learned from")
    func tables() {
        var events = SmallLog.clicks("a", at: [1, 2])
        events += [
            SmallLog.Event(user: "a", item: "i0", time: 3, type: .purchase, amount: 100),
            SmallLog.Event(user: "b", item: "i0", time: 4, type: .purchase, amount: 300),
            SmallLog.Event(user: "b", item: "i1", time: 5, type: .purchase, amount: -1),
            SmallLog.Event(user: "b", item: "i1", time: 99, type: .purchase, amount: 1_000_000),
        ]
        let log = SmallLog.of(events), heads = HeadTraining(log: log, settings: SmallSettings.learning().heads)
        let tables = heads.tables([log.rows(of: 0), log.rows(of: 1).dropLast()])
        #expect(tables.meanAmountMinor == 200 && tables.itemCount == 2)
        #expect(heads.tables(log.userIDs.indices.map { log.rows(of: $0) }).meanAmountMinor > 200)
    }

    @Test("what was shown later teaches where enough of it was taken, what somebody declined teaches always")
    func examples() throws {
        var log = Self.log()
        let scoring = try SmallSettings.scoring(log, SmallSettings.learning(.newest(share: 0.3)))
        let border = try #require(scoring.holdout.border)
        let sampled = try Self.builder(log, scoring).build()
        #expect(!sampled.fromImpressions && sampled.declined == 0 && sampled.examples.count > 0)
        let clicked = sampled.examples.examples.filter { $0.click > 0 }
        #expect(sampled.examples.examples.contains { $0.click == 0 && $0.weight > 0 } && clicked.contains { $0.isBought && $0.value > 0 })

        // One dislike of an item that the user does not take later, and one from before the border.
        let question = try #require(scoring.holdout.questions.first)
        let unwanted = try #require((0..<16).map { Int32($0) }.first { !question.truth.contains($0) })
        log.impressions.append(
            user: Int32(question.user), item: unwanted, time: border + 1, outcomes: ImpressionColumns.declined, amount: 0)
        log.impressions.append(
            user: Int32(question.user), item: unwanted, time: border - 1, outcomes: ImpressionColumns.declined, amount: 0)
        func built(_ log: TrainingLog) throws -> HeadExamplesBuilder.Built {
            try Self.builder(log, HoldoutScoring(log: log, holdout: scoring.holdout, excludes: [], threads: 1)).build()
        }
        let declined = try built(log)
        #expect(declined.declined <= 1 && declined.examples.count <= sampled.examples.count + 1)

        // Two hundred that were taken make what was shown the teacher.
        for place in 0..<400 {
            log.impressions.append(
                user: Int32(place % 40), item: Int32(place % 16), time: border + Int64(place), outcomes: place % 2 == 0 ? 5 : 0,
                amount: place % 2 == 0 ? 700 : 0)
        }
        let shown = try built(log)
        #expect(shown.fromImpressions && shown.declined == 1 && shown.examples.count == 401)
        #expect(shown.hasPurchases && shown.hasValues && !shown.hasClicks)
        #expect(shown.examples.examples.count { $0.click > 0 } == 200)
    }

    @Test("what a user did with an item after a question is put together, however much was paid")
    func outcomes() {
        let events = [
            SmallLog.Event(user: "a", item: "i0", time: 1, type: .purchase, amount: 7),
            SmallLog.Event(user: "a", item: "i0", time: 2), SmallLog.Event(user: "a", item: "i1", time: 3),
            SmallLog.Event(user: "a", item: "i0", time: 4, type: .purchase, amount: .max),
            SmallLog.Event(user: "a", item: "i0", time: 5, type: .purchase, amount: 9),
        ]
        let log = SmallLog.of(events)
        let found = HeldOutcomes(Holdout.Question(user: 0, known: 0..<1, truth: [0, 1], time: 2), log: log)
        #expect(found[0]?.isBought == true && found[0]?.amountMinor == .max && found[1]?.isBought == false && found[2] == nil)
        #expect(found.gains(of: [0, 1, 2]) == [Double(Int64.max), 0, 0])
    }
}
