import Evaluation
import Foundation
import Interactions

/// What an item-cold evaluation found, for people and for programs.
package struct ColdReport {
    /// One seed.
    package struct Round {
        /// The weights of the content channel, in the order of its parts.
        package var weights: [Float]
        /// What each contestant achieved, by its name.
        package var reports: [String: MetricsReport] = [:]
        /// The share of new items in the first 20 of new and old together, and in what is relevant.
        package var shareShown = 0.0, shareRelevant = 0.0

        /// A round without answers yet.
        package init(weights: [Float]) { self.weights = weights }
    }

    /// The metrics that the report shows.
    package static let metrics = ["Recall@20", "Recall@100", "NDCG@10"]

    /// The share of the items that is treated as new, in percent, and whether it is the newest ones.
    package let percent: Double, newest: Bool
    /// Who is asked, in the order of the page; the parts that the content channel weighs.
    package let contestants: [String], parts: [String]
    /// Questions of the last round.
    package var questions = 0
    /// Items that were new in the last round.
    package var newItems = 0
    /// One a seed.
    package private(set) var rounds: [Round] = []

    /// A report without rounds yet.
    package init(percent: Double, newest: Bool, contestants: [String], parts: [String]) {
        self.percent = percent
        self.newest = newest
        self.contestants = contestants
        self.parts = parts
    }

    /// Adds a seed's round.
    package mutating func add(_ round: Round) { rounds.append(round) }

    /// A mean over the seeds with half the width of its 95 % interval (Student's t); no width for one seed.
    package static func summary(_ values: [Double]) -> (mean: Double, half: Double?) {
        let n = Double(values.count), mean = values.reduce(0, +) / max(1, n)
        guard values.count > 1 else { return (mean, nil) }
        let quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
        let quantile = values.count - 2 < quantiles.count ? quantiles[values.count - 2] : 2
        return (mean, quantile * (variance / n).squareRoot())
    }

    private func summary(_ key: String, _ metric: String) -> (mean: Double, half: Double?) {
        Self.summary(rounds.compactMap { $0.reports[key]?[metric] })
    }

    private var ratio: (mean: Double, half: Double?) {
        Self.summary(rounds.map { $0.shareRelevant > 0 ? $0.shareShown / $0.shareRelevant : 0 })
    }

    private var cut: String {
        "\(newItems) items (\(newest ? "the newest" : "a random") \(String(format: "%g", percent)) %) treated as new"
    }

    /// One JSON object.
    package var json: String {
        var line = ResultLine([
            "cut": .text(cut), "users": .integer(questions), "seeds": .integer(rounds.count), "new_share_ratio": .number(ratio.mean),
        ])
        if let half = ratio.half { line.add("new_share_ratio_ci95", .number(half)) }
        for key in contestants {
            var own = ResultLine()
            for metric in Self.metrics {
                let (mean, half) = summary(key, metric)
                own.add(metric, .number(mean))
                if let half { own.add(metric + "_ci95", .number(half)) }
            }
            line.add(key, .json(own.json))
        }
        var weights = ResultLine()
        for (place, part) in parts.enumerated() {
            weights.add(part, .number(Self.summary(rounds.map { Double($0.weights[place]) }).mean))
        }
        line.add("weights", .json(weights.json))
        return line.json
    }

    /// Lines for people.
    package var lines: [String] {
        var lines = ["\(cut), \(questions) users, \(rounds.count) seeds, mean ± 95 % interval over seeds"]
        lines.append(
            "".padding(toLength: 14, withPad: " ", startingAt: 0)
                + Self.metrics.map { $0.padding(toLength: 20, withPad: " ", startingAt: 0) }.joined())
        for key in contestants {
            var line = key.padding(toLength: 14, withPad: " ", startingAt: 0)
            for metric in Self.metrics { line += Self.text(summary(key, metric)).padding(toLength: 20, withPad: " ", startingAt: 0) }
            lines.append(line)
        }
        lines.append("share of new items in the first 20 over their share of what is relevant: \(Self.text(ratio))")
        return lines
    }

    private static func text(_ value: (mean: Double, half: Double?)) -> String {
        String(format: "%.4f", value.mean) + (value.half.map { String(format: " ± %.4f", $0) } ?? "")
    }
}
