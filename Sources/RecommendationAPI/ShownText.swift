/// Texts of records in answers, cut to what people read: an answer's bytes are bounded by its items, not by what a catalogue holds.
public enum ShownText {
    /// The longest title in an answer that is not about one item alone.
    public static let maxTitleBytes = 512
    /// All categories of one item in such an answer.
    public static let maxCategoriesBytes = 1_024
    /// The longest sentence that says why an item was chosen.
    public static let maxExplanationBytes = 1_024
    /// The longest text of an error or of an entry in the dashboard's feed.
    public static let maxReasonBytes = 2_048

    /// The text, or its beginning with `…`, within so many bytes of UTF-8. Characters stay whole where one fits. O(limit).
    public static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let ending = "…"
        var kept = text.utf8.prefix(max(0, limit - ending.utf8.count))
        // Not within a scalar, and within a character only where the first one alone is too long.
        while !kept.isEmpty, String(kept) == nil { kept = kept.dropLast() }
        guard var shown = String(kept) else { return ending }
        let end = text.utf8.index(text.startIndex, offsetBy: shown.utf8.count)
        if String.Index(end, within: text) == nil, shown.count > 1 { shown.removeLast() }
        return shown + ending
    }

    /// The first of these texts, as many as are within the bytes; the first is cut where it alone is longer.
    public static func first(_ texts: [String], withinBytes limit: Int) -> [String] {
        var left = limit
        var kept: [String] = []
        for text in texts {
            guard text.utf8.count <= left else {
                if kept.isEmpty { kept.append(cut(text, toBytes: left)) }
                break
            }
            left -= text.utf8.count
            kept.append(text)
        }
        return kept
    }
}
