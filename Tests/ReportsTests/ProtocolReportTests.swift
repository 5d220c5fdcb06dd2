import Evaluation
import Foundation
import Interactions
import Reports
import Testing

@Suite("What protocols of evaluation found, for people and for programs")
struct ProtocolReportTests {
    private func report(_ ndcg: Double, recall: Double = 0.5, coverage: Double = 0.25) -> MetricsReport {
        let names = ["NDCG@10": ndcg, "Recall@10": recall, "Recall@20": recall, "Recall@100": recall]
        return MetricsReport(
            users: 4, truthPairs: 8, catalogueSize: 40, metrics: names.mapValues { MetricValue(mean: $0, standardError: 0.01) },
            coverageAt10: coverage, giniAt10: 0.5, slices: [:])
    }

    private func object(_ json: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any], "\(json) is no object")
    }

    private func number(_ object: [String: Any], _ path: String...) -> Double? {
        var found: Any? = object
        for key in path { found = (found as? [String: Any])?[key] }
        return (found as? NSNumber)?.doubleValue
    }

    @Test("a mean over seeds has Student's interval, one seed has none")
    func summary() {
        #expect(ColdReport.summary([]).mean == 0 && ColdReport.summary([3]).half == nil)
        let two = ColdReport.summary([1, 3])
        #expect(two.mean == 2 && abs((two.half ?? 0) - 12.706) < 1e-9)
        let many = ColdReport.summary([Double](repeating: 5, count: 40))
        #expect(many.mean == 5 && many.half == 0)
    }

    @Test("item-cold: metrics of every contestant with intervals over seeds, weights, and the share of new items")
    func itemCold() throws {
        var found = ColdReport(percent: 12.5, newest: true, contestants: ["freshet", "popularity"], parts: ["similarity", "constant"])
        for seed in 0..<2 {
            var round = ColdReport.Round(weights: [Float(2 + 2 * seed), -1])
            round.reports = ["freshet": report(0.3 + 0.1 * Double(seed)), "popularity": report(0.1)]
            (round.shareShown, round.shareRelevant) = (0.2, seed == 0 ? 0.1 : 0)
            found.add(round)
        }
        (found.questions, found.newItems) = (7, 5)
        let object = try object(found.json)
        #expect(object["cut"] as? String == "5 items (the newest 12.5 %) treated as new" && number(object, "users") == 7)
        #expect(abs((number(object, "freshet", "NDCG@10") ?? 0) - 0.35) < 1e-9 && number(object, "popularity", "NDCG@10_ci95") == 0)
        #expect(number(object, "weights", "similarity") == 3 && number(object, "weights", "constant") == -1)
        // A round in which nothing was relevant counts as none shown for it.
        #expect(number(object, "new_share_ratio") == 1)
        let lines = found.lines
        #expect(lines.count == 5 && lines[2].hasPrefix("freshet       0.5000 ± 0.0000") && lines[2].contains("0.3500 ± 0.6353"))
        #expect(ColdReport(percent: 20, newest: false, contestants: [], parts: []).json.contains("a random 20 %"))
    }

    @Test("user-cold: the best rival at every length, with the difference over users")
    func userCold() throws {
        var found = UserColdReport(lengths: [0, 5], folds: 4, rivals: ["markov", "popularity"])
        func cell(_ ndcg: Double) -> UserColdReport.Cell {
            UserColdReport.Cell(report: report(ndcg), perUser: [ndcg, ndcg], categories: 3)
        }
        for (name, values) in [("popularity", [0.2, 0.2]), ("markov", [0.1, 0.3]), (UserColdReport.served, [0.25, 0.25])] {
            for (length, value) in zip([0, 5], values) { found.add(name, length, cell(value)) }
        }
        found.finishRound(users: 2, newUsers: 9)
        let object = try object(found.json)
        #expect(number(object, "users") == 2 && number(object, "rounds") == 1)
        #expect((object["history_0"] as? [String: Any])?["best_rival"] as? String == "popularity")
        #expect((object["history_5"] as? [String: Any])?["best_rival"] as? String == "markov")
        #expect(
            abs((number(object, "history_0", "difference") ?? 0) - 0.05) < 1e-9 && number(object, "history_5", "difference_high") ?? 1 < 0)
        #expect(number(object, "history_5", "markov", "categories@10") == 3 && number(object, "history_5", "markov", "NDCG@10_ci95") == nil)
        #expect(found.lines.contains("with 0: freshet − popularity = +0.0500 (95 %: +0.0500 to +0.0500, over users)"))
        #expect(found.lines[0].contains("in 4 parts") && found.lines[0].contains("9 users, 2 of them"))
        #expect(found.lines.contains { $0.hasPrefix("markov ") && $0.contains("0.1000") && $0.contains("0.3000") && $0.hasSuffix("3.0") })
        // Nobody asked yet is no failure.
        #expect(try self.object(UserColdReport(lengths: [0], folds: 2, rivals: ["markov"]).json)["users"] as? Int == 0)
    }

    @Test("few-shot: what adaptation gains over each, paired by task")
    func fewShot() throws {
        var found = FewShotReport()
        for task in 0..<6 {
            var ndcg = Dictionary(uniqueKeysWithValues: FewShotReport.Contestant.allCases.map { ($0, 0.25) })
            ndcg[.meta] = 0.5 + Double(task % 2) * 0.25
            found.add(category: "c\(task % 3)", seed: UInt64(1 + task / 3), ndcg: ndcg)
        }
        let object = try object(found.json)
        #expect(number(object, "tasks") == 6 && number(object, "categories") == 3 && number(object, "seeds") == 2)
        #expect(number(object, "meta", "NDCG@10") == 0.625 && number(object, "meta", "meta_gain") == 0)
        #expect(number(object, "cosine", "meta_gain") == 0.375 && number(object, "cosine", "meta_gain_lower") ?? 0 >= 0.25)
        #expect(found.lines[0].hasPrefix("6 tasks of 3 categories") && found.lines.count == 10)
        #expect(found.lines.contains { $0.hasPrefix("meta-first-order   0.2500 (0.2500 to 0.2500)   +0.3750 (") })
        #expect(try self.object(FewShotReport().json)["tasks"] as? Int == 0)
    }

    private func replay(_ learned: EventTime? = nil, rejected: Int = 0) -> ReplayReport {
        func result(_ name: String, _ ndcg: Double) -> Replay.Result {
            Replay.Result(
                name: name, reports: [.all: report(ndcg), .warm: report(ndcg), .new: MetricsReport.nobody],
                perUser: [.all: [ndcg, ndcg, ndcg / 2, ndcg], .warm: [ndcg, ndcg]], perQuestion: ndcg)
        }
        let results = [
            result("freshet", 0.4), result("freshet full", 0.6), result("freshet incremental", 0.5), result("popularity", 0.1),
            result("windowed Markov", 0.2),
        ]
        var found = ReplayReport(
            version: 3, start: EventTime(milliseconds: 1_700_000_000_000), newestLearned: learned,
            outcome: Replay.Outcome(
                results: results, events: 9, questions: 8, hiddenGroups: 1, span: 1_700_000_000_001...1_700_000_000_009),
            rejectedLines: rejected, halfLifeDays: 2, seconds: 1.5)
        func cost(_ kind: RetrainingReport.Kind, _ seconds: Double) -> RetrainingReport.Cost {
            RetrainingReport.Cost(
                kind: kind, name: "freshet \(kind.rawValue)", slices: 2, newEvents: 30, replayedEvents: kind == .full ? 0 : 15,
                trainingSeconds: seconds, allSeconds: 2 * seconds)
        }
        found.retraining = RetrainingReport(found.outcome, retrained: [cost(.full, 10), cost(.incremental, 1)], every: 60_000)
        return found
    }

    @Test("replay: every ranker for every audience, against the best rival that is no Freshet")
    func replayed() throws {
        let found = replay(), object = try object(found.json)
        #expect(number(object, "events") == 9 && number(object, "questions_kept_out") == 1 && number(object, "version") == 3)
        #expect(object["overlaps_training"] as? Bool == false && object["until"] as? String == "2023-11-14T22:13:20.009Z")
        #expect(number(object, "windowed_markov", "all", "NDCG@10") == 0.2 && number(object, "freshet", "ndcg@10_per_question") == 0.4)
        #expect(found.comparisons[.all]?.rival == "windowed Markov" && found.comparisons[.new] == nil)
        #expect(abs((number(object, "against_best_rival", "all", "gain") ?? 0) - 1) < 1e-9)
        #expect(found.lines.contains { $0.hasPrefix("freshet is +100.0 % from windowed Markov (95 %: +100.0 to +100.0 %)") })
        #expect(!found.lines.contains { $0.hasPrefix("new users") || $0.contains("flatters") || $0.contains("lines of the file") })
        let html = found.page.html
        #expect(html.contains("Replay of model version 3") && html.contains("NDCG@10 of popularity, warm users") && html.contains("0.4000"))
        #expect(!html.contains("new users") && html.contains("One user&#39;s events at one time are one question."))

        let late = replay(EventTime(milliseconds: 1_800_000_000_000), rejected: 2)
        #expect(late.json.contains(#""overlaps_training":true"#) && late.page.html.contains("this flatters it"))
        #expect(late.lines.suffix(2).map { $0.prefix(9) } == ["The model", "2 lines o"])
    }

    @Test("retraining: gains over the model as it was, and what increments cost beside full trainings")
    func retraining() throws {
        let found = try #require(replay().retraining), object = try object(found.json)
        #expect(found.entries.map(\.kind) == [.full, .incremental] && abs(found.entries[0].overStale.estimate - 0.5) < 1e-9)
        #expect(number(object, "full", "slices") == 2 && number(object, "incremental", "replayed_events") == 15)
        #expect(abs((number(object, "incremental", "over_stale") ?? 0) - 0.25) < 1e-9)
        #expect(number(object, "training_cost_share") == 0.1 && number(object, "cost_share") == 0.1)
        #expect(
            abs((number(object, "incremental_over_full_all", "gain") ?? 0) + 1.0 / 6) < 1e-9 && object["incremental_over_full_new"] == nil)
        #expect(found.lines.contains("incremental takes 10.0 % of full's processor seconds in training, 10.0 % with everything"))
        #expect(found.lines[0].hasPrefix("full: 2 trainings, 30 new and 0 replayed events, 10.00 processor seconds in training and 20.00"))
        // Without both there is nothing to compare.
        let one = RetrainingReport(replay().outcome, retrained: [], every: 1)
        #expect(one.costShares == nil && one.incrementalOverFull.isEmpty && one.lines.isEmpty)
    }
}

extension MetricsReport {
    /// Nobody was asked.
    static var nobody: MetricsReport {
        MetricsReport(users: 0, truthPairs: 0, catalogueSize: 40, metrics: [:], coverageAt10: 0, giniAt10: nil, slices: [:])
    }
}
