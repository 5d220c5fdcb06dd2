import Evaluation
import Foundation
import Interactions

/// What a few-shot evaluation found.
package struct FewShotReport {
    /// Who ranks a category's items.
    package enum Contestant: String, CaseIterable {
        /// The meta-learned start, exact second order.
        case meta
        /// The same, first order.
        case firstOrder = "meta-first-order"
        /// From the start that is best without steps, equal steps, the rate tuned on the validation tasks.
        case fineTune = "fine-tune"
        /// That start itself.
        case none
        /// From zeros, equal steps, the rate tuned on the validation tasks.
        case scratch
        /// The cosine of the user's and the item's content.
        case cosine
        /// Likeness to the mean of the support items.
        case category
        /// Popularity as content predicts it.
        case popularity
    }

    /// Nothing asked yet.
    package init() {}

    private var tasks: [(category: String, seed: UInt64, ndcg: [Contestant: Double])] = []

    /// Adds NDCG@10 of every contestant on one task.
    package mutating func add(category: String, seed: UInt64, ndcg: [Contestant: Double]) { tasks.append((category, seed, ndcg)) }

    private func values(_ contestant: Contestant) -> [Double] { tasks.map { $0.ndcg[contestant] ?? 0 } }

    /// One JSON object: NDCG@10 with its interval over tasks, and what adaptation gains over each rival, paired.
    package var json: String {
        var line = ResultLine([
            "tasks": .integer(tasks.count), "categories": .integer(Set(tasks.map(\.category)).count),
            "seeds": .integer(Set(tasks.map(\.seed)).count),
        ])
        for contestant in Contestant.allCases {
            let own = values(contestant), mean = BootstrapInterval(ofMean: own)
            let gain = BootstrapInterval(ofMean: zip(values(.meta), own).map { $0 - $1 })
            line.add(
                contestant.rawValue,
                .json(
                    ResultLine([
                        "NDCG@10": .number(mean.estimate), "lower": .number(mean.lower), "upper": .number(mean.upper),
                        "meta_gain": .number(gain.estimate), "meta_gain_lower": .number(gain.lower), "meta_gain_upper": .number(gain.upper),
                    ]).json))
        }
        return line.json
    }

    /// Lines for people.
    package var lines: [String] {
        var lines = [
            "\(tasks.count) tasks of \(Set(tasks.map(\.category)).count) categories treated as new, 95 % bootstrap intervals over tasks",
        ]
        lines.append("                   NDCG@10                    what meta gains over it, paired")
        for contestant in Contestant.allCases {
            let own = values(contestant), mean = BootstrapInterval(ofMean: own)
            let gain = BootstrapInterval(ofMean: zip(values(.meta), own).map { $0 - $1 })
            lines.append(
                contestant.rawValue.padding(toLength: 19, withPad: " ", startingAt: 0)
                    + String(
                        format: "%.4f (%.4f to %.4f)   %+.4f (%+.4f to %+.4f)", mean.estimate, mean.lower, mean.upper, gain.estimate,
                        gain.lower, gain.upper))
        }
        return lines
    }
}
