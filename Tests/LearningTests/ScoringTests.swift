import Evaluation
import Interactions
import Learning
import Recommending
import Testing
import TrainingFiles

@Suite("Answers to what was held out")
struct ScoringTests {
    /// Users `a`… take `i0` often; the last thing of each is `popular` or `rare`.
    private var log: TrainingLog {
        var events: [SmallLog.Event] = []
        for user in 0..<12 {
            events += [
                SmallLog.Event(user: "u\(user)", item: "i\(user % 4)", time: 1),
                SmallLog.Event(user: "u\(user)", item: "i0", time: Int64(2 + user)),
                SmallLog.Event(user: "u\(user)", item: "best", time: Int64(20 + user)),
                SmallLog.Event(user: "u\(user)", item: "last", time: 100),
            ]
        }
        return SmallLog.of(events)
    }

    private func scoring(_ log: TrainingLog, excludes: ExclusionRule = []) -> HoldoutScoring {
        HoldoutScoring(log: log, holdout: .leaveOneOut(of: log, maxUsers: 100), excludes: excludes, threads: 1)
    }

    @Test("a ranking that knows the answer has NDCG 1, one that never gives it 0")
    func collect() {
        let log = log, scoring = scoring(log)
        let last = log.itemIDs.firstIndex(of: "last") ?? 0
        let right = scoring.collect { _ in log.itemIDs.indices.map { $0 == last ? 1 : 0 } }
        #expect(right.report["NDCG@10"] == 1 && right.perUser == [Double](repeating: 1, count: 12))
        // Excluded items are left out of the answers, so that what remains moves up.
        let none = scoring.collect { _ in log.itemIDs.indices.map { $0 == last ? -.infinity : 1 } }
        #expect(none.report["NDCG@10"] < 0.5)
        #expect(right.record.interval?.low == 1 && right.record.report == right.report)
    }

    @Test("rivals answer the same questions, and buying again is one of them whatever the rules keep out")
    func rivals() {
        let open = scoring(log).scoreRivals()
        let names: [EvaluationRecord.Contestant] = [.popularity, .recentPopularity, .windowedMarkov, .ease, .itemItem]
        #expect(open.map(\.contestant) == names + [.buyAgain])
        // Everybody's last thing is new to them: a rule that keeps out what was had helps a rival, and is taken.
        let kept = scoring(log, excludes: .seen).scoreRivals()
        #expect(kept.map(\.contestant) == open.map(\.contestant) && kept[0].settings.isEmpty)
        #expect(kept[0].outcome.report["NDCG@10"] > open[0].outcome.report["NDCG@10"])
        // Where the last thing is one that was had, a rival does without the rule, and says so.
        let again = SmallLog.of((0..<12).flatMap { user in
            (0..<4).map { SmallLog.Event(user: "u\(user)", item: "i\($0 == 3 ? user % 3 : $0)", time: Int64($0)) }
        })
        let repeating = scoring(again, excludes: .seen).scoreRivals()
        #expect(repeating.last?.settings.contains("nothing left out") == true && repeating[0].settings == "nothing left out")
        #expect(repeating[0].outcome.report["NDCG@10"] == scoring(again).scoreRivals()[0].outcome.report["NDCG@10"])
        #expect(open.allSatisfy { $0.outcome.perUser.count == 12 })
        #expect(scoring(log).trainingCounts().reduce(0, +) == 36)
    }

    @Test("a question is the same in another log, and another where what is known is")
    func hashes() {
        let log = log, own = scoring(log).questionHashes
        // Other items move the rows and nothing else.
        var events: [SmallLog.Event] = [SmallLog.Event(user: "zz", item: "aaa", time: 1)]
        for user in log.userIDs.indices {
            for row in log.rows(of: user) {
                events.append(SmallLog.Event(user: log.userIDs[user], item: log.itemIDs[Int(log.items[row])], time: log.times[row]))
            }
        }
        #expect(scoring(SmallLog.of(events)).questionHashes == own && Set(own).count == own.count)
        events.append(SmallLog.Event(user: "u0", item: "aaa", time: 50))
        let changed = scoring(SmallLog.of(events)).questionHashes
        #expect(Set(changed).intersection(own).count == own.count - 1)
    }

    @Test("trending counts clicks and purchases, old ones less, and never what is hidden")
    func trending() {
        let events = [
            SmallLog.Event(user: "a", item: "bought", time: 1_000, type: .purchase),
            SmallLog.Event(user: "a", item: "clicked", time: 1_000),
            SmallLog.Event(user: "b", item: "old", time: 0), SmallLog.Event(user: "b", item: "hidden", time: 1_000, type: .purchase),
            SmallLog.Event(user: "b", item: "carted", time: 1_000, type: .addToCart),
        ]
        let log = SmallLog.of(events, hidden: ["hidden"])
        let settings = BlendSettings(
            isWanted: true, neighbourLimitItems: 10, recentHalfLifeDays: 1, historyLimitEvents: 10, decayHalfLifeMilliseconds: 1_000,
            trendingLimitItems: 2)
        let found = BlendTraining(log: log, settings: settings).trending(log.userIDs.indices.map { log.rows(of: $0) })
        #expect(found.map { log.itemIDs[Int($0.row)] } == ["bought", "clicked"])
        #expect(found.map(\.share) == [1, 0.2])
    }

    @Test("whoever acts like a machine is found, and left out where that is wanted")
    func inspection() throws {
        var events = (0..<30).flatMap { SmallLog.clicks("u\($0)", at: [1_000, 90_000, 200_000]) }
        events += (0..<500).map { SmallLog.Event(user: "robot", item: "i\($0 % 3)", time: Int64($0)) }
        let log = SmallLog.of(events)
        let bounds = UserBounds(maxEventsPerMinute: 100, maxEventsPerDay: 10_000, maxItemEventsPerDay: 10_000)
        let gate = DataGate(
            maxStabilityIndex: 0.25, maxGap: 0.3, maxNullRise: 0.2, maxRepeatedShare: 0.5, maxItemShare: 0.9, maxSuspiciousShare: 0.9,
            minimumUsers: 10)
        let found = DataInspection(log, gate: gate, bounds: bounds, former: nil)
        #expect(found.suspicious.keys.map { log.userIDs[$0] } == ["robot"] && found.suspiciousEvents == 500)
        #expect(found.record.all.events == 90 && found.record.recent == nil)
        #expect(found.lines.contains(DataNote("suspicious users left out", .integer(1))))
        #expect(DataInspection(log, gate: gate, bounds: bounds, former: found.record).record.recent?.events == 0)
    }
}
