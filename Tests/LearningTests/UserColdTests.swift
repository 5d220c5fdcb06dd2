import Evaluation
import Features
import Interactions
import Learning
import Recommending
import Tensors
import Testing
import TowerModel
import TrainingFiles

@Suite("Users held out whole")
struct UserColdCutTests {
    private static let log = PlantedLog.tastes(users: 60, events: 12)

    @Test("new users leave nothing in what is learned, known ones everything; every user is new in one fold")
    func cut() {
        var log = Self.log
        for user in 0..<60 { log.impressions.append(user: Int32(user), item: 3, time: Int64(user), outcomes: 0, amount: 0) }
        var folds = [Int](repeating: 0, count: 60)
        for fold in 0..<5 {
            let cut = UserColdCut(log, fold: fold, folds: 5, longestHistory: 5)
            #expect(cut.known.userIDs == log.userIDs && cut.known.isConsistent)
            for user in 0..<60 {
                if cut.isNew[user] { folds[user] += 1 }
                let own = cut.known.rows(of: user).map { cut.known.items[$0] }
                #expect(own == (cut.isNew[user] ? [] : log.rows(of: user).map { log.items[$0] }))
                #expect(cut.known.impressions.users.contains(Int32(user)) == !cut.isNew[user])
            }
        }
        #expect(folds.allSatisfy { $0 == 1 })
    }

    @Test("the same users are asked after each length of history, for what follows")
    func questions() {
        let cut = UserColdCut(Self.log, fold: 0, folds: 3, longestHistory: 5), log = Self.log
        let users = log.userIDs.indices.filter { cut.isNew[$0] }
        for length in [0, 1, 5] {
            let asked = cut.questions(of: users, after: length, limit: 100)
            #expect(asked.map(\.user) == users)
            for question in asked {
                #expect(
                    question.known.count == length && question.row == question.known.upperBound && question.time == log.times[question.row])
                let later = question.row..<min(question.row + NewcomerBlend.answersLimit, log.userStarts[question.user + 1])
                #expect(Set(question.truth) == Set(later.map { log.items[$0] }))
            }
        }
        #expect(cut.questions(of: users, after: 0, limit: 3).count == 3)
        #expect(UserColdCut(log, fold: 0, folds: 3, longestHistory: 12).questions(of: users, after: 0, limit: 9).isEmpty)
        // What was met before is an answer all the same: whoever may not show it misses it.
        let again = cut.questions(of: users, after: 5, limit: 100).contains { question in
            !Set(question.truth).isDisjoint(with: question.known.map { log.items[$0] })
        }
        #expect(again)
    }
}

@Suite("Rivals for new users")
struct UserColdRivalsTests {
    private static func scores(
        _ key: UserColdRivals.Key, _ log: TrainingLog, length: Int,
        settings: UserColdRivals.Settings = .init(
            halfLifeMilliseconds: PlantedLog.day, priorEvents: 3, markovWindow: 1, popularityShare: 0.03)
    ) -> [(question: UserColdCut.Question, scores: [Float])] {
        let cut = UserColdCut(log, fold: 0, folds: 5, longestHistory: 5)
        let asked = cut.questions(of: log.userIDs.indices.filter { cut.isNew[$0] }, after: length, limit: 100)
        let ranker = UserColdRivals(cut) { !cut.isNew[$0] }.rankers(settings, for: asked)[key]
        return asked.map { ($0, ranker?($0) ?? []) }
    }

    private static func best(_ scores: [Float]) -> Int { scores.indices.max { scores[$0] < scores[$1] } ?? -1 }

    @Test("attributes that tell a taste make segments, transitions tell what follows, and age fades")
    func planted() {
        let tastes = PlantedLog.tastes(users: 80, events: 12)
        let segments = Self.scores(.segmentPopularity, tastes, length: 0)
        #expect(!segments.isEmpty && segments.allSatisfy { Self.best($0.scores) / 12 == $0.question.user % 2 })

        let chain = PlantedLog.chain(users: 80)
        let markov = Self.scores(.markov, chain, length: 3)
        #expect(!markov.isEmpty && markov.allSatisfy { Int32(Self.best($0.scores)) == $0.question.truth.first })
        // Without a history it is popularity.
        let bare = Self.scores(.markov, chain, length: 0), popular = Self.scores(.popularity, chain, length: 0)
        #expect(zip(bare, popular).allSatisfy { $0.scores == $1.scores })

        // Each day has an item of its own; what counts is the day before the question.
        let days = PlantedLog.log(users: 80, events: 12, items: 12) { _, had, _ in had.count }
        var settings = UserColdRivals.Settings(halfLifeMilliseconds: 3_600_000, priorEvents: 3, markovWindow: 1, popularityShare: 0.03)
        let recent = Self.scores(.recentPopularity, days, length: 5, settings: settings)
        #expect(!recent.isEmpty && recent.allSatisfy { (4...5).contains(Self.best($0.scores)) && $0.scores[6...].allSatisfy { $0 == 0 } })
        settings.halfLifeMilliseconds = 1_000 * PlantedLog.day
        let even = Self.scores(.recentPopularity, days, length: 5, settings: settings)
        #expect(even.allSatisfy { $0.scores[0] > 0.9 })
    }

