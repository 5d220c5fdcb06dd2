/// Finds the candidates of a request: the best rows for a query vector that the filter admits, from every channel that
/// holds vectors.
///
/// The inner product with the query is the one score that all channels share.
struct Recall {
    let snapshot: ServingSnapshot
    let filter: RowFilter

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
                let found = offerIndexed(query, count, &top)
                if found < count {
                    // Too few of the index's answers belong to the category: look at all that do.
                    top = TopRows(limit: count)
                    scan(rows, start, &top)
                }
                return top.sorted()
            }
            offerLater(start, &top)
            if snapshot.index == nil {
                for row in 0..<Int32(vectors.baseCount) where filter.admits(row) && !vectors.replaced.contains(row) {
                    if let score = vectors.score(row, start) { top.offer(row, score) }
                }
            } else {
                _ = offerIndexed(query, count, &top)
            }
            return top.sorted()
        }
    }

    /// Offers the rows of a list that may hold repeats.
    private func scan(_ rows: [Int32], _ query: UnsafePointer<Float>, _ top: inout TopRows) {
        var seen = RowSet(rows: snapshot.catalogue.count)
        for row in rows where filter.admits(row) && seen.insert(row) {
            if let score = snapshot.vectors.score(row, query) { top.offer(row, score) }
        }
    }

    private func offerLater(_ query: UnsafePointer<Float>, _ top: inout TopRows) {
        snapshot.vectors.forEachLater(query) { row, score in
            if filter.admits(row) { top.offer(row, score) }
        }
    }

    /// Offers what the index finds; asks for more until enough are admitted. Says how many were.
    private func offerIndexed(_ query: UnsafeBufferPointer<Float>, _ count: Int, _ top: inout TopRows) -> Int {
        guard let index = snapshot.index, index.count > 0 else { return 0 }
        let vectors = snapshot.vectors
        let bound = min(index.count, snapshot.rules.maxCandidates + filter.blockedCount)
        var asked = min(bound, count + min(filter.blockedCount, count) + 32)
        while true {
            var admitted: [Candidate] = []
            admitted.reserveCapacity(count)
            for candidate in index.search(query, count: asked) {
                if filter.admits(candidate.row), !vectors.replaced.contains(candidate.row) { admitted.append(candidate) }
            }
            if admitted.count >= count || asked >= bound {
                for candidate in admitted { top.offer(candidate.row, candidate.score) }
                return admitted.count
            }
            asked = min(bound, asked * 4)
        }
    }
}
