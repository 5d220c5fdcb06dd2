import CandidateRanking
import Features
import Interactions

/// Answers a request from one snapshot: recall, filter, rank, fill.
///
/// A user of whom the model can use something gets the items whose vectors fit theirs best (and, where the snapshot has a
/// learned blend, those that its signals favour; the blend then ranks all of them); everybody else, and whoever
/// runs out of these, gets what is popular now (of the category, where one is asked for; with the user's segments, where those
/// are known: ``SegmentTable``), spread over categories, then what is new. The lists of users without a history are varied by
/// their id, where ``RecommendingRules/variety`` says so. Where the snapshot explores, a few slots go to items of which little is
/// known: which, the id of the request decides. Shares of kinds (``ListShares``) hold of all that.
/// Hidden, deleted and excluded items are never in the answer, and no item is in it
/// twice; of a group at most one member is (``VariantChoice``), unless `query.items` names more. Equal scores are
/// ordered by item id, so that equal requests on one snapshot get equal answers.
///
/// With `query.items` the answer holds exactly those of them that may be shown, once each, at most
/// `RecommendationQuery.countRange.upperBound`; `query.count` does not cut it. Items without a vector come after the
/// others, by popularity, then in the order of the request; unknown ones are left out.
///
/// - Parameters:
///   - history: what the user did, oldest first. Items that the snapshot does not know are passed over.
///   - excluded: items that the rules keep from this user, such as those bought.
///   - attributes: of the user, a JSON object as text.
///   - now: the wall clock or the data clock.
/// - Complexity: one search of the index and one pass over ``ServingSnapshot/freshCount`` vectors.
public func recommend(
    _ query: RecommendationQuery, history: UserHistory, excluded: [String], attributes: String?,
    snapshot: ServingSnapshot, now: EventTime, requestID: String
) -> RecommendationAnswer {
    let filter = RowFilter(snapshot.catalogue, category: query.category, excluding: excluded, query.exclude)
    let taste = UserTaste(
        history: history, attributes: attributes, context: query.context, snapshot: snapshot, now: now)
    let ranking = Ranking(snapshot: snapshot, taste: taste, objective: query.objective)

    var rows: [RankedRow]
    if let items = query.items {
        rows = rankedItems(items, filter: filter, ranking: ranking)
    } else {
        // Under shares of kinds more is ranked, and what stands in the list is chosen of it at last.
        let count = query.boundedCount, shared = SharedList(snapshot, history: history, count: count), depth = shared?.depth ?? count
        rows = ranking.ranked(candidates(query, filter: filter, ranking: ranking, shared: shared))
        if taste.isNewcomer {
            rows = NewcomerRanking(snapshot: snapshot, filter: filter, input: taste.input, seed: query.varietySeed)
                .list(depth, personal: rows)
        } else {
            rows = spread(
                rows, over: snapshot.catalogue, count: shared == nil ? count : rows.count, discount: snapshot.rules.categoryDiscount,
                scale: snapshot.model?.temperature ?? 1)
        }
        Fallback(snapshot: snapshot, filter: filter).fill(&rows, upTo: depth, category: query.category)
        let exploration = snapshot.exploration
        if let shared {
            rows = shared.arranged(rows, where: filter.admits) { shown in
                exploration?.slots(count, apart: shown, filter: filter, snapshot: snapshot, taste: taste, requestID: requestID) ?? []
            }
        } else {
            exploration?.fill(&rows, count: count, filter: filter, snapshot: snapshot, taste: taste, requestID: requestID)
        }
    }

    return RecommendationAnswer(
        requestID: requestID, userID: query.userID, modelVersion: snapshot.modelVersion,
        catalogueVersion: snapshot.catalogueVersion, items: ranking.items(rows, now: now, inWords: query.explain))
}

extension Ranking {
    /// Rows as items of an answer, each with the reason that what moved it most gives: see ``Attribution``.
    ///
    /// - Parameters:
    ///   - inWords: whether to explain the reasons as well.
    ///   - allowed: which members of groups may be shown; nil is all.
    func items(_ rows: [RankedRow], now: EventTime, inWords: Bool, allowed: Set<String>? = nil) -> [RecommendedItem] {
        var rows = rows
        let places = rows.indices.filter { !rows[$0].isExploration && [.personal, .similar].contains(rows[$0].reason) }
        let attribution = Attribution(self), all = attribution.found(places.map { rows[$0].row })
        let found = Dictionary(uniqueKeysWithValues: zip(places, all))
        for (place, known) in found { rows[place].reason = reason(known.group) }
        var explanation = inWords ? Explanation(attribution, now: now) : nil
        let choice = VariantChoice(snapshot, taste: taste, allowed: allowed)
        return rows.indices.map { place in
            let ranked = rows[place]
            return RecommendedItem(
                itemID: ranked.itemID ?? choice.itemID(of: ranked.row), score: ranked.score, reason: ranked.reason,
                explanation: explanation?.text(ranked, found[place]), isExploration: ranked.isExploration, strongest: found[place]?.group,
                share: ranked.share)
        }
    }

