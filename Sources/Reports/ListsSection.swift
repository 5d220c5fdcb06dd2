import Evaluation

/// The part of a report about the lists themselves: how much they are one list for everybody, and what is in them.
struct ListsSection {
    let contestants: [ReportValues.Contestant]
    /// What was done about an item that is in too many lists.
    let bound: ItemShareRecord?
    /// Shares that the shop set; nil where it set none.
    let shares: ListSharesRecord?

    /// Nothing where nobody looked.
    var html: String {
        var rows = contestants.compactMap { contestant in
            contestant.record.report.concentration.map { (name: contestant.name, isOwn: contestant.isOwn, found: $0) }
        }
        guard let lists = rows.first?.found.lists else { return "" }
        if let found = shares?.lists { rows.append(("this model, with the shares that are set", true, found)) }
        func percent(_ share: Double) -> String { HTMLText.number(100 * share, decimals: 1) + " %" }
        let lines = rows.map { name, isOwn, found in
            "<tr\(isOwn ? " class=\"own\"" : "")><td>\(HTMLText.escaped(name))</td>"
                + "<td>\(percent(found.mostShownShare)) <small>\(HTMLText.escaped(found.mostShownItem ?? "–"))</small></td>"
                + "<td>\(percent(found.tenMostShownShare))</td><td>\(HTMLText.count(found.distinctItems.rounded()))</td>"
                + "<td>\(percent(found.repeatShare))</td><td>\(found.discoveryShare.map(percent) ?? "–")</td>"
                + "<td>\(percent(found.newShare))</td></tr>"
        }
        return """
            <h2>The lists</h2>
            <p class="hint">The first ten places of \(HTMLText.count(Double(lists))) lists: the item that most lists hold; the places \
            of the ten most shown; different items that 1,000 lists hold (fewer, where there are fewer); places with something that the \
            user had, with something of a kind of which they never had anything, and with something that nobody had yet.</p>
            <div class="scroll"><table><thead><tr><th></th><th>most shown</th><th>ten most shown</th><th>items in 1,000 lists</th>\
            <th>repeats</th><th>discoveries</th><th>new items</th></tr></thead><tbody>\(lines.joined())</tbody></table></div>
            \(bound.map { "<p>\(HTMLText.escaped($0.sentence))</p>" } ?? "")
            \(shares.map { "<p>\(HTMLText.escaped($0.sentence))</p>" } ?? "")
            """
    }
}
