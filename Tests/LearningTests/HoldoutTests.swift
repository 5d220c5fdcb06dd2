import Interactions
import Learning
import Recommending
import Testing

@Suite("What is held out, and what is asked of it")
struct HoldoutTests {
    /// The times of what is held out, over all users.
    private func held(_ share: Double, _ times: [Int64]) -> [Int64] {
        let log = SmallLog.of(times.enumerated().map { SmallLog.Event(user: "u\($0 % 3)", item: "i\($0)", time: $1) })
        let holdout = Holdout.newest(share: share, of: log, maxUsers: 100)
        let rows = log.userIDs.indices.flatMap { Array(holdout.trainingEnds[$0]..<log.userStarts[$0 + 1]) }
        return rows.map { log.times[$0] }.sorted()
    }

    @Test("the newest share leaves the border's instant in training")
    func newest() {
        let times: [Int64] = [5, 1, 9, 9, 2, 3, 4, 6, 7, 8]
        #expect(held(0.2, times) == [9, 9])
        #expect(held(0.1, times) == [])
        #expect(held(0.3, times) == [8, 9, 9])
        #expect(held(0.5, []) == [])
        #expect(held(0, times) == [])
    }

    @Test("a time split is later than all of its training part, and its border is its first moment")
    func border() {
        let log = SmallLog.of(SmallLog.clicks("a", at: [1, 2, 3, 40]) + SmallLog.clicks("b", at: [5, 30, 50]))
        let holdout = Holdout.newest(share: 0.4, of: log, maxUsers: 100)
        #expect(holdout.border == 30 && holdout.description == "the newest 40 % by time")
        for user in log.userIDs.indices {
            for row in holdout.trainingRows(of: user, in: log) { #expect(log.times[row] < 30) }
        }
        #expect(holdout.questions.map(\.user) == [0, 1])
        #expect(holdout.questions.map(\.time) == [40, 30])
        #expect(holdout.questions[1].known == 4..<5 && holdout.questions[1].truth.count == 2)
    }

    @Test("each user's last interaction, of users with three at least")
    func leaveOneOut() {
        let log = SmallLog.of(
            SmallLog.clicks("a", at: [1, 2, 3]) + SmallLog.clicks("b", at: [1, 2]) + SmallLog.clicks("c", at: [9, 8, 7, 6]))
        let holdout = Holdout.leaveOneOut(of: log, maxUsers: 100)
        #expect(holdout.trainingEnds == [2, 5, 8] && holdout.border == nil)
        #expect(holdout.questions.map(\.user) == [0, 2])
        #expect(holdout.questions.allSatisfy { $0.truth.count == 1 })
    }

    @Test("what a rule would not show again is asked for all the same, and missed")
    func excluded() {
        let events = [
            SmallLog.Event(user: "a", item: "x", time: 1), SmallLog.Event(user: "a", item: "y", time: 2),
            SmallLog.Event(user: "a", item: "x", time: 3),
        ]
        let log = SmallLog.of(events)
        let holdout = Holdout.leaveOneOut(of: log, maxUsers: 9)
        #expect(holdout.questions.map(\.truth) == [[0]])
        func found(_ rule: ExclusionRule) -> (ndcg: Double, removed: Double) {
            let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: rule, threads: 1)
            return (scoring.collect { _ in [2, 1] }.report["NDCG@10"], scoring.removedShare)
        }
        #expect(found([]) == (1, 0) && found(.purchased) == (1, 0) && found(.seen) == (0, 1))
    }

    @Test("of more users than may be asked the same ones, whoever else is there")
    func sample() {
        let few = (0..<40).flatMap { SmallLog.clicks("user\($0)", at: [1, 2, 3]) }
        let more = few + (40..<60).flatMap { SmallLog.clicks("user\($0)", at: [1, 2, 3]) }
        func asked(_ events: [SmallLog.Event], _ limit: Int) -> Set<String> {
            let log = SmallLog.of(events)
            return Set(Holdout.leaveOneOut(of: log, maxUsers: limit).questions.map { log.userIDs[$0.user] })
        }
        let small = asked(few, 10), large = asked(more, 20)
        #expect(small.count == 10 && large.count == 20)
        #expect(asked(few, 5).isSubset(of: small))
        #expect(large.filter { few.map(\.user).contains($0) }.count >= 8)
    }

    @Test("later questions know everything up to their time")
    func later() {
        let log = SmallLog.of(SmallLog.clicks("a", at: [1, 2, 30, 40, 50]))
        let holdout = Holdout.newest(share: 0.6, of: log, maxUsers: 9)
        #expect(holdout.questions.first?.known == 0..<2)
        let later = holdout.asking(after: 40, of: log, maxUsers: 9)
        #expect(later.questions.first?.known == 0..<4 && later.questions.first?.truth.count == 1)
        #expect(later.trainingEnds == holdout.trainingEnds)
    }
}
