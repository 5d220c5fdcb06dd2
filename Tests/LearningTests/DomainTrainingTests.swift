import Console
import Evaluation
import Learning
import Tensors
import Testing
import TowerModel
import TrainingFiles

@Suite("Domains get an adapter where it answers their own questions better")
struct DomainTrainingTests {
    private static let items = 24

    /// Users of three countries: in `a`, which has most, each keeps to one half of the catalogue; in `b` nearly everybody takes three items
    /// that are nothing special in `a`. `c` is small.
    private static let log: TrainingLog = {
        func country(_ user: Int) -> String { user < 60 ? "a" : user < 100 ? "b" : "c" }
        var log = PlantedLog.log(users: 104, events: 14, items: items) { user, had, random in
            if country(user) == "b", random.next(below: 10) < 8 { return [5, 17, 20][random.next(below: 3)] }
            return random.next(below: items / 2) + (user % 2 == 0 ? 0 : items / 2)
        }
        log.attributes = (0..<104).map { ["country=\(country($0))", "age=\($0 % 3)"] }
        return log
    }()

    private static func training(_ log: TrainingLog, minimum: Int = 100, limit: Int = 4, stop: StopSignal = StopSignal()) -> DomainTraining
    {
        DomainTraining(
            log: log, settings: DomainSettings(field: "country", rank: 2, minimumInteractions: minimum, limit: limit), threads: 1,
            stop: stop)
    }

    /// A base that learned users of `a` alone and reads no attributes.
    private static let base: Result<TwoTowerModel, any Error> = Result {
        var own = log
        let ends = log.userIDs.indices.map { $0 < 60 ? log.rows(of: $0).upperBound - 3 : log.rows(of: $0).lowerBound }
        own.attributes = own.attributes.map { _ in [] }
        // Items that nobody of `a` took would be unknown; all are taken.
        return try SmallSettings.model(own, until: ends, [("epochs", "4")])
    }

    @Test("the domain whose users differ keeps its adapter, one whom the base knows does not need it")
    func planted() throws {
        let base = try Self.base.get(), log = Self.log
        let scoring = try SmallSettings.scoring(log, SmallSettings.learning(.newest(share: 0.2)))
        let judged = try Self.training(log).judged(base, scoring: scoring)
        #expect(judged.rows.map(\.token) == ["country=a", "country=b"], "the largest first, without the small one")
        let other = try #require(judged.rows.last)
        #expect(other.isKept && other.after > other.before && other.asked == 40, "\(other)")
        #expect(other.losses.map { $0.after < $0.before } == true)
        #expect(judged.kept?.tokens.contains("country=b") == true)
        let records = judged.records
        #expect(records.map(\.domain) == judged.rows.map(\.token) && records[1].kept == true && records[1].gainLow ?? 0 > 0)
        #expect(records[1].users == 40 && records[1].interactions == 40 * 14 - scoring.holdout.trainingEnds.indices.reduce(0) {
            $1 >= 60 && $1 < 100 ? $0 + log.rows(of: $1).upperBound - scoring.holdout.trainingEnds[$1] : $0
        })
        // The adapter of a domain says nothing of users of another.
        var adapted = base
        adapted.domains = judged.kept?.keeping { $0 == "country=b" }
        let own = scoring.towers(base), with = scoring.towers(adapted)
        let questions = scoring.holdout.questions
        let first = try #require(questions.first), last = try #require(questions.first { $0.user >= 60 && $0.user < 100 })
        #expect(own(first) == with(first) && own(last) != with(last))
    }

    @Test("too few questions keep nothing, however large the gain")
    func fewQuestions() throws {
        let log = Self.log
        var scoring = try SmallSettings.scoring(log, SmallSettings.learning(.newest(share: 0.2)))
        var holdout = scoring.holdout
        holdout.questions.removeAll { $0.user >= 60 + DomainRecord.leastQuestions - 1 }
        scoring = HoldoutScoring(log: log, holdout: holdout, excludes: [], threads: 1)
        let row = try #require(try Self.training(log).judged(Self.base.get(), scoring: scoring).rows.last)
        #expect(row.token == "country=b" && row.asked == DomainRecord.leastQuestions - 1 && !row.isKept && row.gain?.lower ?? 0 > 0)
    }

    @Test("which domains are fitted: large enough, at most so many, or those that are named")
    func which() throws {
        let base = try Self.base.get(), log = Self.log, rows = log.userIDs.indices.map { log.rows(of: $0) }
        #expect(try Self.training(log, limit: 1).fitted(on: base, rows: rows).rows.map(\.token) == ["country=a"])
        #expect(try Self.training(log, minimum: 10_000).fitted(on: base, rows: rows).rows.isEmpty)
        let named = try Self.training(log, minimum: 10_000).fitted(on: base, rows: rows) { $0 == "country=c" }
        #expect(named.rows.map(\.token) == ["country=c"] && named.rows[0].users == 4)
    }

    @Test("somebody of two domains counts for the last, and who is of none for none")
    func several() throws {
        var log = Self.log
        for user in 60..<100 { log.attributes[user] = ["country=a", "country=b"] }
        for user in 0..<60 { log.attributes[user] = ["countryside=a"] }
        let rows = log.userIDs.indices.map { log.rows(of: $0) }
        let found = try Self.training(log).fitted(on: Self.base.get(), rows: rows).rows
        #expect(found.map(\.token) == ["country=b"] && found[0].users == 40)
    }

    @Test("the same rows give the same adapters, and a stop ends the fit with a sentence")
    func repeatable() throws {
        let base = try Self.base.get(), log = Self.log, rows = log.userIDs.indices.map { log.rows(of: $0) }
        let first = try Self.training(log).fitted(on: base, rows: rows) { $0 == "country=b" }.adapters
        #expect(try Self.training(log).fitted(on: base, rows: rows) { $0 == "country=b" }.adapters == first && first != nil)
        let stop = StopSignal()
        stop.raise()
        #expect(throws: CommandFailure.self) { _ = try Self.training(log, stop: stop).fitted(on: base, rows: rows) }
    }
}
