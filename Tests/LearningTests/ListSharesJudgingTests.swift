import Evaluation
import Learning
import Recommending
import Testing

@Suite("A training says what a shop's shares make of the lists, and is judged without them")
struct ListSharesJudgingTests {
    @Test("shares hold in the judged lists, cost what people do instead, and leave the model's own figure alone")
    func judged() throws {
        // Everybody takes the same five things again and again, now and then something else.
        let log = PlantedLog.log(users: 80, events: 24, items: 200, seed: 9) { user, had, random in
            had.count % 6 == 5 ? random.next(below: 200) : (user * 7 + had.count % 5) % 200
        }
        var settings = SmallSettings.learning(.newest(share: 0.15))
        settings.itemShare.limit = 1
        settings.holdout.excludes = []
        let scoring = try SmallSettings.scoring(log, settings).under([])
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let free = PartsJudging(model, scoring: scoring, settings: settings)
        let plain = scoring.score(free.bundles, settings: settings)
        #expect(ListSharesJudging(free.bundles, scoring: scoring, settings: settings, candidate: plain) == nil)
        settings.shares = ListShares(repeats: 0...20)
        let again = scoring.score(free.bundles, settings: settings)
        #expect(again.perUser == plain.perUser)
        let shared = try #require(ListSharesJudging(free.bundles, scoring: scoring, settings: settings, candidate: plain))
        let before = try #require(plain.report.concentration), after = try #require(shared.record.lists)
        #expect(before.repeatShare > 0.25 && after.repeatShare <= 0.2, "\(before.repeatShare) and \(after.repeatShare)")
        #expect(shared.record.ndcgWithout == plain.report["NDCG@10"] && (shared.record.cost ?? 0) > 0.1, "\(shared.record)")
        #expect(shared.record.repeats == "0-20" && shared.record.newItems == nil)
        #expect(shared.record.sentence.hasPrefix("rules.repeats_percent: 0-20 gives lists with "), "\(shared.record.sentence)")
        #expect(shared.record.sentence.contains(" % repeats, ") && shared.record.sentence.contains(" and costs "))
        let carriers = shared.served.carriers(of: scoring).entries, share = carriers.first { $0.name == "share" }
        #expect((share?.value ?? 0) > 0.05 && abs(carriers.reduce(0) { $0 + $1.value } - 1) < 1e-9, "\(carriers)")
    }
}
