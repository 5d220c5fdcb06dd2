import FeatureStore

/// How many users a batch may have, by the entries of their histories: a user's row is read and written whole, however little is new.
///
/// What stored histories hold is not known before they are read, and a bound by the longest possible ones would make batches small where
/// most users are new. So it goes by what was written of late, twice over, and by the longest possible histories for the worst case.
struct HistoryBound {
    /// Entries that a batch's users may have, all together, by what was written of late.
    static let entriesLimit = 4_000_000
    /// Entries that a batch's users may have where each has as many as are kept.
    static let fullEntriesLimit = 3 * entriesLimit
    /// Rows after which what was written before counts half.
    private static let rowsKept = 50_000.0

    private let longest: Int
    // As if so many full histories had been written before the first.
    private var rows = 1_000.0
    private var entries: Double

    /// Nothing is known yet: histories count as full.
    ///
    /// - Parameter longest: how many entries a history keeps.
    init(longest: Int) {
        self.longest = longest
        entries = rows * Double(longest)
    }

    /// Takes in what a batch wrote.
    mutating func note(_ summary: IngestSummary) {
        rows += Double(summary.userRows)
        entries += Double(summary.historyEntries)
        if rows > Self.rowsKept { (rows, entries) = (rows / 2, entries / 2) }
    }

    /// Whether a batch with so many users should be taken now.
    func isReached(users: Int) -> Bool {
        let expected = min(Double(longest), 2 * entries / rows + 8)
        return Double(users) * expected >= Double(Self.entriesLimit) || users * longest >= Self.fullEntriesLimit
    }
}
