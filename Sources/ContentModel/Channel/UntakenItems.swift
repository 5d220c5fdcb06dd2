/// Which items nobody took although they had time: they are in the catalogue, and not new.
///
/// An item's time begins when it was published or came to the catalogue after the first delivery of it, whichever is later, and with the
/// log where neither is known: a catalogue that was filled at once before the first event had all its items all along. An item that nobody
/// took in the time in which most items are taken several times is not waiting to be found.
public enum UntakenItems {
    /// A log's items are taken this often in the time that an item is given, in the median.
    private static let expectedTakes = 4
    /// The least time that an item is given, where the log is as long.
    private static let leastTimeMilliseconds: Int64 = 28 * 86_400_000

    /// By item whether it had its time and was not taken.
    ///
    /// - Parameters:
    ///   - counts: interactions with each item.
    ///   - arrivals: by item when it came to the catalogue, in milliseconds since 1970; nil where it came with the first delivery or nobody
    ///     knows. Empty: nobody knows of any.
    ///   - start, clock: when the log begins and ends.
    /// - Returns: where there are fewer interactions than items, which items had their time cannot be told: there those that were in the
    ///   catalogue all along are not new either, since a whole catalogue of them would leave no place for what is known.
    public static func among(contents: [ItemContent], counts: [Int], arrivals: [Int64?], start: Int64, clock: Int64) -> [Bool] {
        precondition(contents.count == counts.count, "\(contents.count) contents and \(counts.count) counts")
        precondition(arrivals.isEmpty || arrivals.count == counts.count, "\(arrivals.count) arrivals and \(counts.count) counts")
        let taken = counts.filter { $0 > 0 }.sorted()
        guard let median = taken.isEmpty ? nil : taken[taken.count / 2], clock > start else { return counts.map { _ in false } }
        let span = Double(clock) - Double(start)
        let isThin = taken.reduce(0, +) < counts.count
        let time = isThin ? span : min(span, max(Double(leastTimeMilliseconds), span * Double(expectedTakes) / Double(median)))
        return counts.indices.map { row in
            guard counts[row] == 0 else { return false }
            let since = max(start, contents[row].publishedAt ?? .min, arrivals.isEmpty ? .min : arrivals[row] ?? .min)
            return Double(clock) - Double(since) >= time
        }
    }
}
