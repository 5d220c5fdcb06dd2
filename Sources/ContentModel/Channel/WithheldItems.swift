/// Which known items stand for those that have yet to arrive when the weights of a ``ContentChannel`` are fitted.
public enum WithheldItems {
    /// The share of the items that is withheld.
    private static let share = 1.0 / Double(ContentLearning.folds)
    /// The share of the items that must have a date before dates decide.
    private static let datedShare = 0.8
    /// More than this share of the items at or after the border is one delivery of a catalogue, not what is new.
    private static let largestShare = 0.3
    /// The newest items must have been taken this often, in means of all; fewer say that they had no time to be found.
    private static let foundShare = 0.5

    /// By item whether it is one of ``ContentLearning/fold(of:)``'s five parts, drawn by chance.
    public static func atRandom(itemIDs: [String]) -> [Bool] { itemIDs.map { ContentLearning.fold(of: $0) == 0 } }

    /// By item whether it is of the newest fifth of the items that anybody took, by the time of publication. What arrives is newer than all
    /// that is known, and what is new differs from the old in how it is described and how often it is taken.
    ///
    /// - Parameter counts: interactions with each item to learn from; items without any are never withheld by their date.
    /// - Returns: nil where most items have no date, where a fifth cannot be told from the rest by it, and where the newest were taken less
    ///   than half as often as items in the mean: of those it is not known yet how often they will be.
    /// - Complexity: O(n log n) in the items.
    public static func newest(contents: [ItemContent], counts: [Int]) -> [Bool]? {
        precondition(contents.count == counts.count, "\(contents.count) contents and \(counts.count) counts")
        let taken = counts.indices.filter { counts[$0] > 0 }
        let dates = taken.compactMap { contents[$0].publishedAt }.sorted()
        guard !dates.isEmpty, Double(dates.count) >= datedShare * Double(taken.count) else { return nil }
        let border = dates[dates.count - max(1, Int(share * Double(dates.count)))]
        let isNewest = contents.indices.map { row in counts[row] > 0 && contents[row].publishedAt.map { $0 >= border } ?? false }
        let rows = taken.filter { isNewest[$0] }
        guard Double(rows.count) <= largestShare * Double(taken.count) else { return nil }
        func mean(_ rows: [Int]) -> Double { Double(rows.reduce(0) { $0 + counts[$1] }) / Double(rows.count) }
        return mean(rows) >= foundShare * mean(taken) ? isNewest : nil
    }
}
