import ContentModel
import Evaluation
import Learning
import Recommending
import Testing
import TrainingFiles

@Suite("A model is judged on new items beside rivals by content")
struct NewItemJudgingTests {
    private static let subjects = 4, perSubject = 16, users = 120
    private static var items: Int { subjects * perSubject }

    /// Users of one subject each, who take the last quarter of it in the last two of their eight events.
    private static func log(tells: Bool = true) -> TrainingLog {
        var log = PlantedLog.log(users: users, events: 8, items: items, seed: 2) { user, had, random in
            let place = had.count >= 6 ? 12 + random.next(below: 4) : random.next(below: 12)
            return place * subjects + user % subjects
        }
        log.contents = (0..<items).map { item in
            let subject = "subject\(item % subjects)"
            return tells ? ItemContent(tags: ["\(subject)-\(item / subjects % 3)", subject, "all"]) : ItemContent()
        }
        return log
    }

    private static func judged(_ log: TrainingLog, _ cut: HoldoutSettings.Cut = .newest(share: 0.25)) throws -> NewItemsRecord? {
        let settings = SmallSettings.learning(cut), scoring = try SmallSettings.scoring(log, settings)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        var wanted = settings
        wanted.blend.isWanted = false
        let parts = PartsJudging(model, scoring: scoring, settings: wanted)
        let served = ServedScoring(parts.bundles, scoring: scoring, settings: wanted)
        return NewItemJudging(scoring, learning: { parts.contentLearning })?.judged(served, minimumQuestions: 20)
    }

    @Test("where words tell the taste they find it, popularity by content does not, and all are asked the same questions")
    func found() throws {
        let record = try #require(try Self.judged(Self.log())), rivals = try #require(record.rivals)
        #expect(record.questions == Self.users && record.items == 16)
        #expect(rivals.map(\.rival) == ["content_cosine", "content_cosine_popularity", "content_popularity"])
        for row in rivals {
            #expect(row.metrics?.report.users == Self.users && row.metrics?.report.catalogueSize == 16)
            let own = try #require(record.model?["NDCG@10"]), other = try #require(row.metrics?["NDCG@10"])
            #expect(abs((row.difference ?? 9) - (own - other)) < 1e-9 && (row.low ?? 9) <= (row.difference ?? 0))
        }
        let cosine = try #require(rivals[0].metrics?["NDCG@10"]), popular = try #require(rivals[2].metrics?["NDCG@10"])
        // A subject has four of sixteen; each user took one or two of them.
        #expect(cosine > 0.55 && cosine > popular + 0.2, "\(cosine) and \(popular)")
        #expect(rivals[0].settings?.contains("rarity to the power") == true && rivals[2].settings == nil)
        #expect(rivals[1].settings?.contains("popularity to the power") == true)
    }

    @Test("nothing is said where nobody took what is new, or nothing is known of it")
    func nothing() throws {
        #expect(try Self.judged(Self.log(tells: false)) == nil)
        #expect(try Self.judged(PlantedLog.tastes(users: 40, events: 12, items: 12)) == nil)
    }

    @Test("a rival that is better by more than chance is told, with both figures")
    func warned() {
        let worse = [Double](repeating: 0.1, count: 60), better = (0..<60).map { 0.5 + 0.01 * Double($0 % 3) }
        func metrics(_ mean: Double) -> MetricsRecord {
            var metrics = RankingMetrics(cutoffs: [10], catalogueSize: 7).report()
            metrics.metrics["NDCG@10"] = MetricValue(mean: mean, standardError: 0.001)
            return MetricsRecord(metrics)
        }
        var record = NewItemsRecord()
        (record.questions, record.items, record.model) = (60, 7, metrics(0.1))
        func row(_ minimum: Int) -> NewItemsRecord.Row {
            NewItemsRecord.Row(
                .contentCosine, settings: "as usual", metrics: metrics(0.51), model: worse, other: better, rivals: 3,
                minimumQuestions: minimum)
        }
        record.rivals = [row(50)]
        #expect(record.rivals?[0].isBetter == true && (record.rivals?[0].high ?? 0) < 0)
        #expect(record.warning?.contains("7 new items of the held-out part content cosine has NDCG@10 0.5100, the model 0.1000") == true)
        record.rivals = [row(61)]
        #expect(record.rivals?[0].isBetter == false && record.warning == nil)
    }
}
