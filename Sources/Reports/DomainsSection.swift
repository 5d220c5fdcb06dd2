import Foundation

/// The part of a report about domain adapters: what each would gain on the domain's held-out questions, those that were dropped too.
struct DomainsSection {
    private let rows: [[String: Any]]

    init(metrics: String) {
        let all = (try? JSONSerialization.jsonObject(with: Data(metrics.utf8))) as? [String: Any]
        rows = all?["domains"] as? [[String: Any]] ?? []
    }

    /// Nothing where none were tried.
    var html: String {
        guard !rows.isEmpty else { return "" }
        let lines = rows.map { row in
            func number(_ key: String) -> Double? { (row[key] as? NSNumber)?.doubleValue }
            let isKept = row["kept"] as? Bool ?? false, isFitted = row["adapter"] as? Bool ?? false
            let interval = number("gain_low").map { "\(HTMLText.number($0)) to \(HTMLText.number(number("gain_high")))" } ?? "–"
            let decision = isKept ? "kept" : isFitted ? "dropped" : "none was better than the shared model"
            return "<tr\(isKept ? " class=\"own\"" : "")><td>\(HTMLText.escaped(row["domain"] as? String ?? ""))</td><td>\(HTMLText.count(number("users")))</td>"
                + "<td>\(HTMLText.count(number("interactions")))</td><td>\(HTMLText.count(number("asked")))</td><td>\(HTMLText.number(number("NDCG@10")))</td>"
                + "<td>\(HTMLText.number(number("NDCG@10_adapted")))</td><td>\(interval)</td><td>\(decision)</td></tr>"
        }
        return """
            <h2>Domains</h2>
            <p class="hint">The towers' NDCG@10 on each domain's held-out questions, by the shared model and with the domain's adapter. One is kept where at least \(DomainTraining.leastQuestions) users were asked and the interval of its gain, users drawn with replacement, lies above zero; the interval is wider the more domains were judged (5 % for all of them together).</p>
            <div class="scroll"><table><thead><tr><th>domain</th><th>users</th><th>interactions</th><th>asked</th><th>shared</th><th>adapted</th><th>gain, interval</th><th></th></tr></thead><tbody>\(lines.joined())</tbody></table></div>
            """
    }
}
