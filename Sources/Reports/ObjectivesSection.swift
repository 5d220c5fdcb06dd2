import Evaluation

/// The part of a report about goals beside the next item: their Pareto front, how well probabilities hold, and the tail dial.
struct ObjectivesSection {
    let objectives: ObjectivesRecord?
    let tail: TailCurveRecord?

    /// Nothing where nothing was found.
    var html: String { goals + weightings + dial }

    private var goals: String {
        guard let objectives, let points = objectives.points, !points.isEmpty else { return "" }
        let rows = points.map { point in
            let isUsed = point.conversion == objectives.conversionPower && point.value == objectives.valuePower
            let found = HTMLText.cells([point.ndcg, point.gainNDCG]), coverage = HTMLText.cells([point.coverage], decimals: 3)
            return "<tr\(isUsed ? " class=\"own\"" : "")><td>\(point.point ?? 0)\(point.front == true ? " ★" : "")</td>"
                + "<td>\(point.clickHead == true ? "click head" : "blend")</td>"
                + "<td>\(point.conversion ?? 0)</td><td>\(point.value ?? 0)</td>\(found)\(coverage)</tr>"
        }
        let plots = objectives.calibrations.map { calibration in
            let top = calibration.bins.map { max($0.x, $0.y) }.max() ?? 1
            let percent = calibration.bins.map { (x: 100 * $0.x / max(top, 1e-9), y: $0.y) }
            let chart = LineChart(
                title: "Reliability of the \(calibration.head) head", xLabel: "predicted, % of the largest",
                series: [
                    LineChart.Series(name: "observed", points: percent, style: "a"),
                    LineChart.Series(name: "perfect", points: [(0, 0), (100, top)], style: "f"),
                ])
            let errors = "\(HTMLText.number(calibration.before)) before and \(HTMLText.number(calibration.after)) after correction"
            return "<div class=\"card\"><h3>Reliability, \(calibration.head)</h3>"
                + "<p class=\"hint\">Calibration error \(errors).</p>\(chart.svg)</div>"
        }
        let head = HTMLText.head(["point", "interest by", "conversion power", "value power", "NDCG@10", "gNDCG@10", "coverage"])
        return """
            <h2>Goals</h2>
            <p class="hint">Mixes of interest, probability of purchase and expected order value on the held-out questions. \
            ★: no other mix is better in both NDCG@10 and revenue-weighted NDCG@10. \
            Learned from \(HTMLText.count(objectives.examples.map(Double.init))) examples: \
            \(HTMLText.escaped(objectives.examplesFrom ?? "")). <code>freshet models objectives V --pick N</code> uses one.</p>
            <div class="scroll"><table>\(head)<tbody>\(rows.joined())</tbody></table></div>
            <div class="pair">\(plots.joined())</div>
            """
    }

    private var weightings: String {
        guard let weightings = objectives?.sweep, !weightings.isEmpty else { return "" }
        let rows = weightings.map { weighting in
            let name = HTMLText.escaped(weighting.weighting ?? "") + (weighting.front == true ? " ★" : "")
            let weights = HTMLText.cells(weighting.weights, decimals: 2), losses = HTMLText.cells(weighting.losses)
            return "<tr\(weighting.picked == true ? " class=\"own\"" : "")><td>\(name)</td>\(weights)\(losses)</tr>"
        }
        let heads = ["weight", "loss"].flatMap { kind in ObjectivesRecord.heads.map { "\($0) \(kind)" } }
        return """
            <h3>Weights of the losses</h3>
            <p class="hint">Each weighting judged on the users that it did not learn from. ★: no other is as good in all three losses and \
            better in one. In bold the one in use: the smallest of the largest excess over the best, each loss in its standard errors.</p>
            <div class="scroll"><table>\(HTMLText.head(["weighting"] + heads))<tbody>\(rows.joined())</tbody></table></div>
            """
    }

    private var dial: String {
        guard let tail, let points = tail.points, !points.isEmpty else { return "" }
        let rows = points.map { point in
            let isUsed = point.dial == tail.used && point.lift == tail.usedLift
            let place = HTMLText.cells([point.dial, point.lift], decimals: 2), found = HTMLText.cells([point.ndcg, point.beyondHead])
            let spread = HTMLText.cells([point.coverage, point.gini], decimals: 3)
            return "<tr\(isUsed ? " class=\"own\"" : "")>\(place)\(found)\(spread)</tr>"
        }
        let head = HTMLText.head(["λ", "δ", "NDCG@10", "NDCG@10 beyond the head", "coverage", "Gini"])
        return """
            <h2>The tail dial</h2>
            <p class="hint">score − λ · ln(share of all events) + δ for items beyond the head, on the held-out questions. \
            Best beyond the head among those that keep 98 % of NDCG@10: λ \(HTMLText.number(tail.recommended, decimals: 2)), \
            δ \(HTMLText.number(tail.recommendedLift, decimals: 2)).</p>
            <div class="scroll"><table>\(head)<tbody>\(rows.joined())</tbody></table></div>
            """
    }
}
