import RecommendationAPI
import Recommending

extension AnswerWarning {
    /// How many ids a warning names.
    private static let namedIDs = 5

    /// What the caller should know of an answer: ids to rank that nothing is known of, and why nothing is left.
    package static func of(_ query: RecommendationQuery, answered: Int, snapshot: ServingSnapshot) -> [AnswerWarning] {
        var warnings: [AnswerWarning] = []
        let asked = query.items ?? []
        let unknown = asked.filter { snapshot.state(of: $0) == .unknown }
        if !unknown.isEmpty {
            let named = unknown.prefix(namedIDs).joined(separator: ", ") + (unknown.count > namedIDs ? ", …" : "")
            warnings.append(
                AnswerWarning(
                    code: "unknown_items",
                    detail: unknown.count == asked.count
                        ? "none of the \(asked.count) ids under items is in the catalogue: \(named)"
                        : "\(unknown.count) of the \(asked.count) ids under items are not in the catalogue: \(named)"))
        }
        guard answered == 0 else { return warnings }
        if snapshot.availableCount == 0 {
            warnings.append(AnswerWarning(code: "empty_catalogue", detail: "the catalogue has no item that may be recommended"))
        } else if let category = query.category, query.items == nil {
            warnings.append(
                AnswerWarning(code: "no_items_left", detail: "no item of category \(category) may be recommended here"))
        } else if unknown.count < asked.count || query.items == nil {
            warnings.append(
                AnswerWarning(
                    code: "no_items_left", detail: "what could be recommended is hidden, excluded or had already by this user"))
        }
        return warnings
    }
}
