import Foundation
import Recommending

extension ReportValues {
    /// What a training found of its ranking heads.
    struct Objectives {
        /// A mix of goals.
        struct Point {
            var number: Int
            var usesClickHead, isOnFront: Bool
            var conversion, value, ndcg, gainNDCG, coverage: Double
        }

        /// A weighting of the heads' losses, with the losses on users that were not learned from.
        struct Weighting {
            var name: String
            var weights, losses: [Double]
            var isOnFront, isPicked: Bool
        }

        var points: [Point] = []
        /// Empty unless several were tried.
        var weightings: [Weighting] = []
        var examples = 0.0
        var examplesFrom = ""
        /// Calibration errors by head, before and after correction; and predicted and observed shares.
        var calibrations: [(head: String, before: Double, after: Double, bins: [(x: Double, y: Double)])] = []
        /// The powers in use.
        var conversionPower = 0.0, valuePower = 0.0
        /// As the registry has it.
        var json: String

        /// Nil where the registry has none.
        init?(metrics: String) {
            guard let all = (try? JSONSerialization.jsonObject(with: Data(metrics.utf8))) as? [String: Any],
                let object = all["objectives"] as? [String: Any], let data = try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
            else { return nil }
            func number(_ value: Any?) -> Double { (value as? NSNumber)?.doubleValue ?? 0 }
            json = String(decoding: data, as: UTF8.self)
            examples = number(object["examples"])
            examplesFrom = object["examples_from"] as? String ?? ""
            conversionPower = number(object["conversion_power"])
            valuePower = number(object["value_power"])
            for entry in object["points"] as? [[String: Any]] ?? [] {
                points.append(
                    Point(
                        number: Int(number(entry["point"])), usesClickHead: entry["click_head"] as? Bool ?? false,
                        isOnFront: entry["front"] as? Bool ?? false, conversion: number(entry["conversion"]), value: number(entry["value"]),
                        ndcg: number(entry["NDCG@10"]), gainNDCG: number(entry["gNDCG@10"]), coverage: number(entry["Coverage@10"])))
            }
            for entry in object["sweep"] as? [[String: Any]] ?? [] {
                weightings.append(
                    Weighting(
                        name: entry["weighting"] as? String ?? "", weights: HeadLoss.names.map { number(entry["\($0)_weight"]) },
                        losses: HeadLoss.names.map { number(entry["\($0)_loss"]) }, isOnFront: entry["front"] as? Bool ?? false,
                        isPicked: entry["picked"] as? Bool ?? false))
            }
            for head in ["click", "conversion"] {
                let bins = (object["\(head)_reliability"] as? [[Any]] ?? []).filter { $0.count == 2 }.map { (x: number($0[0]), y: number($0[1])) }
                guard !bins.isEmpty else { continue }
                calibrations.append((head, number(object["\(head)_ece_before"]), number(object["\(head)_ece"]), bins))
            }
        }
    }

    /// What each place of the tail dial gave.
    struct TailPoints {
        var points: [(dial: TailDial, ndcg: Double, beyondHead: Double, coverage: Double, gini: Double)] = []
        var recommended = TailDial(), used = TailDial()

        /// Nil where the registry has none.
        init?(metrics: String) {
            guard let all = (try? JSONSerialization.jsonObject(with: Data(metrics.utf8))) as? [String: Any],
                let object = all["tail_curve"] as? [String: Any]
            else { return nil }
            func number(_ value: Any?) -> Double { (value as? NSNumber)?.doubleValue ?? 0 }
            func dial(_ object: [String: Any], _ lambda: String, _ lift: String) -> TailDial {
                TailDial(lambda: Float(number(object[lambda])), lift: Float(number(object[lift])))
            }
            recommended = dial(object, "recommended", "recommended_lift")
            used = dial(object, "used", "used_lift")
            points = (object["points"] as? [[String: Any]] ?? []).map {
                (dial($0, "tail_dial", "tail_lift"), number($0["NDCG@10"]), number($0["beyond_head_NDCG@10"]), number($0["Coverage@10"]), number($0["Gini@10"]))
            }
        }
    }
}

