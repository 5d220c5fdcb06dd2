import Evaluation
import Learning
import Testing
import TrainingFiles

@Suite("The settings of rivals are chosen on what was held out")
struct RivalChoiceTests {
    private static let day: Int64 = 86_400_000

    /// Users who had an old favourite ten times and something of late once; next comes the latter.
    private func log(newestWins: Bool) -> TrainingLog {
        var events: [SmallLog.Event] = []
        for user in 0..<40 {
            let old = "old\(user)", new = "new\(user)"
            for time in 0..<10 { events.append(SmallLog.Event(user: "u\(user)", item: old, time: Int64(time) * Self.day)) }
            events.append(SmallLog.Event(user: "u\(user)", item: new, time: 300 * Self.day))
            events.append(SmallLog.Event(user: "u\(user)", item: newestWins ? new : old, time: 301 * Self.day))
        }
        return SmallLog.of(events)
    }

    private func again(_ log: TrainingLog) -> HoldoutScoring.JudgedRival? {
        HoldoutScoring(log: log, holdout: .leaveOneOut(of: log, maxUsers: 1_000), excludes: [], threads: 1)
            .scoreRivals(easeItemsLimit: 10).first { $0.contestant == .buyAgain }
    }

    @Test("buying again fades where what came last is taken next, and not where the most frequent is")
    func halfLife() throws {
        let fading = try #require(again(log(newestWins: true))), counting = try #require(again(log(newestWins: false)))
        #expect(fading.settings.hasPrefix("half-life") && fading.outcome.report["NDCG@1"] == 1)
        #expect(counting.settings == "ties by popularity" && counting.outcome.report["NDCG@1"] == 1)
    }

    @Test("what answers a half of the users was chosen by the other")
    func crossed() throws {
        // Of users of even rows the newest is taken next, of the others the most frequent: each half's choice is wrong for the other.
        let events = (0..<40).flatMap { user in
            let own = log(newestWins: user % 2 == 0)
            return own.userIDs.indices.filter { own.userIDs[$0] == "u\(user)" }.flatMap { found in
                own.rows(of: found).map {
                    SmallLog.Event(user: "v\(100 + user)", item: own.itemIDs[Int(own.items[$0])], time: own.times[$0])
                }
            }
        }
        let found = try #require(again(SmallLog.of(events)))
        #expect(found.outcome.report["NDCG@1"] == 0)
    }

    @Test("the record keeps who it was and what was set")
    func record() throws {
        let log = log(newestWins: true)
        var record = EvaluationRecord()
        let holdout = Holdout.leaveOneOut(of: log, maxUsers: 1_000)
        record.add(HoldoutScoring(log: log, holdout: holdout, excludes: [], threads: 1).scoreRivals(easeItemsLimit: 10))
        #expect(record.itemItem != nil && record.buyAgain?.report["NDCG@1"] == 1)
        #expect(record.rivalSettings?["buy_again"]?.hasPrefix("half-life") == true && record.rivalSettings?["popularity"] == nil)
    }
}
