/// Finds the candidates of a request: the best rows for a query vector that the filter admits, from every channel that
/// holds vectors.
///
/// The inner product with the query is the one score that all channels share.
struct Recall {
    /// An index of codes is asked for an eighth more than is needed, and 8.
    private static let moreForCodes = 8

    let snapshot: ServingSnapshot
    let filter: RowFilter
    /// Rows that are looked for alone, and about how many these are; nil stands for all.
    var only: (admits: (Int32) -> Bool, supply: Int)?

    init(snapshot: ServingSnapshot, filter: RowFilter, only: (admits: (Int32) -> Bool, supply: Int)? = nil) {
        (self.snapshot, self.filter, self.only) = (snapshot, filter, only)
    }

    private func admits(_ row: Int32) -> Bool { filter.admits(row) && only?.admits(row) != false }

    /// The best `count` admitted rows for `query`, best first, no row twice. Exact over later vectors and narrow
    /// categories; elsewhere as exact as the index.
    func best(_ count: Int, for query: [Float], category: String?) -> [Candidate] {
        let vectors = snapshot.vectors
        return query.withUnsafeBufferPointer { query -> [Candidate] in
            guard let start = query.baseAddress, query.count == vectors.dimension else { return [] }
            var top = TopRows(limit: count)
            if let category {
                let rows = snapshot.catalogue.rows(mayBeIn: category)
                if rows.count <= snapshot.rules.exactCategoryItems || snapshot.index == nil {
                    scan(rows, start, &top)
                    return top.sorted()
                }
                offerLater(start, &top)
                var members = RowSet(rows: snapshot.catalogue.count)
                for row in rows { members.insert(row) }
                let admissible = min(rows.count, only?.supply ?? .max)
                if offerIndexed(query, count, admissible: admissible, among: members, &top) < count, only == nil {
                    // Fewer of the index's items belong to the category than were asked for: look at all that do.
                    top = TopRows(limit: count)
                    scan(rows, start, &top)
                }
                return top.sorted()
            }
            offerLater(start, &top)
            if snapshot.index == nil {
                for row in 0..<Int32(vectors.baseCount) where admits(row) && !vectors.replaced.contains(row) {
                    if let score = vectors.score(row, start) { top.offer(row, score) }
                }
            } else {
                _ = offerIndexed(query, count, admissible: min(snapshot.availableCount, only?.supply ?? .max), &top)
            }
            return top.sorted()
        }
    }

    /// Offers the rows of a list that may hold repeats.
    private func scan(_ rows: [Int32], _ query: UnsafePointer<Float>, _ top: inout TopRows) {
        var seen = RowSet(rows: snapshot.catalogue.count)
        for row in rows where admits(row) && seen.insert(row) {
            if let score = snapshot.vectors.score(row, query) { top.offer(row, score) }
        }
    }

    private func offerLater(_ query: UnsafePointer<Float>, _ top: inout TopRows) {
        snapshot.vectors.forEachLater(query) { row, score in
            if admits(row) { top.offer(row, score) }
        }
    }

    /// Offers the best of what the index holds and the filter admits, with their exact scores. Says how many.
    ///
    /// - Parameter members: rows outside are not admitted: cheaper to ask than the filter where these are few.
    private func offerIndexed(
        _ query: UnsafeBufferPointer<Float>, _ count: Int, admissible: Int, among members: RowSet? = nil, _ top: inout TopRows
    ) -> Int {
        guard let index = snapshot.index, index.count > 0, let start = query.baseAddress else { return 0 }
        let vectors = snapshot.vectors
        // Codes may order neighbours wrongly: a few more are looked at by their own vectors.
        let asked = index.scoresAreExact ? count : count + count / Self.moreForCodes + Self.moreForCodes
        // What a user has met stands near what they are asked about, so a search goes up to twice as deep for it.
        let room = max(0.5, Double(count) / Double(count + filter.blockedCount))
        let left = Int(Double(min(admissible, index.count)) * room)
        let found = index.search(query, count: asked, admissible: left) { row in
            members?.contains(row) != false && !vectors.replaced.contains(row) && admits(row)
        }
        for candidate in found {
            let score = index.scoresAreExact ? candidate.score : vectors.score(candidate.row, start) ?? candidate.score
            top.offer(candidate.row, score)
        }
        return found.count
    }
}
