import CandidateRanking
import Interactions
import Learning
import Recommending
import Testing
import TrainingFiles

@Suite("A ranker over counters is learned at several past borders")
struct RankerTrainingTests {
    /// Everybody buys three things of their own again and again, each in turn, and something else one time in four.
    private static let staples = PlantedLog.log(users: 230, events: 24, items: 60) { user, had, random in
        random.next(below: 4) == 0 ? random.next(below: 60) : (user * 7 + had.count % 3 * 11) % 60
    }

    private func training(_ log: TrainingLog, isWanted: Bool = true) -> RankerTraining {
        RankerTraining(log: log, settings: RankerSettings(isWanted: isWanted), historyLimitEvents: 50, threads: 1)
    }

    @Test("what people buy again is found, on borders whose answers lie before what is judged, and the same seed gives the same bits")
    func staples() throws {
        let log = Self.staples, scoring = try SmallSettings.scoring(log, SmallSettings.learning(.newest(share: 0.15)))
        // A ranking that knows nothing but the item's number.
        let nothing = log.itemIDs.indices.map { Float($0) / 100 }
        let fit = try #require(training(log).fit(scoring) { _ in nothing })
        #expect(fit.borders >= 4 && fit.questions > 800 && !fit.isNetwork)
        #expect(fit.weights.usesTimes && fit.tables.end < (scoring.holdout.border ?? 0))
        #expect(fit.mixing.mixed > 0.5 && fit.mixing.mixed > fit.mixing.alone + 0.3 && fit.mixing.share < 0.5)
        let again = try #require(training(log).fit(scoring) { _ in nothing })
        #expect(again.weights == fit.weights && again.halves == fit.halves && again.tables == fit.tables)
        #expect(fit.halves[0] != fit.halves[1])
        // Every row has a score, and what is no candidate stands below what is.
        let question = scoring.holdout.questions[0]
        let scores = training(log).scores(question, interest: nothing, weights: fit.weights, tables: fit.tables, excludes: [])
        let staples = Set((0..<3).map { (question.user * 7 + $0 * 11) % 60 })
        let best = Set(scores.indices.sorted { scores[$0] > scores[$1] }.prefix(3))
        #expect(scores.count == 60 && scores.allSatisfy(\.isFinite) && best.intersection(staples).count >= 2)
    }

    @Test("each user's last interaction is enough to learn from, where nothing else is held out")
    func leaveOneOut() throws {
        let log = PlantedLog.chain(users: 120, events: 8, items: 50)
        let scoring = try SmallSettings.scoring(log, SmallSettings.learning(.leaveOneOut))
        let nothing = [Float](repeating: 0, count: 50).indices.map { Float($0 % 7) }
        let fit = try #require(training(log).fit(scoring) { _ in nothing })
        #expect(fit.borders == 1 && fit.questions <= 120 && fit.mixing.mixed > 0.9)
        #expect(!fit.weights.usesTimes && !fit.tables.usesTimes)
        // What a rule keeps out is no candidate: nobody had it.
        let clicks = HoldoutScoring(
            log: log, holdout: scoring.holdout, excludes: [InteractionType.click.rawValue], threads: 1)
        #expect(training(log).fit(clicks) { _ in nothing } != nil)
    }

    @Test("nothing is learned where nothing is wanted, or where too little is asked")
    func little() throws {
        let few = PlantedLog.chain(users: 12, events: 8, items: 20)
        let scoring = try SmallSettings.scoring(few)
        #expect(training(few).fit(scoring) { _ in [Float](repeating: 0, count: 20) } == nil)
        let enough = try SmallSettings.scoring(Self.staples)
        #expect(training(Self.staples, isWanted: false).fit(enough) { _ in [] } == nil)
    }

    @Test("half of the questions are asked when people come back, half at the border, and each knows nothing later than it")
    func questions() {
        let asking = RankerQuestions(log: Self.staples, historyLimitEvents: 50, excludes: [])
        let border = PlantedLog.start + 12 * PlantedLog.day, end = border + 5 * PlantedLog.day
        let questions = asking.questions(at: border, until: end)
        #expect(questions.count == 230)
        for question in questions {
            #expect(question.known.allSatisfy { Self.staples.times[$0] <= border })
            #expect(question.later.allSatisfy { Self.staples.times[$0] > border && Self.staples.times[$0] <= end })
        }
        #expect(questions.count { $0.now == border } >= 100 && questions.count { $0.now > border } >= 100)
    }

