import Evaluation

/// A training, or an evaluation, as one page of HTML without anything from outside.
public struct ReportPage {
    /// What the page is about.
    public struct Subject {
        /// The heading.
        public var title: String
        /// Below the title: when, from what.
        public var subtitle: String
        /// `promoted`, `refused` and the like; nil leaves the chip out.
        public var status: String?
        /// Settings in force.
        public var settings: [(key: String, value: String)] = []
        /// What the settings are when nobody sets them.
        public var defaults: [String: String] = [:]

        /// A page about something.
        public init(
            title: String, subtitle: String, status: String?, settings: [(key: String, value: String)] = [],
            defaults: [String: String] = [:]
        ) {
            self.title = title
            self.subtitle = subtitle
            self.status = status
            self.settings = settings
            self.defaults = defaults
        }
    }

    let subject: Subject
    let values: ReportValues

    /// A page of what was found.
    public init(_ subject: Subject, of record: EvaluationRecord) { self.init(subject: subject, values: ReportValues(record)) }

    init(subject: Subject, values: ReportValues) {
        self.subject = subject
        self.values = values
    }

    /// The whole document.
    public var html: String {
        let title = HTMLText.escaped(subject.title)
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>\(title)</title>
            <style>\(ReportStyle.css)</style></head>
            <body><main>
            <header><h1>\(title)\(chip)</h1><p>\(HTMLText.escaped(subject.subtitle))</p></header>
            \(cards)
            \(decision)
            \(comparison)
            \(ListsSection(contestants: values.contestants, bound: values.itemShare, shares: values.listShares).html)
            \(slices)
            \(values.newItemsSection)
            \(values.exclusionSection)
            \(values.objectivesSection)
            \(values.domainsSection)
            \(values.choiceSection)
            \(learning)
            \(runAndData)
            \(settings)
            \(footer)
            </main></body></html>

            """
    }

    private var chip: String {
        guard let status = subject.status else { return "" }
        let style = status == "refused" ? "bad" : "good"
        return "<span class=\"chip \(style)\">\(HTMLText.escaped(status))</span>"
    }

    private var own: ReportValues.Contestant? { values.contestants.first(where: \.isOwn) }

    /// The best of the others that were asked the same questions.
    private var bestRival: ReportValues.Contestant? {
        values.contestants.filter { !$0.isOwn && $0.users == own?.users }.max { ($0["NDCG@10"] ?? 0) < ($1["NDCG@10"] ?? 0) }
    }

    private var cards: String {
        var cards: [(name: String, value: String, note: String)] = []
        if let own, let ndcg = own["NDCG@10"] {
            let low = own["NDCG@10_low"], high = own["NDCG@10_high"]
            let note =
                low != nil && high != nil
                ? "95 %: \(HTMLText.number(low)) to \(HTMLText.number(high))" : "± \(HTMLText.number(own["NDCG@10_se"]))"
            cards.append(("NDCG@10", HTMLText.number(ndcg), note))
            if let rival = bestRival, let theirs = rival["NDCG@10"], theirs > 0 {
                let gain = 100 * (ndcg / theirs - 1)
                let change = (gain >= 0 ? "+" : "") + HTMLText.number(gain, decimals: 1) + " %"
                cards.append(("against the best rival", change, "\(rival.name): \(HTMLText.number(theirs))"))
            }
            cards.append(("Recall@100", HTMLText.number(own["Recall@100"], decimals: 3), "of what they took is in the list"))
            let covered = HTMLText.number((own["Coverage@10"] ?? 0) * 100, decimals: 1) + " %"
            cards.append(("catalogue in some top 10", covered, "Gini \(HTMLText.number(own["Gini@10"], decimals: 3))"))
        }
        let total = values.timings.reduce(0) { $0 + $1.seconds }
        if total > 0 {
            cards.append(("whole run", HTMLText.duration(total), "\(HTMLText.count(values.users.map(Double.init))) users asked"))
        }
        guard !cards.isEmpty else { return "" }
        let body = cards.map {
            "<div class=\"card\"><span class=\"name\">\(HTMLText.escaped($0.name))</span><b>\($0.value)</b>"
                + "<span>\(HTMLText.escaped($0.note))</span></div>"
        }
        return "<section class=\"cards\">\(body.joined())</section>"
    }

    private var decision: String {
        guard !values.reasons.isEmpty else { return "" }
        let word =
            values.passes.map { $0 ? "<b class=\"good\">The gate let it pass.</b>" : "<b class=\"bad\">The gate refused it.</b>" } ?? ""
        let reasons = values.reasons.map { "<li>\(HTMLText.escaped($0))</li>" }.joined()
        return "<h2>Decision</h2><p>\(word)</p><ul class=\"reasons\">\(reasons)</ul>\(values.gateSection)"
    }

    private var comparison: String {
        guard !values.contestants.isEmpty else {
            return "<h2>Quality</h2><p class=\"hint\">Nothing was held out, so nothing was measured.</p>"
        }
        let rows = values.contestants.map { contestant in
            let mean = contestant["NDCG@10"] ?? 0, error = 1.96 * (contestant["NDCG@10_se"] ?? 0)
            return IntervalChart.Row(
                name: contestant.title, mean: mean, low: contestant["NDCG@10_low"] ?? max(0, mean - error),
                high: contestant["NDCG@10_high"] ?? mean + error, isOwn: contestant.isOwn)
        }
        let chart = IntervalChart(title: "NDCG@10 with 95 % intervals", rows: rows.sorted { $0.mean > $1.mean })
        let questions = values.split.map { "Held out: \(HTMLText.escaped($0)). " } ?? ""
        return """
            <h2>Quality</h2>
            <p class="hint">\(questions)The whole catalogue is ranked for each of \(HTMLText.count(values.users.map(Double.init))) users; \
            all are asked the same questions. NDCG@10 with 95 % intervals over users.</p>
            <div class="card">\(chart.svg)</div>
            <div class="scroll">\(metricsTable)</div>
            """
    }

    private var metricsTable: String {
        let columns: [(name: String, key: String, decimals: Int, isBetterLow: Bool)] = [
            ("NDCG@10", "NDCG@10", 4, false), ("Recall@10", "Recall@10", 4, false), ("Recall@100", "Recall@100", 4, false),
            ("Hit@10", "Hit@10", 4, false), ("MRR@100", "MRR@100", 4, false), ("Coverage@10", "Coverage@10", 4, false),
            ("Gini@10", "Gini@10", 3, true),
        ]
        var text = "<table><thead><tr><th></th>" + columns.map { "<th>\($0.name)</th>" }.joined() + "</tr></thead><tbody>"
        for contestant in values.contestants {
            let isAskedLess = contestant.users != own?.users
            text += "<tr\(contestant.isOwn ? " class=\"own\"" : "")><td>\(HTMLText.escaped(contestant.name))"
            if isAskedLess { text += " <small>on \(HTMLText.count(Double(contestant.users))) users</small>" }
            text += "</td>"
            for column in columns {
                let value = contestant[column.key]
                let peers = values.contestants.filter { $0.users == own?.users }.compactMap { $0[column.key] }
                let best = column.isBetterLow ? peers.min() : peers.max()
                let isBest = !isAskedLess && value != nil && value == best
                text += "<td\(isBest ? " class=\"best\"" : "")>\(HTMLText.number(value, decimals: column.decimals))"
                if column.key == "NDCG@10", let error = contestant["NDCG@10_se"] { text += " <small>± \(HTMLText.number(error))</small>" }
                text += "</td>"
            }
            text += "</tr>"
        }
        return text + "</tbody></table>"
    }

    private var slices: String {
        let contestants = values.contestants.filter { !$0.record.report.slices.isEmpty && $0.users == own?.users }
        guard let first = contestants.first else { return "" }
        let groups = ReportValues.slices.compactMap { slice -> GroupedBars.Group? in
            guard let users = first.record.report.slices[slice]?.users else { return nil }
            return GroupedBars.Group(
                name: slice, note: "\(HTMLText.count(Double(users))) users",
                bars: contestants.map { ($0.title, $0.record.report.slices[slice]?.metrics["NDCG@10"]?.mean ?? 0, $0.style) })
        }
        let bars = GroupedBars(title: "NDCG@10 by how popular the items are", groups: groups)
        guard !bars.svg.isEmpty else { return "" }
        let legend = contestants.map { "<span><i class=\"\($0.style)\"></i>\(HTMLText.escaped($0.title))</span>" }.joined()
        return """
            <h2>Popular and rare items</h2>
            <p class="hint">NDCG@10 on what users took from each part of the catalogue: head is the fifth of the items with most events, \
            mid the next three tenths, tail the other half, cold what had no event to learn from.</p>
            <div class="card"><div class="legend">\(legend)</div>\(bars.svg)</div>
            """
    }

    private var learning: String {
        guard !values.curves.isEmpty else { return "" }
        let styles = ["a", "f", "d"]
        let loss = LineChart(
            title: "Loss by epoch", xLabel: "epoch",
            series: values.curves.enumerated().map { place, curve in
                LineChart.Series(
                    name: curve.stage ?? "", points: curve.epochs.compactMap { epoch in epoch.loss.map { (Double(epoch.epoch), $0) } },
                    style: styles[place % styles.count])
            })
        let legend = values.curves.enumerated().map { place, curve in
            "<span><i class=\"\(styles[place % styles.count])\"></i>\(HTMLText.escaped(curve.stage ?? ""))</span>"
        }.joined()
        var charts = "<div class=\"card\"><h3>Loss</h3><div class=\"legend\">\(legend)</div>\(loss.svg)</div>"
        let validated = values.curves.enumerated().filter { $0.element.epochs.contains { $0.validation != nil } }
        if !validated.isEmpty {
            let best = validated[0].element.epochs.filter { $0.validation != nil }.max { ($0.validation ?? 0) < ($1.validation ?? 0) }
            let chart = LineChart(
                title: "NDCG@10 on validation users by epoch", xLabel: "epoch",
                series: validated.map { place, curve in
                    LineChart.Series(
                        name: curve.stage ?? "",
                        points: curve.epochs.compactMap { epoch in epoch.validation.map { (Double(epoch.epoch), $0) } },
                        style: styles[place % styles.count])
                },
                marked: best.map { (Double($0.epoch), $0.validation ?? 0, "best: \(HTMLText.number($0.validation)) in epoch \($0.epoch)") })
            charts += "<div class=\"card\"><h3>NDCG@10 on validation users</h3>\(chart.svg)</div>"
        }
        return "<h2>Learning</h2><div class=\"pair\">\(charts)</div>"
    }

    private var runAndData: String {
        var cards = ""
        let total = values.timings.reduce(0) { $0 + $1.seconds }
        if total > 0 {
            let styles = ["c", "a", "d", "f", "b", "g"]
            let bar = values.timings.enumerated().map { place, step in
                let width = HTMLText.number(100 * step.seconds / total, decimals: 2)
                return "<i class=\"\(styles[place % styles.count])\" style=\"width:\(width)%\"></i>"
            }.joined()
            let rows = values.timings.enumerated().map { place, step in
                let mark = "<i class=\"\(styles[place % styles.count])\" "
                    + "style=\"display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:8px\"></i>"
                return "<div><dt>\(mark)\(HTMLText.escaped(step.name))</dt><dd>\(HTMLText.duration(step.seconds))</dd></div>"
            }.joined()
            var speed = ""
            if let fastest = values.curves.flatMap(\.epochs).compactMap(\.examplesPerSecond).max() {
                speed = "<div><dt>fastest epoch</dt><dd>\(HTMLText.count(fastest)) examples/s</dd></div>"
            }
            cards += "<div class=\"card\"><h3>Time</h3><div class=\"time\">\(bar)</div><dl>\(rows)\(speed)</dl></div>"
        }
        if !values.data.isEmpty {
            let rows = values.data.map { "<div><dt>\(HTMLText.escaped($0.name))</dt><dd>\(HTMLText.escaped($0.value))</dd></div>" }.joined()
            cards += "<div class=\"card\"><h3>Data</h3><dl>\(rows)</dl></div>"
        }
        if !values.weights.isEmpty {
            let rows = values.weights.map {
                let name = HTMLText.escaped($0.name.replacing("_", with: " "))
                return "<div><dt>\(name)</dt><dd>\(HTMLText.number($0.value, decimals: 3))</dd></div>"
            }.joined()
            let alone =
                values.towersAlone.map {
                    "<p class=\"hint\">The towers alone reach NDCG@10 \(HTMLText.number($0)); the ranking adds these to their score.</p>"
                } ?? ""
            cards += "<div class=\"card\"><h3>Ranking blend</h3>\(alone)<dl>\(rows)</dl></div>"
        }
        if !values.counters.isEmpty {
            let rows = values.counters.map {
                "<div><dt>\(HTMLText.escaped($0.name))</dt><dd>\(HTMLText.escaped($0.value))</dd></div>"
            }.joined()
            cards += "<div class=\"card\"><h3>Ranker over counters</h3><dl>\(rows)</dl></div>"
        }
        if !values.carriers.isEmpty {
            let rows = values.carriers.map {
                let name = HTMLText.escaped($0.name.replacing("_", with: " "))
                return "<div><dt>\(name)</dt><dd>\(HTMLText.number(100 * $0.share, decimals: 1)) %</dd></div>"
            }.joined()
            cards += "<div class=\"card\"><h3>What carries the lists</h3><p class=\"hint\">Items of top tens by what moved their score "
                + "most: without it they would lose most of it.</p><dl>\(rows)</dl></div>"
        }
        return cards.isEmpty ? "" : "<h2>Run and data</h2><div class=\"pair\">\(cards)</div>"
    }

    private var settings: String {
        guard !subject.settings.isEmpty else { return "" }
        let rows = subject.settings.map { setting in
            let isChanged = subject.defaults[setting.key].map { $0 != setting.value } ?? false
            let value = HTMLText.escaped(setting.value.isEmpty ? "–" : setting.value)
            return "<div\(isChanged ? " class=\"changed\"" : "")><code>\(HTMLText.escaped(setting.key))</code><span>\(value)</span></div>"
        }
        return """
            <h2>Settings</h2><p class="hint">In bold what differs from the defaults.</p>\
            <div class="card"><div class="settings">\(rows.joined())</div></div>
            """
    }

    private var footer: String {
        """
        <footer>Metrics are means over users; docs/evaluation.md says what each means. ± is a standard error; intervals come from \
        resampling users 2,000 times. \
        Rivals learn from the same training part, each with the settings that suit the data, named beside it: popularity counts events; \
        recent popularity lets them fade or counts a window; windowed Markov follows transitions; EASE is a linear model in closed form; \
        item to item takes neighbours by their users; buy it again repeats what the user had most.</footer>
        """
    }
}
