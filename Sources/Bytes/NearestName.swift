/// The known name that a mistyped one most likely meant.
public enum NearestName {
    /// Longer words are no misspelt names. Without the bound, a key of some megabytes would cost seconds to compare.
    private static let maxWordBytes = 128

    /// The candidate with the smallest edit distance to `word`, if it is close enough to be worth naming: at most half of the
    /// word's bytes away, or as many as `leastReach`.
    public static func of(_ word: String, among candidates: some Sequence<String>, leastReach: Int = 3) -> String? {
        guard word.utf8.count <= maxWordBytes else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(leastReach, word.utf8.count / 2) else { return nil }
        return best.name
    }

    /// The candidate that is one or two letters away, and no more: most likely the word misspelt.
    public static func close(to word: String, among candidates: some Sequence<String>) -> String? {
        of(word, among: candidates).flatMap { (1...2).contains(editDistance(Array(word.utf8), Array($0.utf8))) ? $0 : nil }
    }

    /// Levenshtein distance, O(|left|·|right|).
    public static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(current[column] + 1, previous[column + 1] + 1, previous[column] + (byte == other ? 0 : 1)))
            }
            previous = current
        }
        return previous[right.count]
    }
}