    @Test("settings are chosen by the score on known users, with rivals that did not learn from them")
    func tuning() {
        let log = PlantedLog.chain(users: 80), cut = UserColdCut(log, fold: 0, folds: 5, longestHistory: 5)
        let tuned = UserColdRivals.tuning(cut, fold: 1, folds: 5)
        let asked = log.userIDs.indices.filter(tuned.isAsked)
        #expect(!asked.isEmpty && asked.allSatisfy { !cut.isNew[$0] })
        let questions = cut.questions(of: asked, after: 3, limit: 100)
        // Whoever is told that what is far back matters takes the widest window; who is told the opposite the narrowest.
        func window(_ wantsFar: Bool) -> Int {
            tuned.rivals.settings(for: questions, lengths: [3]) { ranker, _ in
                let scores = ranker(questions[0]), next = Int(questions[0].truth[0]), far = (next + 2) % 40
                return Double(wantsFar ? scores[far] : -scores[far])
            }.markovWindow
        }
        #expect(window(true) == 10 && window(false) == 1)
    }
}

@Suite("What serves new users")
struct UserColdServingTests {
    @Test("lists know what is trending before the question, what the user has, and segments where attributes are told")
    func lists() throws {
        let log = PlantedLog.tastes(users: 60, events: 12), cut = UserColdCut(log, fold: 0, folds: 3, longestHistory: 5)
        var settings = SmallSettings.learning(excludes: [InteractionType.click.rawValue])
        settings.segments = SegmentSettings(minimumUsers: 5, priorEvents: 5)
        let bundle = ModelBundle(try SmallSettings.model(cut.known, [("epochs", "3")]))
        func lists(attributes: Bool, _ length: Int) -> [(question: UserColdCut.Question, list: [Int32])] {
            let asked = cut.questions(of: log.userIDs.indices.filter { cut.isNew[$0] }, after: length, limit: 50)
            let serving = UserColdServing(
                cut, bundle: bundle, settings: settings, rules: RecommendingRules(trendingDiscount: 1, variety: 0),
                usesAttributes: attributes, threads: 1)
            let found = serving.lists(6, asked)
            return asked.map { ($0, found[$0.row] ?? []) }
        }
        for (question, list) in lists(attributes: true, 5) {
            #expect(list.count == 6 && Set(list).count == 6)
            #expect(Set(list).isDisjoint(with: question.known.map { log.items[$0] }))
        }
        func hits(_ found: [(question: UserColdCut.Question, list: [Int32])]) -> Double {
            let own = found.map { one in Double(one.list.count { Int($0) / 12 == one.question.user % 2 }) / 6 }
            return own.reduce(0, +) / Double(own.count)
        }
        let told = hits(lists(attributes: true, 0)), blind = hits(lists(attributes: false, 0))
        #expect(told > 0.75 && told > blind + 0.15, "\(told) where the taste is told, \(blind) where it is not")
    }

    @Test("what is popular is counted as the store counts it: clicks and purchases, fading, never hidden")
    func clock() {
        var clock = TrendingClock(itemCount: 4, rules: FeatureRules(decayHalfLifeMilliseconds: 10_000))
        func popular(at time: Int64, _ limit: Int = 9) -> [String] {
            clock.popular(limit, at: time, itemIDs: ["a", "b", "c", "d"], isHidden: [false, false, false, true]).map(\.itemID)
        }
        #expect(popular(at: 0).isEmpty)
        for _ in 0..<3 { clock.add(0, type: InteractionType.click.rawValue, at: 0) }
        clock.add(1, type: InteractionType.click.rawValue, at: 0)
        clock.add(2, type: InteractionType.addToCart.rawValue, at: 0)
        clock.add(3, type: InteractionType.purchase.rawValue, at: 0)
        #expect(popular(at: 1) == ["a", "b"] && popular(at: 1, 1) == ["a"])
        clock.add(1, type: InteractionType.purchase.rawValue, at: 40_000)
        #expect(popular(at: 40_000) == ["b", "a"])
    }
}
