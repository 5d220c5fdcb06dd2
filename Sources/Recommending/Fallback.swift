/// What fills an answer when the user's vector finds too little or there is none: trending items, then the newest.
struct Fallback {
    let snapshot: ServingSnapshot
    let filter: RowFilter

    /// Appends admitted items to `rows` until there are `count`. Their scores are below those that are there already.
    func fill(_ rows: inout [RankedRow], upTo count: Int, category: String?) {
        guard rows.count < count else { return }
        var taken = RowSet(rows: snapshot.catalogue.count)
        for ranked in rows { taken.insert(ranked.row) }
        // A share is at most 1, so every filled item stands below the last one that was ranked.
        let floor = rows.last.map { $0.score - 1 } ?? 0

        for (row, share) in zip(snapshot.trending.rows, snapshot.trending.shares) {
            guard rows.count < count else { return }
            if filter.admits(row), taken.insert(row) {
                rows.append(RankedRow(row: row, score: floor + share, reason: .trending))
            }
        }
        let untold = UntoldScores(below: snapshot.trending, floor: floor, count: count - rows.count), told = rows.count
        func offer(_ others: some Sequence<Int32>) {
            for row in others {
                guard rows.count < count else { return }
                if filter.admits(row), taken.insert(row) {
                    rows.append(RankedRow(row: row, score: untold[rows.count - told], reason: .fresh))
                }
            }
        }
        // Items that nobody may have asked for yet, newest first: of the category, or those that came since the build and then the
        // others. The filter comes before every cut: items that may not be shown keep no place from those that may.
        if let category {
            offer(snapshot.catalogue.rows(mayBeIn: category).reversed())
        } else {
            offer((snapshot.builtCount..<max(snapshot.builtCount, snapshot.catalogue.count)).reversed().lazy.map { Int32($0) })
            offer(snapshot.newestBuilt)
        }
    }
}

/// Scores of items of which nothing is told, below those of all that is trending: they fall, and none is 0.
struct UntoldScores {
    private let floor: Float, least: Float, count: Float

    /// - Parameters:
    ///   - floor: what the shares of the trending list are added to.
    ///   - count: how many scores may be asked for.
    init(below trending: TrendingList, floor: Float, count: Int) {
        self.floor = floor
        least = trending.shares.last ?? 1
        self.count = Float(max(1, count))
    }

    /// The score of a place, from 0.
    subscript(place: Int) -> Float { floor + least * (count - Float(place)) / (count + 1) }
}
