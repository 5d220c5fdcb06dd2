import CandidateRanking

/// What the towers' product and the blend add to an item's score before any ranker, by kind: their sum is the ranking's interest.
struct InterestTerms {
    var own: Float = 0, goesWith: Float = 0, towers: Float = 0, popularity: Float = 0

    var sum: Float { own + goesWith + towers + popularity }

    subscript(_ group: SignalGroup) -> Float {
        switch group {
        case .own: own
        case .goesWith: goesWith
        case .towers: towers
        case .popularity: popularity
        case .category: 0
        }
    }
}

extension Ranking {
    /// The terms of a row's interest.
    ///
    /// The components of an item's vector that hold its popularity speak for everybody, and so does what the vectors of a shop's users have
    /// in common, where the snapshot knows it (``ServingSnapshot/commonUser``): only the rest is this user's taste.
    func terms(_ row: Int32) -> InterestTerms {
        var terms = InterestTerms(), towerWeight: Float = 1
        let interestShare = newestQuery == nil ? 1 : 1 - snapshot.rules.similarWeight
        if let blend = snapshot.blend, let signals = taste.signals {
            let values = blend.blend.weights.values(historyEvents: signals.history.count)
            towerWeight = values[RankingFeature.tower.rawValue]
            terms.popularity = blend.popularity(row, taste.bonuses)
            withUnsafeTemporaryAllocation(of: Float.self, capacity: RankingFeature.count) { features in
                signals.write(featuresOf: row, tower: 0, trend: 0, tables: blend.blend.tables, into: features)
                for place in RankingFeature.placesOfUsers {
                    let term = values[place] * features[place]
                    if RankingFeature.placesOfTransitions.contains(place) { terms.goesWith += term } else { terms.own += term }
                }
            }
        }
        guard let vector = taste.vector else { return terms }
        let all = snapshot.vectors.dimension, compared = all - (snapshot.model?.biasComponents ?? 0)
        let common = taste.isNewestItem ? nil : snapshot.commonUser
        snapshot.vectors.withVector(row) { item in
            let product = vector.withUnsafeBufferPointer { $0.baseAddress.map { innerProduct($0, item, all) } ?? 0 }
            let taste = vector.withUnsafeBufferPointer { $0.baseAddress.map { innerProduct($0, item, compared) } ?? 0 }
            let shared = common?.withUnsafeBufferPointer { $0.baseAddress.map { innerProduct($0, item, compared) } ?? 0 } ?? 0
            terms.towers = towerWeight * interestShare * (taste - shared)
            terms.popularity += towerWeight * interestShare * (product - taste + shared)
        }
        if let newestQuery, let likeness = snapshot.vectors.score(row, newestQuery) {
            terms.goesWith += towerWeight * snapshot.rules.similarWeight * likeness
        }
        return terms
    }

    /// What the interest in a row loses without one item of the history: what follows it, and likeness to it where it is the newest.
    func interestLost(_ row: Int32, without source: Int32) -> Float {
        var lost: Float = 0, towerWeight: Float = 1
        if let blend = snapshot.blend?.blend, let signals = taste.signals {
            towerWeight = blend.weight(.tower, of: signals)
            var all: Float = 0, own: Float = 0
            blend.tables.transitions.forEach(history: signals.history) { from, target, weight in
                guard target == row else { return }
                all += weight
                if from == source { own += weight }
            }
            if own > 0 {
                let weight = blend.weight(.transition, of: signals) + signals.returning * blend.weight(.returningTransition, of: signals)
                lost += weight * (UserSignals.transitionFeature(all) - UserSignals.transitionFeature(max(0, all - own)))
            }
        }
        if let newestQuery, taste.newestRow == source, let likeness = snapshot.vectors.score(row, newestQuery) {
            lost += towerWeight * snapshot.rules.similarWeight * likeness
        }
        return lost
    }

    /// Items of the history after which a row was seen.
    func followed(by row: Int32) -> Set<Int32> {
        var found = Set<Int32>()
        guard let table = snapshot.blend?.blend.tables.transitions, let signals = taste.signals else { return found }
        table.forEach(history: signals.history) { source, target, _ in if target == row, source != row { found.insert(source) } }
        return found
    }
}