/// The part of a report about goals beside the next item: their Pareto front, how well probabilities hold, and the tail dial.
struct ObjectivesSection {
    let objectives: ReportValues.Objectives?
    let tail: ReportValues.TailPoints?

    init(metrics: String) {
        objectives = ReportValues.Objectives(metrics: metrics)
        tail = ReportValues.TailPoints(metrics: metrics)
    }

    /// Nothing where nothing was found.
    var html: String { goals + weightings + dial }

    private var goals: String {
        guard let objectives, !objectives.points.isEmpty else { return "" }
        let rows = objectives.points.map { point in
            let isUsed = point.conversion == objectives.conversionPower && point.value == objectives.valuePower
            return "<tr\(isUsed ? " class=\"own\"" : "")><td>\(point.number)\(point.isOnFront ? " ★" : "")</td><td>\(point.usesClickHead ? "click head" : "blend")</td>"
                + "<td>\(point.conversion)</td><td>\(point.value)</td><td>\(HTMLText.number(point.ndcg))</td><td>\(HTMLText.number(point.gainNDCG))</td>"
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
            <p class="hint">Mixes of interest, probability of purchase and expected order value on the held-out questions. ★: no other mix is better in both NDCG@10 and revenue-weighted NDCG@10. Learned from \(HTMLText.count(objectives.examples)) examples: \(HTMLText.escaped(objectives.examplesFrom)). <code>freshet models objectives V --pick N</code> uses one.</p>
            <div class="scroll"><table><thead><tr><th>point</th><th>interest by</th><th>conversion power</th><th>value power</th><th>NDCG@10</th><th>gNDCG@10</th><th>coverage</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>
            <div class="pair">\(plots.joined())</div>
            """
    }

    private var weightings: String {
        guard let objectives, !objectives.weightings.isEmpty else { return "" }
        let rows = objectives.weightings.map { weighting in
            let numbers = weighting.weights.map { HTMLText.number($0, decimals: 2) } + weighting.losses.map { HTMLText.number($0) }
            return "<tr\(weighting.isPicked ? " class=\"own\"" : "")><td>\(HTMLText.escaped(weighting.name))\(weighting.isOnFront ? " ★" : "")</td>"
                + numbers.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        let heads = ["weight", "loss"].flatMap { kind in HeadLoss.names.map { "<th>\($0) \(kind)</th>" } }
        return """
            <h3>Weights of the losses</h3>
            <p class="hint">Each weighting judged on the users that it did not learn from. ★: no other is as good in all three losses and better in one. In bold the one in use: the smallest of the largest excess over the best, each loss in its standard errors.</p>
            <div class="scroll"><table><thead><tr><th>weighting</th>\(heads.joined())</tr></thead><tbody>\(rows.joined())</tbody></table></div>
            """
    }

    private var dial: String {
        guard let tail, !tail.points.isEmpty else { return "" }
        let rows = tail.points.map { point in
            "<tr\(point.dial == tail.used ? " class=\"own\"" : "")><td>\(HTMLText.number(Double(point.dial.lambda), decimals: 2))</td><td>\(HTMLText.number(Double(point.dial.lift), decimals: 2))</td><td>\(HTMLText.number(point.ndcg))</td><td>\(HTMLText.number(point.beyondHead))</td><td>\(HTMLText.number(point.coverage, decimals: 3))</td><td>\(HTMLText.number(point.gini, decimals: 3))</td></tr>"
        }
        return """
            <h2>The tail dial</h2>
            <p class="hint">score − λ · ln(share of all events) + δ for items beyond the head, on the held-out questions. Best beyond the head among those that keep 98 % of NDCG@10: λ \(HTMLText.number(Double(tail.recommended.lambda), decimals: 2)), δ \(HTMLText.number(Double(tail.recommended.lift), decimals: 2)).</p>
            <div class="scroll"><table><thead><tr><th>λ</th><th>δ</th><th>NDCG@10</th><th>NDCG@10 beyond the head</th><th>coverage</th><th>Gini</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>
            """
    }
}