    @Test("who comes for the first time is asked about with the first few interactions known, and nothing later than the end is looked at")
    func newcomerQuestions() {
        let log = Self.staples, asking = RankerQuestions(log: log, historyLimitEvents: 50, excludes: [])
        let told = [0, 1, 2, 5, 10]
        let starts = log.userIDs.indices.map { log.times[log.userStarts[$0]] }.sorted(), border = starts[starts.count / 2]
        let questions = asking.newcomers(at: border, until: log.newestTime, told: told)
        #expect(!questions.isEmpty)
        for question in questions {
            let start = log.userStarts[question.user]
            #expect(log.times[start] > border && question.known.lowerBound == start)
            #expect([1, 2, 5, 10].contains(question.known.count) && question.later.lowerBound == question.known.upperBound)
            #expect((1...10).contains(question.later.count) && question.now == log.times[question.later.lowerBound])
        }
        let end = border + (log.newestTime - border) / 10
        let early = asking.newcomers(at: border, until: end, told: told)
        #expect(early.count < questions.count && early.allSatisfy { log.times[$0.later.upperBound - 1] <= end })
        #expect(asking.newcomers(at: log.newestTime, until: log.newestTime, told: told).isEmpty)
    }

    @Test("levels are titles that repeat and categories, from fine to coarse; what groups nothing is none")
    func levels() {
        let contents = (0..<40).map { item in
            PlantedLog.content(title: "tea \(item % 10)", categories: ["all", item % 2 == 0 ? "green" : "black"])
        }
        #expect(ItemLevels.levels(contents).map(\.count) == [10, 2])
        #expect(ItemLevels.levels(contents.map { PlantedLog.content(title: nil, categories: $0.categories) }).map(\.count) == [2])
        #expect(ItemLevels.levels((0..<9).map { PlantedLog.content(title: "\($0)", categories: ["\($0)"]) }).isEmpty)
        #expect(ItemLevels.levels([]).isEmpty)
    }

    @Test("a judged ranking with a ranker is used where it answers better, and its bundles serve what was judged")
    func judged() throws {
        let log = Self.staples
        var settings = SmallSettings.learning(.newest(share: 0.15))
        settings.ranker.isWanted = true
        settings.content.isWanted = false
        settings.heads.isWanted = false
        let scoring = try SmallSettings.scoring(log, settings)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1"), ("learning_rate", "0.000001")])
        let parts = PartsJudging(model, scoring: scoring, settings: settings)
        let counters = try #require(parts.ranking.record.counters)
        #expect(counters.borders ?? 0 >= 4 && counters.with ?? 0 > 0)
        if counters.used == true {
            #expect(parts.bundles.allSatisfy { $0.ranker != nil } && parts.weights.ranker != nil)
            let served = scoring.score(parts.bundles, settings: settings).report["NDCG@10"]
            #expect(abs(served - parts.ranking.outcome.report["NDCG@10"]) < 0.05)
        } else {
            #expect(parts.weights.ranker == nil && parts.ranking.ranker == nil)
        }
        let carriers = ServedScoring(parts.bundles, scoring: scoring, settings: settings).carriers(of: scoring)
        #expect(carriers.entries.count == 7 && abs(carriers.entries.reduce(0) { $0 + $1.value } - 1) < 1e-6)
        // Everybody's staples are their own.
        if counters.used == true { #expect(carriers["own"] ?? 0 > 0) }
        let bundle = BundleTraining(log: log, settings: settings).bundle(
            model, parts.weights, rows: log.userIDs.indices.map { log.rows(of: $0) })
        #expect((bundle.ranker == nil) == (parts.weights.ranker == nil))
        #expect(bundle.ranker?.tables.end == parts.weights.ranker.map { _ in log.newestTime })
    }
}
