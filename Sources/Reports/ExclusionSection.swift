import Evaluation

/// The part of a report about what is kept out of a user's answers: what was decided or set, why, and what it costs.
struct ExclusionSection {
    let exclusion: ExclusionRecord?

    /// Categories that are named at most; the registry has more.
    private static let namedCategories = 12

    /// Nothing where nothing is known of it.
    var html: String {
        guard let exclusion, let setting = exclusion.setting else { return "" }
        let reasons = (exclusion.reasons ?? []).map { "<li>\(HTMLText.escaped($0))</li>" }.joined()
        let warning = exclusion.warning.map { "<p><b class=\"bad\">\(HTMLText.escaped($0))</b></p>" } ?? ""
        return """
            <h2>What stays out</h2>
            <p class="hint">rules.exclude: \(HTMLText.escaped(setting)). \(HTMLText.escaped(rule(exclusion))) \
            \(HTMLText.escaped(cost(exclusion))) \
            Everybody is asked for all that people took, repeats included: what a rule keeps out is missed.</p>
            \(warning)<ul class="reasons">\(reasons)</ul>
            """
    }

    private func rule(_ exclusion: ExclusionRecord) -> String {
        let types = exclusion.types ?? [], names = exclusion.categories ?? [], count = exclusion.categoryCount ?? 0
        var parts = [types.isEmpty ? "" : "What a user met by \(types.joined(separator: ", ")) stays out."]
        if count > 0 {
            let more = count > Self.namedCategories ? " and \(count - Self.namedCategories) more" : ""
            parts.append("What was bought of \(names.prefix(Self.namedCategories).joined(separator: ", "))\(more) stays out.")
        }
        let words = parts.filter { !$0.isEmpty }.joined(separator: " ")
        return words.isEmpty ? "Nothing stays out." : words
    }

    private func cost(_ exclusion: ExclusionRecord) -> String {
        guard let removed = exclusion.removed else { return "" }
        var text = "It keeps out \(HTMLText.number(removed * 100, decimals: 1)) % of what users took in the held-out part."
        if let ndcg = exclusion.ndcg, let without = exclusion.ndcgWithout {
            text += " NDCG@10 is \(HTMLText.number(ndcg)), and without the rule \(HTMLText.number(without))."
        }
        return text
    }
}
