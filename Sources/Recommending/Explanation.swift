import CandidateRanking
import Interactions

/// Says in words what put an item where it is.
///
/// Only items that the user met are named, and only where the score is lower without them; popularity is told in numbers.
struct Explanation {
    private let attribution: Attribution
    private var snapshot: ServingSnapshot { attribution.ranking.snapshot }
    private var taste: UserTaste { attribution.ranking.taste }
    /// The user's vector without an item of the history, by the item's row: encoded when it is asked for.
    private var vectorsWithout: [Int32: [Float]?] = [:]
    private let now: EventTime

    init(_ attribution: Attribution, now: EventTime) {
        (self.attribution, self.now) = (attribution, now)
    }

    /// A sentence without a full stop, in English.
    mutating func text(_ ranked: RankedRow, _ found: Attribution.Found?) -> String {
        let text = reason(ranked, found)
        return ranked.share.map { "\(text); \($0.words)" } ?? text
    }

    private mutating func reason(_ ranked: RankedRow, _ found: Attribution.Found?) -> String {
        let category = snapshot.catalogue[ranked.row].categories.first
        switch ranked.reason {
        case .fresh:
            let new = category.map { "New in \($0)" } ?? "New"
            return ranked.isExploration ? "\(new): shown to find out who likes it (exploration)" : new
        case .adapted:
            return category.map { "Up and coming in \($0)" } ?? "Up and coming"
        case .personal, .similar, .trending:
            guard let found else { return category.map { "Popular now in \($0)" } ?? "Popular now" }
            return text(ranked.row, found)
        }
    }

    private mutating func text(_ row: Int32, _ found: Attribution.Found) -> String {
        switch found.group {
        case .own: return own(row)
        case .goesWith:
            return attribution.source(of: row, found).flatMap(because) ?? "Goes with what you had lately"
        case .category: return kind(row)
        case .towers:
            // Of one item the words speak only where it does more by itself than popularity.
            if let nearest = nearest(to: row), lost(row, without: nearest, found) > max(0, found.cost(.popularity)) {
                return because(nearest) ?? "Chosen for you"
            }
            return "Chosen for you"
        case .popularity: return popular(row)
        }
    }

    /// What the user did with the item, and when people take it again.
    private func own(_ row: Int32) -> String {
        let facts = taste.counted?.facts(row)
        let times = facts?.ownTimes ?? taste.signals.flatMap { $0.own[row].map { Int($0.count) } } ?? 0
        let days = facts == nil ? taste.signals?.own[row].map { Double($0.ageDays) } : facts?.ownDays
        var text = "Because you \(verb(row, "it", isBought: facts?.isBought ?? false)) \(Self.often(times, days))"
        if let again = facts?.againDays { text += "; people take it again after about \(Self.days(again))" }
        return text
    }

    /// What the user did with items of the same kind.
    private func kind(_ row: Int32) -> String {
        guard let facts = taste.counted?.facts(row), facts.groupTimes > 0 else { return "Chosen for you" }
        return "Because you had something of this kind \(Self.often(facts.groupTimes, facts.groupDays))"
    }

    /// How many people took it.
    private func popular(_ row: Int32) -> String {
        if let facts = taste.counted?.facts(row) {
            if let late = facts.usersOf28Days, late > 0 { return "Popular: taken by \(Self.people(late)) in 28 days" }
            if facts.users > 0 { return "Popular: taken by \(Self.people(facts.users))" }
        }
        return snapshot.catalogue[row].categories.first.map { "Popular in \($0)" } ?? "Popular"
    }

    /// The item of the history that is most like a row, other than itself.
    private func nearest(to row: Int32) -> Int32? {
        if taste.isNewestItem { return taste.newestRow }
        let dimension = snapshot.vectors.dimension, compared = dimension - (snapshot.model?.biasComponents ?? 0)
        var best: (row: Int32, score: Float)?
        snapshot.vectors.withVector(row) { vector in
            taste.input.vectors.withUnsafeBufferPointer { history in
                guard let start = history.baseAddress else { return }
                for (place, own) in taste.input.rows.enumerated() where own != row {
                    let score = innerProduct(start + place * dimension, vector, compared)
                    if score >= best?.score ?? -.infinity { best = (own, score) }
                }
            }
        }
        return best?.row
    }

