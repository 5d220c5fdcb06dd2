import Evaluation

/// The part of a report about the gate: what the new model was held against, on which questions, by what bar.
struct GateSection {
    let gate: GateRecord?

    private static let roles = [
        "promoted": "promoted before", "anchor": "best of the last weeks", "remembered": "promoted before, on what it knew",
    ]
    private static let bases = [
        "later": "later than all that it learned", "recorded answers": "asked of it before it was promoted",
        "perhaps learned": "it may have learned from them, which favours it", "recorded figure": "its recorded figure, of other questions",
        "learned by both": "both have learned from them", "none": "none",
    ]

    /// Nothing where nothing was compared.
    var html: String { models + rivals }

    private var models: String {
        guard let comparisons = gate?.comparisons, !comparisons.isEmpty else { return "" }
        let lines = comparisons.map { row in
            func text(_ key: String?, _ names: [String: String]) -> String { key.map { HTMLText.escaped(names[$0] ?? $0) } ?? "–" }
            return "<tr><td>version \(HTMLText.count(row.version.map(Double.init))), \(text(row.role, Self.roles))</td>"
                + "<td>\(text(row.basis, Self.bases))</td><td>\(HTMLText.count(row.questions.map(Double.init)))</td>"
                + "<td>\(HTMLText.number(row.candidate))</td><td>\(HTMLText.number(row.other))</td>"
                + "<td>\(HTMLText.number(row.difference)) <small>± \(HTMLText.number(row.standardError))</small></td>"
                + "<td>\(HTMLText.number(row.lowerBound))</td><td>\(HTMLText.number(row.allowedLoss.map { -$0 }))</td>"
                + "<td class=\"\(row.passes == true ? "good" : "bad")\">\(row.passes == true ? "let pass" : "refused")</td></tr>"
        }
        return """
            <p class="hint">NDCG@10 on the same questions. Beside the promoted model the lower end of the one-sided \
            \(HTMLText.number(gate?.confidencePercent, decimals: 1)) % interval of the difference may not lie below the bound; beside the \
            best of the last weeks the difference itself may not.</p>
            <div class="scroll"><table><thead><tr><th>held against</th><th>questions</th><th></th><th>this model</th><th>that one</th>\
            <th>difference</th><th>lower end</th><th>bound</th><th></th></tr></thead><tbody>\(lines.joined())</tbody></table></div>
            """
    }
    private static let rules = [
        "refuse": "one that is better by more than chance refuses the model", "warn": "one that is better is warned of",
        "off": "none decides",
    ]

    /// The simple rivals, best first.
    private var rivals: String {
        guard let rivals = gate?.rivals, !rivals.isEmpty else { return "" }
        let lines = rivals.sorted { ($0.other ?? 0) > ($1.other ?? 0) }.map { row in
            let contestant = row.rival.flatMap(EvaluationRecord.Contestant.init)
            let gain = row.other.flatMap { other in other > 0 ? row.difference.map { 100 * $0 / other } : nil }
            let change = gain.map { ($0 >= 0 ? "+" : "") + HTMLText.number($0, decimals: 1) + " %" } ?? "–"
            let word = row.isBetter == true ? "better" : (row.high ?? 0) < 0 ? "better, by too few questions"
                : (row.low ?? 0) > 0 ? "worse" : "alike"
            let mark = row.isBetter == true ? "bad" : "good"
            return "<tr><td>\(HTMLText.escaped(contestant?.title ?? row.rival ?? "–"))</td><td>\(HTMLText.number(row.other))</td>"
                + "<td>\(change)</td><td>\(HTMLText.number(row.difference)) <small>\(HTMLText.number(row.low)) to "
                + "\(HTMLText.number(row.high))</small></td><td class=\"\(mark)\">\(word)</td></tr>"
        }
        let rule = HTMLText.escaped(gate?.rivalRule.map { Self.rules[$0] ?? $0 } ?? "–")
        return """
            <h3>Counters</h3><p class="hint">NDCG@10 on the same questions; paired differences of this model over users, with intervals \
            that hold for all rows together with 95 %. gate.rivals: \(rule).</p>
            <div class="scroll"><table><thead><tr><th>rival</th><th>NDCG@10</th><th>this model</th><th>difference</th><th></th></tr>\
            </thead><tbody>\(lines.joined())</tbody></table></div>
            """
    }
}
