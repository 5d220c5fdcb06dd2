import Evaluation
import Foundation
import Interactions

/// What a tail curve found: a point a setting and value, means over seeds, intervals over users.
package struct TailCurveReport {
    /// What a ranking of one seed gave.
    package struct Cell {
        /// NDCG@10 of each question's user.
        package var all: [Double]
        /// The same where only items beyond the head count, of users who took one.
        package var beyondHead: [Double]
        /// NDCG@10 on rare items alone.
        package var tail: Double
        /// Share of the catalogue in anybody's first ten.
        package var coverage: Double
        /// How unevenly the first ten go to items, 0 for evenly.
        package var gini: Double

        /// All of it.
        package init(all: [Double], beyondHead: [Double], tail: Double, coverage: Double, gini: Double) {
            self.all = all
            self.beyondHead = beyondHead
            self.tail = tail
            self.coverage = coverage
            self.gini = gini
        }
    }

    /// A value of a setting; the plain model is value 0 of every setting.
    package struct Point {
        /// What was set; nil for the plain model.
        package var setting: TailSetting?
        /// To what.
        package var value: Double
        /// One a seed.
        package var cells: [Cell]

        /// NDCG@10 of each user, the mean over seeds.
        package var all: [Double] { Self.mean(cells.map(\.all)) }
        /// NDCG@10 a user beyond the head, the mean over seeds.
        package var beyondHead: [Double] { Self.mean(cells.map(\.beyondHead)) }

        /// The mean of a figure over seeds.
        package func mean(_ value: KeyPath<Cell, Double>) -> Double { ColdReport.summary(cells.map { $0[keyPath: value] }).mean }

        private static func mean(_ columns: [[Double]]) -> [Double] {
            guard let first = columns.first else { return [] }
            return first.indices.map { user in columns.reduce(0) { $0 + $1[user] } / Double(columns.count) }
        }
    }

    /// A point with its intervals.
    package struct Entry {
        /// The setting with its value.
        package var point: Point
        /// NDCG@10 with its interval, on everything and beyond the head.
        package var ndcg, beyondHead: BootstrapInterval
        /// Changes from the plain model over the same users, as shares of it.
        package var change, beyondHeadChange: BootstrapInterval
    }

    /// NDCG@10 that a recommended setting keeps, as a share of the plain model's.
    package static let kept = 0.98

    /// How the questions were cut, in words.
    package let split: String
    /// Users that were asked.
    package let users: Int
    /// What counting answers.
    package let popularity: MetricsRecord
    /// Whether a blend was tried, so that its signals of popularity answer beside the towers.
    package let isBlended: Bool
    /// Seeds that are in the means.
    package private(set) var seeds = 0
    /// The plain model of the first seed.
    package private(set) var outcome: MetricsRecord?
    private var plain = Point(setting: nil, value: 0, cells: [])
    /// In the order in which they were added.
    private var points: [Point] = []

    /// A report without answers yet.
    package init(split: String, users: Int, popularity: MetricsRecord, isBlended: Bool) {
        self.split = split
        self.users = users
        self.popularity = popularity
        self.isBlended = isBlended
    }

    /// Begins a seed with its plain model.
    package mutating func add(_ cell: Cell, seed: UInt64, outcome: MetricsRecord) {
        plain.cells.append(cell)
        self.outcome = self.outcome ?? outcome
        seeds += 1
    }

    /// Adds what a setting's value gave with one seed.
    package mutating func add(_ cell: Cell, of setting: TailSetting, value: Double) {
        if let place = points.firstIndex(where: { $0.setting == setting && $0.value == value }) {
            points[place].cells.append(cell)
        } else {
            points.append(Point(setting: setting, value: value, cells: [cell]))
        }
    }

    /// The plain model first.
    package var entries: [Entry] {
        let base = plain.all, rare = plain.beyondHead
        return ([plain] + points).map { point in
            let all = point.all, beyond = point.beyondHead
            return Entry(
                point: point, ndcg: BootstrapInterval(ofMean: all), beyondHead: BootstrapInterval(ofMean: beyond),
                change: BootstrapInterval(ofGain: all, over: base), beyondHeadChange: BootstrapInterval(ofGain: beyond, over: rare))
        }
    }

    /// The entry that gains most beyond the head, its interval above nothing, of those that keep ``kept`` of NDCG@10; nil where none does.
    package static func recommended(_ entries: [Entry]) -> Entry? {
        entries.filter { $0.point.setting != nil && $0.change.estimate >= kept - 1 && $0.beyondHeadChange.lower > 0 }
            .max { $0.beyondHeadChange.estimate < $1.beyondHeadChange.estimate }
    }

    /// The settings of some entries in their order.
    package static func settings(_ entries: [Entry]) -> [TailSetting] {
        TailSetting.allCases.filter { setting in entries.contains { $0.point.setting == setting } }
    }

    /// One JSON object.
    package var json: String {
        let entries = self.entries
        func object(_ entry: Entry) -> String {
            var line = ResultLine(["value": .number(entry.point.value), "NDCG@10": .number(entry.ndcg.estimate)])
            for (name, interval) in [
                ("NDCG@10", entry.ndcg), ("beyond_head_NDCG@10", entry.beyondHead), ("change", entry.change),
                ("beyond_head_change", entry.beyondHeadChange),
            ] {
                if name != "NDCG@10" { line.add(name, .number(interval.estimate)) }
                line.add("\(name)_low", .number(interval.lower))
                line.add("\(name)_high", .number(interval.upper))
            }
            line.add("tail_NDCG@10", .number(entry.point.mean(\.tail)))
            line.add("Coverage@10", .number(entry.point.mean(\.coverage)))
            line.add("Gini@10", .number(entry.point.mean(\.gini)))
            let means = entry.point.cells.map { $0.all.reduce(0, +) / Double(max(1, $0.all.count)) }
            if let half = ColdReport.summary(means).half { line.add("NDCG@10_ci95_over_seeds", .number(half)) }
            return line.json
        }
        var line = ResultLine([
            "protocol": .text("tail-curve"), "split": .text(split), "users": .integer(users), "seeds": .integer(seeds),
            "blend": .boolean(isBlended),
            "plain": .json(object(entries[0])),
        ])
        for setting in Self.settings(entries) {
            line.add(setting.rawValue, .json("[" + entries.filter { $0.point.setting == setting }.map(object).joined(separator: ",") + "]"))
        }
        if let best = Self.recommended(entries), let setting = best.point.setting {
            line.add("recommended", .json(ResultLine(["setting": .text(setting.rawValue), "value": .number(best.point.value)]).json))
        } else {
            line.add("recommended", .null)
        }
        return line.json
    }

    /// Lines for people.
    package var lines: [String] {
        let entries = self.entries
        var lines = [
            "held out: \(split); \(users) users, \(seeds) \(seeds == 1 ? "seed" : "seeds"), "
                + "ranked by \(isBlended ? "towers and blend" : "the towers alone"); 95 % intervals over users",
            "setting                  value   NDCG@10  (from      to)  beyond head  (from      to)   "
                + "change beyond    tail  coverage   Gini",
        ]
        for entry in entries {
            var line = (entry.point.setting?.rawValue ?? "none").padding(toLength: 24, withPad: " ", startingAt: 0)
            line += String(
                format: " %5g   %7.4f  (%6.4f %6.4f)", entry.point.value, entry.ndcg.estimate, entry.ndcg.lower, entry.ndcg.upper)
            line += String(format: "      %7.4f  (%6.4f %6.4f)", entry.beyondHead.estimate, entry.beyondHead.lower, entry.beyondHead.upper)
            line += String(format: "  %+5.1f %% %+5.1f %%", 100 * entry.change.estimate, 100 * entry.beyondHeadChange.estimate)
            line += String(
                format: " %7.4f    %6.3f %6.3f", entry.point.mean(\.tail), entry.point.mean(\.coverage), entry.point.mean(\.gini))
            lines.append(line)
        }
        lines.append(Self.sentence(Self.recommended(entries)))
        return lines
    }

    /// The best setting in words.
    package static func sentence(_ best: Entry?) -> String {
        guard let best, let setting = best.point.setting else {
            return "No setting gains beyond the head while it keeps \(Int(100 * kept)) % of NDCG@10: leave them at 0."
        }
        return String(
            format: "recommended: %@ = %g: NDCG@10 %+.1f %%, beyond the head %+.1f %% (95 %%: %+.1f to %+.1f %%); "
                + "the most beyond the head of those that keep %d %% of NDCG@10",
            setting.rawValue, best.point.value, 100 * best.change.estimate, 100 * best.beyondHeadChange.estimate,
            100 * best.beyondHeadChange.lower,
            100 * best.beyondHeadChange.upper, Int(100 * kept))
    }

    /// The same as a page of HTML.
    package var page: ReportPage {
        var found = EvaluationRecord()
        found.split = split
        found.users = users
        found.model = outcome
        found.popularity = popularity
        var values = ReportValues(found)
        values.objectivesSection = TailSection(entries: entries).html
        return ReportPage(
            subject: ReportPage.Subject(
                title: "Settings for rare items",
                subtitle: "The model without any of them, and what each changes. \(seeds) \(seeds == 1 ? "seed" : "seeds").",
                status: nil), values: values)
    }
}