    private func reason(_ group: SignalGroup) -> RecommendationReason {
        switch group {
        case .own, .category: .personal
        case .towers: taste.isNewestItem ? .similar : .personal
        case .goesWith: .similar
        case .popularity: .trending
        }
    }
}

/// What a request looks at, each item with its inner product; nothing where the user has no vector.
///
/// - Parameter shared: says of which kinds there must be some; nil where no shares are set.
func candidates(_ query: RecommendationQuery, filter: RowFilter, ranking: Ranking, shared: SharedList? = nil) -> [Candidate] {
    guard let vector = ranking.taste.vector else { return [] }
    let snapshot = ranking.snapshot
    let recall = Recall(snapshot: snapshot, filter: filter)
    let count = query.boundedCount
    let pool = ranking.poolSize(for: count)
    var candidates = recall.best(pool, for: vector, category: query.category)
    if snapshot.rules.similarWeight > 0, !ranking.taste.isNewestItem,
        let newest = ranking.taste.newestRow.flatMap(snapshot.likeness)
    {
        var known = RowSet(rows: snapshot.catalogue.count)
        for candidate in candidates { known.insert(candidate.row) }
        for similar in recall.best(pool, for: newest, category: query.category) where known.insert(similar.row) {
            let score = vector.withUnsafeBufferPointer { query in
                query.baseAddress.flatMap { snapshot.vectors.score(similar.row, $0) }
            }
            if let score { candidates.append(Candidate(row: similar.row, score: score)) }
        }
    }
    if snapshot.isBlended || ranking.taste.content != nil || ranking.taste.counted != nil {
        var known = RowSet(rows: snapshot.catalogue.count)
        for candidate in candidates { known.insert(candidate.row) }
        for row in ranking.furtherRows(pool, among: filter) where known.insert(row) {
            let score = vector.withUnsafeBufferPointer { query in
                query.baseAddress.flatMap { snapshot.vectors.score(row, $0) }
            }
            if let score, score.isFinite { candidates.append(Candidate(row: row, score: score)) }
        }
    }
    guard let shared else { return candidates }
    return shared.completed(candidates) { count, supply, admits in
        Recall(snapshot: snapshot, filter: filter, only: (admits, supply)).best(count, for: vector, category: query.category)
    }
}

/// The items of the request, ranked; those that cannot be scored last.
private func rankedItems(_ items: [String], filter: RowFilter, ranking: Ranking) -> [RankedRow] {
    let snapshot = ranking.snapshot
    var seen = RowSet(rows: snapshot.catalogue.count)
    var scored: [Candidate] = []
    var others: [Int32] = []
    // Of a group those that were asked for stand side by side: the request says what is in the list.
    var asked: [Int32: [String]] = [:], count = 0
    for itemID in items {
        guard count < RecommendationQuery.countRange.upperBound else { break }
        guard let row = snapshot.catalogue.row(of: itemID), filter.admits(row) else { continue }
        if let variant = snapshot.catalogue[row].variants.first(where: { $0.itemID == itemID }) {
            guard variant.available, asked[row]?.contains(itemID) != true else { continue }
            asked[row, default: []].append(itemID)
            count += 1
            guard seen.insert(row) else { continue }
        } else {
            guard seen.insert(row) else { continue }
            count += 1
        }
        let score = ranking.taste.vector.flatMap { vector in
            vector.withUnsafeBufferPointer { query in
                query.baseAddress.flatMap { snapshot.vectors.score(row, $0) }
            }
        }
        if let score, score.isFinite {
            scored.append(Candidate(row: row, score: score))
        } else {
            others.append(row)
        }
    }
    func told(_ rows: [RankedRow]) -> [RankedRow] {
        asked.isEmpty ? rows : rows.flatMap { ranked in
            (asked[ranked.row] ?? []).isEmpty ? [ranked] : (asked[ranked.row] ?? []).map { id in
                var row = ranked
                row.itemID = id
                return row
            }
        }
    }
    var rows = ranking.ranked(scored)
    guard !others.isEmpty else { return told(rows) }

    var remaining = RowSet(rows: snapshot.catalogue.count)
    for row in others { remaining.insert(row) }
    let floor = rows.last.map { $0.score - 1 } ?? 0
    for (row, share) in zip(snapshot.trending.rows, snapshot.trending.shares) where remaining.contains(row) {
        remaining.remove(row)
        rows.append(RankedRow(row: row, score: floor + share, reason: .trending))
    }
    let untold = UntoldScores(below: snapshot.trending, floor: floor, count: remaining.count), known = rows.count
    for row in others where remaining.contains(row) {
        rows.append(RankedRow(row: row, score: untold[rows.count - known], reason: .fresh))
    }
    return told(rows)
}
