import Evaluation
import Foundation
import Interactions

/// What a split found, for people, for programs and as a page.
package struct SplitReport {
    /// The model's version in the registry.
    package let version: Int
    /// How the questions were cut, in words.
    package let description: String
    /// The model first.
    package let contestants: [Entry]
    /// One of them with what it achieved.
    package struct Entry {
        /// Who answered.
        package var contestant: EvaluationRecord.Contestant
        /// What was set of a rival, in words; empty where there is nothing to set.
        package var settings: String
        /// What it achieved.
        package var record: MetricsRecord

        /// All of it.
        package init(contestant: EvaluationRecord.Contestant, settings: String = "", record: MetricsRecord) {
            self.contestant = contestant
            self.settings = settings
            self.record = record
        }
    }

    /// What the model was trained on, as JSON.
    package let watermark: String

    /// All of it.
    package init(version: Int, description: String, contestants: [Entry], watermark: String) {
        self.version = version
        self.description = description
        self.contestants = contestants
        self.watermark = watermark
    }

    private var users: Int { contestants.first?.record.report.users ?? 0 }

    /// One JSON object.
    package var json: String {
        var line = ResultLine([
            "version": .integer(version), "split": .text(description), "users": .integer(users),
        ])
        for entry in contestants { line.add(entry.contestant.rawValue, .json(entry.record.json)) }
        var set = ResultLine()
        for entry in contestants where !entry.settings.isEmpty { set.add(entry.contestant.rawValue, .text(entry.settings)) }
        line.add("rival_settings", .json(set.json))
        line.add("trained_on", .json(watermark))
        return line.json
    }

    /// The same as a page of HTML.
    package var page: ReportPage {
        var found = EvaluationRecord()
        found.split = description
        found.users = users
        for entry in contestants { found[entry.contestant] = entry.record }
        found.rivalSettings = settings
        return ReportPage(
            ReportPage.Subject(
                title: "Evaluation of model version \(version)", subtitle: "Held out: \(description). \(caution)", status: nil),
            of: found)
    }

    /// What was set of the rivals, by their names.
    private var settings: [String: String] {
        Dictionary(contestants.filter { !$0.settings.isEmpty }.map { ($0.contestant.rawValue, $0.settings) }) { first, _ in first }
    }

    private var caution: String {
        guard let newest = JSONText.string("newest_event_time", inObject: watermark) else {
            return "The model may have learned from what is held out."
        }
        return "The model may have learned from what is held out, up to \(newest)."
    }

    /// Lines for people.
    package var lines: [String] {
        var lines = [
            "version \(version), \(description), \(users) users",
            "                     NDCG@10  (95 %: from    to) Recall@10 Recall@100  coverage    head     mid    tail    cold",
        ]
        for entry in contestants {
            let report = entry.record.report, interval = entry.record.interval
            var line = entry.contestant.title.padding(toLength: 20, withPad: " ", startingAt: 0)
            line += String(format: " %7.4f  (%7.4f %7.4f)", report["NDCG@10"], interval?.low ?? 0, interval?.high ?? 0)
            line += String(format: "   %7.4f    %7.4f   %7.4f", report["Recall@10"], report["Recall@100"], report.coverageAt10)
            for slice in ReportValues.slices {
                line += report.slices[slice].map { String(format: " %7.4f", $0.metrics["NDCG@10"]?.mean ?? 0) } ?? "       –"
            }
            lines.append(entry.settings.isEmpty ? line : "\(line)  \(entry.settings)")
        }
        lines.append(caution)
        return lines
    }
}
