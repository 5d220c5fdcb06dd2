import Features
import Interactions

/// Items like one item: nearest by vector, then the trending ones of its main category.
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
    var filter = RowFilter(snapshot.catalogue, category: category, excluding: exclude)
    filter.block(row)
    if let vector = snapshot.likeness(of: row) {
        rows = Recall(snapshot: snapshot, filter: filter).best(bounded, for: vector, category: category)
            .map { RankedRow(row: $0.row, score: $0.score, reason: .similar) }
        rows.sort { left, right in
            left.score != right.score
                ? left.score > right.score
                : snapshot.catalogue[left.row].itemID < snapshot.catalogue[right.row].itemID
        }
    }
    if rows.count < bounded, let main = category ?? entry.categories.first {
        var inCategory = RowFilter(snapshot.catalogue, category: main, excluding: exclude)
        inCategory.block(row)
        Fallback(snapshot: snapshot, filter: inCategory).fill(&rows, upTo: bounded, category: main)
    }
    return RecommendationAnswer(
        requestID: requestID, userID: nil, modelVersion: snapshot.modelVersion,
        catalogueVersion: snapshot.catalogueVersion,
        items: rows.map { ranked in
            let text = ranked.reason == .similar
                ? "Similar to \(entry.title ?? itemID)" : "In the same category as \(entry.title ?? itemID)"
            return RecommendedItem(
                itemID: snapshot.catalogue[ranked.row].itemID, score: ranked.score, reason: ranked.reason,
                explanation: explain ? text : nil)
        })
}
