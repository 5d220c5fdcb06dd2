import Evaluation
import Foundation
import Interactions

/// What a user-cold evaluation found, for people and for programs.
package struct UserColdReport {
    /// One contestant's answers with one length of history in one round.
    package struct Cell {
        /// Metrics over the questions.
        package var report: MetricsReport
        /// NDCG@10 of each user, in the order of the questions.
        package var perUser: [Double]
        /// Mean number of main categories in the first ten.
        package var categories: Double

        /// All of it.
        package init(report: MetricsReport, perUser: [Double], categories: Double) {
            self.report = report
            self.perUser = perUser
            self.categories = categories
        }
    }

    /// Freshet with the rules of the configuration.
    package static let served = "freshet"
    private static let metrics = ["NDCG@10", "Recall@20"]

    /// Interactions that are known of a new user, ascending.
    package let lengths: [Int]
    /// Of the users, one in so many is new.
    package let folds: Int
    /// Names of what Freshet is compared with.
    package let rivals: [String]
    /// Rounds that are finished.
    package private(set) var rounds = 0
    /// Users that were asked, over all rounds.
    package private(set) var users = 0
    private var newUsers = 0
    /// In the order in which contestants were added.
    private var names: [String] = []
    private var cells: [String: [Int: [Cell]]] = [:]

    /// A report without rounds yet.
    package init(lengths: [Int], folds: Int, rivals: [String]) {
        self.lengths = lengths
        self.folds = folds
        self.rivals = rivals
    }

    /// Adds what one contestant answered in this round to users of one history length.
    package mutating func add(_ name: String, _ length: Int, _ cell: Cell) {
        if !names.contains(name) { names.append(name) }
        cells[name, default: [:]][length, default: []].append(cell)
    }

    /// Ends a round.
    package mutating func finishRound(users: Int, newUsers: Int) {
        rounds += 1
        self.users += users
        self.newUsers += newUsers
    }

    /// The rival with the best NDCG@10 at a length: chosen after the fact, which favours it.
    private func bestRival(_ length: Int) -> String? {
        rivals.filter { cells[$0] != nil }
            .max { mean($0, length, "NDCG@10").mean < mean($1, length, "NDCG@10").mean }
    }

    private func mean(_ name: String, _ length: Int, _ metric: String) -> (mean: Double, half: Double?) {
        ColdReport.summary(cells[name]?[length]?.map { $0.report[metric] } ?? [])
    }

    /// The difference per user to another contestant, over all rounds.
    private func difference(_ name: String, over rival: String, _ length: Int) -> BootstrapInterval {
        func values(_ name: String) -> [Double] { cells[name]?[length]?.flatMap(\.perUser) ?? [] }
        return BootstrapInterval(ofMean: zip(values(name), values(rival)).map { $0 - $1 })
    }

    private var cut: String {
        "users in \(folds) parts by a hash of their ids, one part new in each of \(rounds) rounds: \(newUsers) users, "
            + "\(users) of them with enough interactions to be asked"
    }

    /// One JSON object.
    package var json: String {
        var line = ResultLine(["cut": .text(cut), "users": .integer(users), "rounds": .integer(rounds)])
        for length in lengths {
            var own = ResultLine()
            for name in names {
                var cell = ResultLine()
                for metric in Self.metrics {
                    let found = mean(name, length, metric)
                    cell.add(metric, .number(found.mean))
                    if let half = found.half { cell.add(metric + "_ci95", .number(half)) }
                }
                let all = cells[name]?[length] ?? []
                cell.add("Coverage@10", .number(ColdReport.summary(all.map(\.report.coverageAt10)).mean))
                cell.add("categories@10", .number(ColdReport.summary(all.map(\.categories)).mean))
                own.add(name, .json(cell.json))
            }
            if let rival = bestRival(length) {
                let interval = difference(Self.served, over: rival, length)
                own.add("best_rival", .text(rival))
                own.add("difference", .number(interval.estimate))
                own.add("difference_low", .number(interval.lower))
                own.add("difference_high", .number(interval.upper))
            }
            line.add("history_\(length)", .json(own.json))
        }
        return line.json
    }

    /// Lines for people.
    package var lines: [String] {
        func padded(_ text: String, _ width: Int) -> String { text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0) }
        var lines = [cut, "NDCG@10, mean ± 95 % interval over rounds, by the interactions known of a user"]
        lines.append(padded("", 22) + lengths.map { padded("\($0)", 18) }.joined() + padded("coverage", 10) + "categories")
        for name in names {
            var line = padded(name, 22)
            for length in lengths { line += padded(Self.text(mean(name, length, "NDCG@10")), 18) }
            let first = cells[name]?[lengths.first ?? 0] ?? []
            line += padded(String(format: "%.3f", ColdReport.summary(first.map(\.report.coverageAt10)).mean), 10)
            line += String(format: "%.1f", ColdReport.summary(first.map(\.categories)).mean)
            lines.append(line)
        }
        for length in lengths {
            guard let rival = bestRival(length) else { continue }
            let interval = difference(Self.served, over: rival, length)
            lines.append(
                "with \(length): \(Self.served) − \(rival) = "
                    + String(format: "%+.4f (95 %%: %+.4f to %+.4f, over users)", interval.estimate, interval.lower, interval.upper))
        }
        return lines
    }

    private static func text(_ value: (mean: Double, half: Double?)) -> String {
        String(format: "%.4f", value.mean) + (value.half.map { String(format: " ± %.4f", $0) } ?? "")
    }
}
