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
            return "<tr\(isUsed ? " class=\"own\"" : "")><td>\(point.point ?? 0)\(point.front == true ? " ★" : "")</td>"
                + "<td>\(point.clickHead == true ? "click head" : "blend")</td>"
                + "<td>\(point.conversion ?? 0)</td><td>\(point.value ?? 0)</td><td>\(HTMLText.number(point.ndcg))</td><td>\(HTMLText.number(point.gainNDCG))</td>"
                + "<td>\(HTMLText.number(point.coverage, decimals: 3))</td></tr>"
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
            return "<div class=\"card\"><h3>Reliability, \(calibration.head)</h3><p class=\"hint\">Calibration error \(HTMLText.number(calibration.before)) before and \(HTMLText.number(calibration.after)) after correction.</p>\(chart.svg)</div>"
        }
        return """
            <h2>Goals</h2>
            <p class="hint">Mixes of interest, probability of purchase and expected order value on the held-out questions. ★: no other mix is better in both NDCG@10 and revenue-weighted NDCG@10. Learned from \(HTMLText.count(objectives.examples.map(Double.init))) examples: \(HTMLText.escaped(objectives.examplesFrom ?? "")). <code>freshet models objectives V --pick N</code> uses one.</p>
            <div class="scroll"><table><thead><tr><th>point</th><th>interest by</th><th>conversion power</th><th>value power</th><th>NDCG@10</th><th>gNDCG@10</th><th>coverage</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>
            <div class="pair">\(plots.joined())</div>
            """
    }

    private var weightings: String {
        guard let weightings = objectives?.sweep, !weightings.isEmpty else { return "" }
        let rows = weightings.map { weighting in
            let numbers = weighting.weights.map { HTMLText.number($0, decimals: 2) } + weighting.losses.map { HTMLText.number($0) }
            return "<tr\(weighting.picked == true ? " class=\"own\"" : "")><td>\(HTMLText.escaped(weighting.weighting ?? ""))\(weighting.front == true ? " ★" : "")</td>"
                + numbers.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        let heads = ["weight", "loss"].flatMap { kind in ObjectivesRecord.heads.map { "<th>\($0) \(kind)</th>" } }
        return """
            <h3>Weights of the losses</h3>
            <p class="hint">Each weighting judged on the users that it did not learn from. ★: no other is as good in all three losses and better in one. In bold the one in use: the smallest of the largest excess over the best, each loss in its standard errors.</p>
            <div class="scroll"><table><thead><tr><th>weighting</th>\(heads.joined())</tr></thead><tbody>\(rows.joined())</tbody></table></div>
            """
    }

    private var dial: String {
        guard let tail, let points = tail.points, !points.isEmpty else { return "" }
        let rows = points.map { point in
            let isUsed = point.dial == tail.used && point.lift == tail.usedLift
            return "<tr\(isUsed ? " class=\"own\"" : "")><td>\(HTMLText.number(point.dial, decimals: 2))</td>"
                + "<td>\(HTMLText.number(point.lift, decimals: 2))</td><td>\(HTMLText.number(point.ndcg))</td><td>\(HTMLText.number(point.beyondHead))</td><td>\(HTMLText.number(point.coverage, decimals: 3))</td><td>\(HTMLText.number(point.gini, decimals: 3))</td></tr>"
        }
        return """
            <h2>The tail dial</h2>
            <p class="hint">score − λ · ln(share of all events) + δ for items beyond the head, on the held-out questions. Best beyond the head among those that keep 98 % of NDCG@10: λ \(HTMLText.number(tail.recommended, decimals: 2)), δ \(HTMLText.number(tail.recommendedLift, decimals: 2)).</p>
            <div class="scroll"><table><thead><tr><th>λ</th><th>δ</th><th>NDCG@10</th><th>NDCG@10 beyond the head</th><th>coverage</th><th>Gini</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>
            """
    }
}
