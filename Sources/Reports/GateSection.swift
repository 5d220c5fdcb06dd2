import Foundation

/// The part of a report about the gate: what the new model was held against, on which questions, by what bar.
struct GateSection {
    private let comparisons: [[String: Any]]
    private let confidence: Double?

    init(metrics: String) {
        let all = (try? JSONSerialization.jsonObject(with: Data(metrics.utf8))) as? [String: Any]
        let gate = all?["gate"] as? [String: Any]
        comparisons = gate?["comparisons"] as? [[String: Any]] ?? []
        confidence = (gate?["confidence_percent"] as? NSNumber)?.doubleValue
    }

    private static let roles = [
        "promoted": "promoted before", "anchor": "best of the last weeks", "remembered": "promoted before, on what it knew",
    ]
    private static let bases = [
        "later": "later than all that it learned", "recorded answers": "asked of it before it was promoted",
        "perhaps learned": "it may have learned from them, which favours it", "recorded figure": "its recorded figure, of other questions",
        "learned by both": "both have learned from them", "none": "none",
    ]

    /// Nothing where nothing was compared.
    var html: String {
        guard !comparisons.isEmpty else { return "" }
        let lines = comparisons.map { row in
            func number(_ key: String) -> Double? { (row[key] as? NSNumber)?.doubleValue }
            func text(_ key: String, _ names: [String: String]) -> String {
                (row[key] as? String).map { HTMLText.escaped(names[$0] ?? $0) } ?? "–"
            }
            let passes = row["passes"] as? Bool ?? false
            return "<tr><td>version \(HTMLText.count(number("version"))), \(text("role", Self.roles))</td><td>\(text("basis", Self.bases))</td>"
                + "<td>\(HTMLText.count(number("questions")))</td><td>\(HTMLText.number(number("candidate")))</td>"
                + "<td>\(HTMLText.number(number("other")))</td>"
                + "<td>\(HTMLText.number(number("difference"))) <small>± \(HTMLText.number(number("standard_error")))</small></td>"
                + "<td>\(HTMLText.number(number("lower_bound")))</td><td>\(HTMLText.number(number("allowed_loss").map { -$0 }))</td>"
                + "<td class=\"\(passes ? "good" : "bad")\">\(passes ? "let pass" : "refused")</td></tr>"
        }
        return """
            <p class="hint">NDCG@10 on the same questions. Beside the promoted model the lower end of the one-sided \
            \(HTMLText.number(confidence, decimals: 1)) % interval of the difference may not lie below the bound; beside the best of the last weeks \
            the difference itself may not.</p>
            <div class="scroll"><table><thead><tr><th>held against</th><th>questions</th><th></th><th>this model</th><th>that one</th>\
            <th>difference</th><th>lower end</th><th>bound</th><th></th></tr></thead><tbody>\(lines.joined())</tbody></table></div>
            """
    }
}
