import Foundation

/// The part of a page about the settings for rare items: overall quality against quality beyond the head, a line a setting, and the table.
struct TailSection {
    let entries: [TailCurveReport.Entry]

    private static let styles = ["a", "b", "d", "f"]

    var html: String {
        guard let plain = entries.first else { return "" }
        let settings = TailCurveReport.settings(entries), best = TailCurveReport.recommended(entries)
        func place(_ entry: TailCurveReport.Entry) -> (x: Double, y: Double) {
            (100 * entry.beyondHeadChange.estimate, entry.ndcg.estimate)
        }
        let series = settings.enumerated().map { index, setting in
            LineChart.Series(
                name: setting.rawValue, points: ([plain] + entries.filter { $0.point.setting == setting }).map(place),
                style: Self.styles[index % Self.styles.count])
        }
        let chart = LineChart(
            title: "NDCG@10 against the change of NDCG@10 beyond the head", xLabel: "change beyond the head, %", series: series,
            marked: best.map { (place($0).x, place($0).y, "\($0.point.setting?.rawValue ?? "") \(Self.text($0.point.value))") })
        let legend = series.map { "<span><i class=\"\($0.style)\"></i>\(HTMLText.escaped($0.name))</span>" }.joined()
        let head = HTMLText.head(
            ["setting", "value", "NDCG@10", "beyond the head", "change", "change beyond", "tail", "coverage", "Gini"])
        let rows = entries.map { entry in
            let isBest = entry.point.setting == best?.point.setting && entry.point.value == best?.point.value
            return row(entry, isBest: entry.point.setting != nil && isBest)
        }
        return """
            <h2>Rare items</h2>
            <p class="hint">Each setting alone, from nothing on: NDCG@10 of all questions against the change of NDCG@10 on items beyond \
            the head. \(HTMLText.escaped(TailCurveReport.sentence(best)))</p>
            <div class="card"><div class="legend">\(legend)</div>\(chart.svg)</div>
            <div class="scroll"><table>\(head)<tbody>\(rows.joined())</tbody></table></div>
            """
    }

    private func row(_ entry: TailCurveReport.Entry, isBest: Bool) -> String {
        func cell(_ estimate: Double, _ lower: Double, _ upper: Double) -> String {
            "<td>\(HTMLText.number(estimate)) <small>\(HTMLText.number(lower)) to \(HTMLText.number(upper))</small></td>"
        }
        func percent(_ share: Double) -> String { "<td>\(HTMLText.number(100 * share, decimals: 1)) %</td>" }
        let name = HTMLText.escaped(entry.point.setting?.rawValue ?? "none")
        let ndcg = cell(entry.ndcg.estimate, entry.ndcg.lower, entry.ndcg.upper)
        let beyond = cell(entry.beyondHead.estimate, entry.beyondHead.lower, entry.beyondHead.upper)
        let changes = percent(entry.change.estimate) + percent(entry.beyondHeadChange.estimate)
        let tail = HTMLText.cells([entry.point.mean(\.tail)])
        let spread = HTMLText.cells([entry.point.mean(\.coverage), entry.point.mean(\.gini)], decimals: 3)
        return "<tr\(isBest ? " class=\"own\"" : "")><td>\(name)</td><td>\(Self.text(entry.point.value))</td>"
            + "\(ndcg)\(beyond)\(changes)\(tail)\(spread)</tr>"
    }

    private static func text(_ value: Double) -> String { String(format: "%g", value) }
}
