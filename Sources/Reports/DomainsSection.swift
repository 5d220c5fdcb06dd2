import Evaluation

/// The part of a report about domain adapters: what each would gain on the domain's held-out questions, those that were dropped too.
struct DomainsSection {
    let rows: [DomainRecord]

    /// Nothing where none were tried.
    var html: String {
        guard !rows.isEmpty else { return "" }
        let lines = rows.map { row in
            let interval = row.gainLow.map { "\(HTMLText.number($0)) to \(HTMLText.number(row.gainHigh))" } ?? "–"
            let decision =
                row.kept == true ? "kept" : row.adapter == true ? "dropped" : "none was better than the shared model"
            let counts = [row.users, row.interactions, row.asked].map { "<td>\(HTMLText.count($0.map(Double.init)))</td>" }.joined()
            let found = HTMLText.cells([row.shared, row.adapted])
            return "<tr\(row.kept == true ? " class=\"own\"" : "")><td>\(HTMLText.escaped(row.domain))</td>\(counts)"
                + "\(found)<td>\(interval)</td><td>\(decision)</td></tr>"
        }
        let head = HTMLText.head(["domain", "users", "interactions", "asked", "shared", "adapted", "gain, interval", ""])
        return """
            <h2>Domains</h2>
            <p class="hint">The towers' NDCG@10 on each domain's held-out questions, by the shared model and with the domain's adapter. \
            One is kept where at least \(DomainRecord.leastQuestions) users were asked and the interval of its gain, users drawn with \
            replacement, lies above zero; the interval is wider the more domains were judged (5 % for all of them together).</p>
            <div class="scroll"><table>\(head)<tbody>\(lines.joined())</tbody></table></div>
            """
    }
}