    /// What the towers' term of a row loses where an item of the history is left out of what the user tower reads.
    private mutating func lost(_ row: Int32, without left: Int32, _ found: Attribution.Found) -> Float {
        let weight = attribution.ranking.towerWeight
        guard !taste.isNewestItem, let model = snapshot.model, let whole = taste.vector else { return weight * found.terms.towers }
        let without = vectorsWithout[left] ?? model.encodeUser(taste.input.without(left, dimension: model.dimension), now)
        vectorsWithout[left] = .some(without)
        let compared = model.dimension - model.biasComponents
        func product(_ vector: [Float]) -> Float {
            snapshot.vectors.withVector(row) { item in
                vector.withUnsafeBufferPointer { $0.baseAddress.map { innerProduct($0, item, compared) } ?? 0 }
            } ?? 0
        }
        guard let without, without.count == model.dimension, isFinite(without) else { return weight * product(whole) }
        return weight * (product(whole) - product(without))
    }

    private func because(_ row: Int32) -> String? {
        guard taste.counted?.facts(row).ownTimes ?? 0 > 0 || taste.signals?.own[row] != nil || taste.input.rows.contains(row) else {
            return nil
        }
        let entry = snapshot.catalogue[row]
        return "Because you \(verb(row, entry.title ?? entry.itemID, isBought: taste.counted?.facts(row).isBought ?? false))"
    }

    /// What the user did with something.
    private func verb(_ row: Int32, _ what: String, isBought: Bool) -> String {
        guard !isBought else { return "bought \(what)" }
        guard let place = taste.input.rows.lastIndex(of: row) else { return "met \(what)" }
        return switch taste.input.types[place] {
        case .purchase: "bought \(what)"
        case .addToCart: "put \(what) in your cart"
        case .click, .impression, .return: "looked at \(what)"
        }
    }

    private static func people(_ count: Int) -> String { count == 1 ? "1 person" : "\(count) people" }

    private static func days(_ days: Double) -> String {
        let whole = Int(days.rounded())
        return whole <= 1 ? "a day" : "\(whole) days"
    }

    /// How often something was done, and when last.
    private static func often(_ times: Int, _ days: Double?) -> String {
        let ago = days.map { $0 < 1 ? nil : "\(self.days($0)) ago" } ?? nil
        return times <= 1 ? ago ?? "before" : "\(times) times" + (ago.map { ", last \($0)" } ?? "")
    }
}

extension UserTowerInput {
    /// What the user tower would read had an item not been met.
    fileprivate func without(_ row: Int32, dimension: Int) -> UserTowerInput {
        let kept = rows.indices.filter { rows[$0] != row }
        return UserTowerInput(
            vectors: kept.flatMap { vectors[$0 * dimension..<($0 + 1) * dimension] }, rows: kept.map { rows[$0] },
            types: kept.map { types[$0] }, times: kept.map { times[$0] }, attributes: attributes, context: context)
    }
}

extension Ranking {
    /// What the towers' product counts in the final score of this user.
    var towerWeight: Float {
        let blend = snapshot.blend.flatMap { blend in taste.signals.map { blend.blend.weight(.tower, of: $0) } } ?? 1
        return blend * (newestQuery == nil ? 1 : 1 - snapshot.rules.similarWeight)
            * interestWeight
    }

    /// What towers and blend count in the final score of this user: 1 where no ranker stands behind them.
    var interestWeight: Float {
        snapshot.ranker.flatMap { ranker in taste.counted.map { ranker.weights.interest(historyEvents: $0.historyEvents) } } ?? 1
    }
}
