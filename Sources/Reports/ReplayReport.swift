import Evaluation
import Foundation
import Interactions

/// The result of a replay: every ranker's metrics for all, warm and new users, and how far Freshet is from the best rival.
package struct ReplayReport {
    /// Freshet against a rival, over the users of one audience.
    package struct Comparison {
        /// The other's name.
        package var rival: String
        /// NDCG@10 of Freshet minus that of the rival, mean over users.
        package var difference: BootstrapInterval
        /// The same as a share of the rival's.
        package var gain: BootstrapInterval
    }

    /// The model's version in the registry.
    package let version: Int
    /// The events after this time were predicted.
    package let start: EventTime
    /// What the model may have learned ends here.
    package let newestLearned: EventTime?
    /// What every ranker achieved.
    package let outcome: Replay.Outcome
    /// Lines of the file that are no event.
    package let rejectedLines: Int
    /// Half-life of the recent popularity that is compared with.
    package let halfLifeDays: Double
    /// What the replay took.
    package let seconds: Double
    /// Against the rival with the best NDCG@10 of that audience.
    package let comparisons: [Replay.Audience: Comparison]
    /// What training again on the way changed and cost; nil where the model stayed as it was.
    package var retraining: RetrainingReport?

    /// All of it but what retraining gave.
    package init(
        version: Int, start: EventTime, newestLearned: EventTime?, outcome: Replay.Outcome, rejectedLines: Int, halfLifeDays: Double,
        seconds: Double
    ) {
        self.version = version
        self.start = start
        self.newestLearned = newestLearned
        self.outcome = outcome
        self.rejectedLines = rejectedLines
        self.halfLifeDays = halfLifeDays
        self.seconds = seconds
        var comparisons: [Replay.Audience: Comparison] = [:]
        for audience in Replay.Audience.allCases {
            guard let own = outcome.results.first?.perUser[audience], !own.isEmpty,
                let best = outcome.results.filter({ !$0.name.hasPrefix("freshet") }).max(by: { ndcg($0, audience) < ndcg($1, audience) }),
                let theirs = best.perUser[audience]
            else { continue }
            comparisons[audience] = Comparison(
                rival: best.name, difference: BootstrapInterval(ofMean: zip(own, theirs).map { $0 - $1 }),
                gain: BootstrapInterval(ofGain: own, over: theirs))
        }
        self.comparisons = comparisons
    }

    /// One JSON object.
    package var json: String {
        var line = ResultLine([
            "protocol": .text("replay"), "version": .integer(version), "from": .text(start.rfc3339()), "events": .integer(outcome.events),
            "questions": .integer(outcome.questions), "questions_kept_out": .integer(outcome.hiddenGroups),
            "half_life_days": .number(halfLifeDays), "rejected_lines": .integer(rejectedLines), "seconds": .number(seconds),
        ])
        if let span = outcome.span { line.add("until", .text(EventTime(milliseconds: span.upperBound).rfc3339())) }
        line.add("overlaps_training", .boolean(overlapsTraining))
        for result in outcome.results {
            var inner = ResultLine(["ndcg@10_per_question": .number(result.perQuestion)])
            for audience in Replay.Audience.allCases {
                inner.add(audience.rawValue, .json(result.reports[audience].map { MetricsRecord($0).json } ?? "{}"))
            }
            line.add(Self.key(result.name), .json(inner.json))
        }
        var against = ResultLine()
        for audience in Replay.Audience.allCases {
            guard let comparison = comparisons[audience] else { continue }
            against.add(
                audience.rawValue,
                .json(
                    ResultLine([
                        "rival": .text(comparison.rival), "difference": .number(comparison.difference.estimate),
                        "difference_low": .number(comparison.difference.lower), "difference_high": .number(comparison.difference.upper),
                        "gain": .number(comparison.gain.estimate), "gain_low": .number(comparison.gain.lower),
                        "gain_high": .number(comparison.gain.upper),
                    ]).json))
        }
        line.add("against_best_rival", .json(against.json))
        if let retraining { line.add("retraining", .json(retraining.json)) }
        return line.json
    }

    /// The same as a page of HTML: the metrics of all users.
    package var page: ReportPage {
        var found = EvaluationRecord()
        found.split = "replayed: predicted, then learned, \(outcome.events) events after \(start.rfc3339())"
        found.users = outcome.results.first?.reports[.all]?.users ?? 0
        for (place, result) in outcome.results.enumerated() {
            guard let report = result.reports[.all], let perUser = result.perUser[.all] else { continue }
            let name = Self.key(result.name)
            guard let contestant = place == 0 ? .model : EvaluationRecord.Contestant(rawValue: name) else { continue }
            found[contestant] = MetricsRecord(report, perUser: perUser)
        }
        var data = [DataNote("events", .integer(outcome.events)), DataNote("questions", .integer(outcome.questions))]
        for audience in [Replay.Audience.warm, .new] {
            guard let own = outcome.results.first?.reports[audience], own.users > 0 else { continue }
            data.append(DataNote("\(audience.rawValue) users", .integer(own.users)))
            for result in outcome.results {
                let ndcg = HTMLText.number(result.reports[audience]?["NDCG@10"])
                data.append(DataNote("NDCG@10 of \(result.name), \(audience.rawValue) users", .text(ndcg)))
            }
        }
        found.data = data
        found.timings = [StepTiming(name: "replay", seconds: seconds)]
        return ReportPage(
            ReportPage.Subject(
                title: "Replay of model version \(version)",
                subtitle: overlapsTraining
                    ? "The model may have learned events from after the start: this flatters it."
                    : "One user's events at one time are one question.",
                status: nil), of: found)
    }

    /// The key of a ranker in records.
    private static func key(_ name: String) -> String { name.replacing(" ", with: "_").lowercased() }

    private var overlapsTraining: Bool { newestLearned.map { start < $0 } ?? false }

    /// Lines for people.
    package var lines: [String] {
        var lines = [
            "version \(version), \(outcome.events) events after \(start.rfc3339()), \(outcome.questions) questions; "
                + "one user's events at one time are one question",
            "of users the mean over their questions, then the mean over users; 95 % intervals by resampling users",
        ]
        for audience in Replay.Audience.allCases {
            guard let users = outcome.results.first?.reports[audience]?.users, users > 0 else { continue }
            lines.append("")
            lines.append("\(audience.rawValue) users: \(users)")
            lines.append("                     NDCG@10  (    ±   )  Recall@10  Hit@10     MRR  coverage")
            for result in outcome.results {
                guard let report = result.reports[audience] else { continue }
                var line = result.name.padding(toLength: 20, withPad: " ", startingAt: 0)
                line += String(format: " %8.4f  (%7.4f)", report["NDCG@10"], report.metrics["NDCG@10"]?.standardError ?? 0)
                line += String(
                    format: "   %8.4f %7.4f %7.4f  %8.4f", report["Recall@10"], report["Hit@10"], report["MRR@100"], report.coverageAt10)
                lines.append(line)
            }
            if let comparison = comparisons[audience] {
                lines.append(
                    String(
                        format: "freshet is %+.1f %% from %@ (95 %%: %+.1f to %+.1f %%), NDCG@10 %+.4f (%+.4f to %+.4f)",
                        100 * comparison.gain.estimate,
                        comparison.rival, 100 * comparison.gain.lower, 100 * comparison.gain.upper, comparison.difference.estimate,
                        comparison.difference.lower, comparison.difference.upper))
            }
        }
        if let retraining { lines += [""] + retraining.lines }
        if overlapsTraining { lines.append("The model may have learned events from after the start: this flatters it.") }
        if rejectedLines > 0 { lines.append("\(rejectedLines) lines of the file are no valid events and were left out") }
        return lines
    }
}

private func ndcg(_ result: Replay.Result, _ audience: Replay.Audience) -> Double { result.reports[audience]?["NDCG@10"] ?? 0 }
