import Evaluation

/// What the preset `auto` saw, chose, and why: a part of a page, and tables for a terminal.
public struct ChoiceSection {
    private let choice: ChoiceRecord

    /// The part about a choice.
    public init(_ choice: ChoiceRecord) { self.choice = choice }

    /// What was seen, a name and a value each.
    var seen: [(name: String, value: String)] {
        let look = choice.seen
        func share(_ value: Double) -> String { HTMLText.number(100 * value, decimals: 1) + " %" }
        func number(_ value: Double?, _ decimals: Int = 2) -> String { HTMLText.number(value, decimals: decimals) }
        var rows: [(String, String)] = [
            ("events, users, items", [look.events, look.users, look.items].map { HTMLText.count(Double($0)) }.joined(separator: ", ")),
            ("events a user, an item (median)", "\(look.eventsPerUser), \(look.eventsPerItem)"),
            ("days", number(look.spanDays, 0)), ("gaps of the commonest length", share(look.commonestGap)),
            ("users who end at the commonest instant", share(look.commonestEnd)),
            ("events at the instant of the one before", share(look.tied)), ("events a visit", number(look.eventsPerVisit, 1)),
            ("newest tenth: had before, of \(HTMLText.count(Double(look.askedPairs))) pairs", share(look.repeats)),
            ("repeats within an hour", share(look.repeatsWithinHour)), ("days to a later repeat (median)", number(look.repeatDays, 0)),
            ("neighbours that are neighbours of others too", share(look.order)),
            ("the same over pairs further apart", number(look.orderRatio)),
            ("newest tenth: events of new items, of new users", share(look.newItems) + ", " + share(look.newUsers)),
            ("purchases, events with an amount", share(look.purchases) + ", " + share(look.valued)),
            (
                "impressions, taken up", HTMLText.count(Double(look.impressions)) + ", " + HTMLText.count(Double(look.taken))
            ),
            (
                "items with titles, texts, tags, categories, prices",
                [look.content.titles, look.content.texts, look.content.tags, look.content.categories, look.content.prices].map(share)
                    .joined(separator: ", ")
            ),
            ("items without an event of which something is known", share(look.content.newDescribed)),
        ]
        if !look.content.links.isEmpty { rows.append(("attributes that name other items", look.content.links.joined(separator: ", "))) }
        if let ratings = look.ratings, ratings.rated > 0 {
            rows.append(
                ("events with a rating, scale", "\(share(ratings.rated)), \(number(ratings.lowest, 1)) to \(number(ratings.highest, 1))"))
        }
        return rows.map { (name: $0.0, value: $0.1) }
    }

    /// What was chosen or set otherwise: key, value and reason.
    private var rows: [(key: String, value: String, why: String, isChosen: Bool)] {
        choice.decisions.map { ($0.key, $0.value, $0.why, true) } + choice.overruled.map { ($0.key, $0.value, $0.why, false) }
    }

    /// One of those that were compared.
    private struct Compared {
        var name: String, settings: String, figures: [String], note: String, isTaken: Bool
    }

    /// What was compared on the held-out part.
    private var compared: [Compared] {
        guard let comparison = choice.comparison else { return [] }
        return comparison.trials.map { trial in
            var part = "–", interval = "–"
            if let oneIn = trial.oneIn { part = oneIn == 1 ? "all" : "one in \(oneIn)" }
            if let difference = trial.difference {
                let ends = HTMLText.number(trial.low) + " to " + HTMLText.number(trial.high)
                interval = "\(HTMLText.number(difference)) (\(ends))"
            }
            let questions = HTMLText.count(trial.questions.map { Double($0) })
            return Compared(
                name: trial.name, settings: trial.settings,
                figures: [part, questions, HTMLText.number(trial.ndcg), interval, HTMLText.duration(trial.seconds)], note: trial.note,
                isTaken: trial.name == comparison.taken)
        }
    }

    private static let comparedColumns = ["choice", "users", "questions", "NDCG@10", "difference", "took", "result", "settings"]

    /// What was found by comparing, and what it took.
    private var finding: String? {
        guard let comparison = choice.comparison else { return nil }
        guard !comparison.trials.isEmpty else { return comparison.reason }
        let took = HTMLText.duration(comparison.seconds), budget = HTMLText.duration(comparison.budgetSeconds)
        let end = comparison.isTimeDecided ? "; time decided what was tried, so another machine may compare more." : "."
        return "\(comparison.reason) It took \(took) of \(budget) (train.choice_budget_minutes)\(end)"
    }

    /// For people at a terminal, columns by tabs.
    public var lines: [String] {
        var lines = [title + ":"] + rows.map { "\($0.key)\t\($0.value)\t\($0.why)" }
        if let finding {
            lines.append("What was compared on the held-out part:")
            if !compared.isEmpty { lines.append(Self.comparedColumns.joined(separator: "\t")) }
            for row in compared {
                let cells: [String] = [row.name] + row.figures + [row.note, row.settings]
                lines.append(cells.joined(separator: "\t"))
            }
            lines.append(finding)
        }
        lines += choice.advice + ["What was seen:"] + seen.map { "\($0.name)\t\($0.value)" }
        return lines
    }

    private var title: String {
        choice.baseVersion.map { "What auto chose for version \($0), and this training keeps" } ?? "What auto chose"
    }

    private var comparedTable: String {
        let rows = compared.map { row in
            let figures = row.figures.map { "<td>\(HTMLText.escaped($0))</td>" }.joined()
            let texts = [row.note, row.settings].map { "<td class=\"text\">\(HTMLText.escaped($0))</td>" }.joined()
            return "<tr\(row.isTaken ? " class=\"own\"" : "")><td>\(HTMLText.escaped(row.name))</td>\(figures)\(texts)</tr>"
        }
        guard !rows.isEmpty else { return "" }
        return """
            <div class="scroll"><table>\(HTMLText.head(Self.comparedColumns))<tbody>\(rows.joined())</tbody></table></div>
            """
    }

    /// The part of the page.
    var html: String {
        let chosen = rows.map { row in
            "<tr\(row.isChosen ? " class=\"own\"" : "")><td>\(HTMLText.escaped(row.key))</td><td>\(HTMLText.escaped(row.value))</td>"
                + "<td class=\"text\">\(HTMLText.escaped(row.why))</td></tr>"
        }
        let found = seen.map { "<div><dt>\(HTMLText.escaped($0.name))</dt><dd>\(HTMLText.escaped($0.value))</dd></div>" }
        let comparison = finding.map { finding in
            "<h3>What was compared on the held-out part</h3>\n<p>\(HTMLText.escaped(finding))</p>\n" + comparedTable
        }
        let advice = choice.advice.map { "<li>\(HTMLText.escaped($0))</li>" }
        return """
            <h2>\(HTMLText.escaped(title))</h2>
            <p class="hint">train.preset is auto: settings that nobody made are chosen by what the data look like. What is set always \
            wins; docs/learning.md has the rules.</p>
            <div class="scroll"><table>\(HTMLText.head(["setting", "value", "why"]))<tbody>\(chosen.joined())</tbody></table></div>
            \(comparison ?? "")
            \(advice.isEmpty ? "" : "<ul class=\"reasons\">\(advice.joined())</ul>")
            <div class="card"><h3>What was seen</h3><dl>\(found.joined())</dl></div>
            """
    }
}
