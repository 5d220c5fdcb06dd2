import ContentModel
import Evaluation
import Interactions
import Learning
import Recommending
import Testing
import TrainingFiles

@Suite("What stays out of answers is decided by what people take again")
struct ExclusionDecisionTests {
    /// A shop in which `next` says what a user buys, or clicks, each day.
    private static func shop(
        users: Int, days: Int = 10, type: InteractionType = .purchase, items: Int = 60, _ next: (_ user: Int, _ day: Int) -> Int
    ) -> TrainingLog {
        SmallLog.of(
            (0..<users).flatMap { user in
                (0..<days).map { day in
                    SmallLog.Event(
                        user: PlantedLog.user(user), item: PlantedLog.item(next(user, day)), time: PlantedLog.time(user, day), type: type)
                }
            }, items: (0..<items).map(PlantedLog.item))
    }

    private static func decided(
        _ log: TrainingLog, _ cut: HoldoutSettings.Cut = .newest(share: 0.2), excludes: ExclusionRule? = nil
    ) -> ExclusionDecision {
        let settings = SmallSettings.learning(cut, excludes: excludes)
        return settings.deciding(log, Holdout(settings.holdout, of: log), threads: 1).decision
    }

    private static func films(_ users: Int, type: InteractionType = .purchase) -> TrainingLog {
        shop(users: users, type: type) { user, day in (user * 11 + day * (1 + user % 5)) % 60 }
    }

    @Test("in a shop that repeats nothing stays out, of the first 500 users as of fewer", arguments: [500, 60, 12])
    func repeats(users: Int) {
        // Four things each, again and again, and every third day something else.
        let log = Self.shop(users: users) { user, day in day % 3 == 2 ? (user * 13 + day) % 60 : (user * 4 + day % 4) % 60 }
        let found = Self.decided(log)
        #expect(found.rule.everywhere.isEmpty && found.statistics.bought.value > 0.2 && !found.reasons.isEmpty, "\(found.reasons)")
    }

    @Test("what is never repeated is not shown again, bought or clicked", arguments: [InteractionType.purchase, .click])
    func films(_ type: InteractionType) {
        for users in [500, 60] {
            let found = Self.decided(Self.films(users, type: type))
            #expect(found.rule == .seen && found.statistics.met.repeats == 0, "\(users): \(found.reasons)")
        }
    }

    @Test("with too little to say, what was bought stays out and what was clicked does not")
    func little() {
        for log in [
            Self.films(3), Self.films(3, type: .click), Self.shop(users: 1, days: 3) { _, day in day },
            Self.shop(users: 1, days: 1) { _, _ in 0 },
            SmallLog.of([SmallLog.Event(user: "a", item: "x", time: 1), SmallLog.Event(user: "a", item: "y", time: 1)]),
        ] {
            for cut in [HoldoutSettings.Cut.newest(share: 0.2), .leaveOneOut, .none] {
                let found = Self.decided(log, cut)
                #expect(found.rule == .purchased, "\(found.reasons)")
            }
        }
        // The first repeat that is seen ends it.
        let again = Self.shop(users: 3) { user, day in day == 8 ? user : user + 3 * day }
        #expect(Self.decided(again, .none).rule.everywhere.isEmpty)
    }

    @Test("times that are all the same are no reason to know nothing")
    func oneMoment() {
        let events = (0..<300).flatMap { user in
            (0..<5).map { SmallLog.Event(user: PlantedLog.user(user), item: "i\($0 == 4 ? user % 2 : $0)", time: 7, type: .purchase) }
        }
        let found = Self.decided(SmallLog.of(events), .none)
        #expect(found.statistics.part == nil && found.statistics.bought.value == 1 && found.rule.everywhere.isEmpty)
    }

    @Test("rare repeats are judged on what was held out, and what counting answers better with is taken")
    func between() {
        // One user in a hundred buys the first thing again on the last days, all others never.
        let log = Self.shop(users: 600) { user, day in
            day >= 7 && user % 100 == 0 ? user * 11 % 60 : (user * 11 + day * (1 + user % 5)) % 60
        }
        let found = Self.decided(log)
        #expect(found.statistics.bought.repeats > 0 && found.statistics.bought.value < ExclusionDecision.often)
        #expect(found.rule == .seen && found.reasons.contains { $0.contains("it stays out") }, "\(found.reasons)")
        // Without anything held out nothing can be judged.
        #expect(Self.decided(log, .none).reasons.contains { $0.contains("Nothing was held out") || $0.contains("may be shown") })
        // The judge decides.
        let kept = ExclusionDecision(found.statistics, categories: [], judge: { $0.map { $0.isEmpty ? 1 : 0 } })
        #expect(kept.rule.isEmpty)
    }

    @Test("one category is bought again and another is not: only the other's stay out")
    func categories() {
        // Tea, 20 kinds, of which each has two; and 400 machines, of which some are bought by many and none twice.
        var log = Self.shop(users: 500, days: 20, items: 430) { user, day in
            day % 2 == 0 ? (user + day / 2 % 2) % 20 : 20 + (user * 3 + day / 2) % 12
        }
        log.contents = log.itemIDs.indices.map { row in
            var content = ItemContent()
            content.categories = ["home", row < 20 ? "tea" : "machines"]
            return content
        }
        let found = Self.decided(log)
        #expect(found.rule.everywhere.isEmpty && !found.rule.categories.contains("tea"), "\(found.reasons)")
        #expect(found.rule.categories == ["machines"] && found.rule.types == [.purchase], "\(found.reasons) \(found.statistics)")
        let tea = log.userStarts[0], machine = tea + 1
        #expect(!log.keepsOut(tea, by: found.rule) && log.keepsOut(machine, by: found.rule))
    }

    @Test("a rule that was set stays, and is told with what it removes")
    func fixed() throws {
        let log = Self.shop(users: 80) { user, day in (user * 4 + day % 4) % 60 }
        let settings = SmallSettings.learning(excludes: .purchased)
        let holdout = try #require(Holdout(settings.holdout, of: log))
        let (same, found) = settings.deciding(log, holdout, threads: 1)
        #expect(same.holdout.excludes == .purchased && found.rule == .purchased && found.statistics.bought.value == 1)
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: found.rule, threads: 1)
        func answers(_ rule: ExclusionRule) -> HoldoutScoring.Outcome {
            scoring.under(rule).collect { question in
                let own = Set(question.known.map { log.items[$0] })
                return log.itemIDs.indices.map { own.contains(Int32($0)) ? 1 : 0 }
            }
        }
        let record = found.record(settings.holdout, scoring, answers(found.rule), answer: answers)
        #expect(record.removed == 1 && record.ndcg == 0 && record.ndcgWithout ?? 0 > 0.9 && record.setting == "purchased")
        let warning = try #require(record.warning)
        #expect(warning.contains("rules.exclude: [purchased] removes 100 % of what people took next") && warning.contains("0.0000"))
        // What was decided by the data is no fault of a setting.
        let auto = Self.decided(log)
        #expect(auto.record(SmallSettings.learning(excludes: nil).holdout).warning == nil && auto.rule.isEmpty)
    }
}
