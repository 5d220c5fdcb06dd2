import Features
import Interactions

/// Items like one item: nearest by vector, then the trending ones of its main category.
///
/// An item that the model never trained on is compared by its content first: what people did says nothing of it yet. Scores are
/// then cosines of contents; what the towers add stands below.
///
/// Of a group at most one member stands in the list, and none of the item's own.
///
/// - Returns: nil where the snapshot has never heard of the item. A hidden item still has similar ones.
public func similar(
    to itemID: String, count: Int, category: String? = nil, exclude: [String] = [], explain: Bool = false,
    snapshot: ServingSnapshot, requestID: String
) -> RecommendationAnswer? {
    guard let row = snapshot.catalogue.row(of: itemID) else { return nil }
    let bounded = RecommendationQuery(count: count).boundedCount
    let entry = snapshot.catalogue[row]
    var rows: [RankedRow] = []
    let filter = RowFilter(snapshot.catalogue, category: category, excluding: exclude, rows: [row])
    if let content = snapshot.content, content.scores(row) {
        rows = ordered(content.nearest(bounded, to: row, where: filter.admits), snapshot)
    }
    if rows.count < bounded, let vector = snapshot.likeness(of: row) {
        let others = RowFilter(snapshot.catalogue, category: category, excluding: exclude, rows: [row] + rows.map(\.row))
        var further = ordered(
            Recall(snapshot: snapshot, filter: others).best(bounded - rows.count, for: vector, category: category), snapshot)
        if let last = rows.last, let first = further.first {
            let shift = min(0, last.score - first.score)
            for place in further.indices { further[place].score += shift }
        }
        rows += further
    }
    if rows.count < bounded, let main = category ?? entry.categories.first {
        let inCategory = RowFilter(snapshot.catalogue, category: main, excluding: exclude, rows: [row])
        Fallback(snapshot: snapshot, filter: inCategory).fill(&rows, upTo: bounded, category: main)
    }
    let choice = VariantChoice(snapshot)
    return RecommendationAnswer(
        requestID: requestID, userID: nil, modelVersion: snapshot.modelVersion,
        catalogueVersion: snapshot.catalogueVersion,
        items: rows.map { ranked in
            let text = ranked.reason == .similar
                ? "Similar to \(entry.title ?? itemID)" : "In the same category as \(entry.title ?? itemID)"
            return RecommendedItem(
                itemID: choice.itemID(of: ranked.row), score: ranked.score, reason: ranked.reason,
                explanation: explain ? text : nil)
        })
}

/// Candidates as rows of an answer; equal scores by item id.
private func ordered(_ candidates: [Candidate], _ snapshot: ServingSnapshot) -> [RankedRow] {
    candidates.map { RankedRow(row: $0.row, score: $0.score, reason: .similar) }.sorted { left, right in
        left.score != right.score
            ? left.score > right.score : snapshot.catalogue[left.row].itemID < snapshot.catalogue[right.row].itemID
    }
}
