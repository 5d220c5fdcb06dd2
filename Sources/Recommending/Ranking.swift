/// A candidate on its way into the answer.
struct RankedRow {
    var row: Int32
    var score: Float
    var reason: RecommendationReason
    /// Whether it stands there to learn who likes it.
    var isExploration = false
    /// Why it stands before others that are ranked higher; nil where it does not.
    var share: ShareCause?
    /// The member of a group that was asked for; nil where one is chosen.
    var itemID: String?
}

/// Gives candidates their final score and order.
struct Ranking {
    let snapshot: ServingSnapshot
    let taste: UserTaste
    let objective: ObjectiveWeights?
    /// The newest item as a query as long as the user's vector, where likeness to it counts by itself.
    let newestQuery: [Float]?

    init(snapshot: ServingSnapshot, taste: UserTaste, objective: ObjectiveWeights?) {
        (self.snapshot, self.taste, self.objective) = (snapshot, taste, objective)
        newestQuery = snapshot.rules.similarWeight > 0 && !taste.isNewestItem
            ? taste.newestRow.flatMap(snapshot.likeness).map { Self.asLongAsTheUsers($0, taste: taste, snapshot: snapshot) } : nil
    }

    /// How many candidates the ranking wants for an answer of `count` items: more where it changes the order of recall.
    func poolSize(for count: Int) -> Int {
        changesOrder ? max(4 * count, 200) : count
    }

    private var changesOrder: Bool {
        objective != nil || powers != nil || taste.counted != nil || snapshot.rules.similarWeight > 0 || snapshot.rules.freshBonus != 0
            || snapshot.isBlended || taste.content != nil
            || taste.isNewcomer || snapshot.rules.categoryDiscount < 1 || snapshot.rules.shares.isSet || !snapshot.prices.isEmpty
    }

    /// Rows that a blend wants to see beside the towers' candidates: what follows the newest items, what is the user's own, and
    /// what many choose.
    func furtherRows(_ count: Int, among filter: RowFilter) -> [Int32] {
        let admits = filter.admits
        let alike = byContent(count, among: filter) + (taste.counted?.candidates(where: admits) ?? [])
        guard let blend = snapshot.blend, let signals = taste.signals else { return alike }
        return alike + signals.strongest(count, where: admits) + signals.own.keys.filter(admits)
            + blend.popular(taste.bonuses, where: admits)
    }

    /// New items that fit by what they are.
    private func byContent(_ count: Int, among filter: RowFilter) -> [Int32] {
        guard let content = snapshot.content, let liking = taste.content else { return [] }
        let vectors = snapshot.vectors
        return (taste.vector ?? []).withUnsafeBufferPointer { user in
            content.best(count, taste: liking, among: filter) { row in user.baseAddress.flatMap { vectors.score(row, $0) } ?? 0 }
        }
    }

    /// Scores candidates by the user's vector, the newest item, the blend and the objective. Best first; ties by item id.
    func ranked(_ candidates: [Candidate]) -> [RankedRow] {
        var (rows, byContent) = interests(of: candidates)
        if let powers {
            judge(&rows, candidates, powers, byContent: byContent)
        } else if objective != nil {
            for place in rows.indices { rows[place].score = weighted(rows[place].score, rows[place].row) }
        }
        if objective == nil { pay(&rows) }
        sort(&rows)
        return rows
    }

    /// What new items are set against: the scores of candidates as the lists have them, where no goals are asked.
    func places(of candidates: [Candidate]) -> [Float] {
        var rows = interests(of: candidates).rows
        // Prices are in the unit of what is ranked by last, which heads change.
        if powers == nil { pay(&rows) }
        return rows.map(\.score)
    }

    /// Takes off what items cost that are in too many lists.
    private func pay(_ rows: inout [RankedRow]) {
        guard !snapshot.prices.isEmpty else { return }
        for place in rows.indices { rows[place].score -= snapshot.prices[rows[place].row] ?? 0 }
    }

    /// What candidates are worth before goals are asked, in their order, and which of them are known by their content alone.
    func interests(of candidates: [Candidate]) -> (rows: [RankedRow], byContent: Set<Int32>) {
        let known = knownScores(candidates, newest: newestQuery)
        guard let content = snapshot.content, let liking = taste.content else { return interests(of: candidates, known, nil) }
        return content.withScorer(liking) { interests(of: candidates, known, $0) }
    }

    private func interests(
        of candidates: [Candidate], _ known: [Float], _ scorer: ContentSignals.Scorer?
    ) -> (rows: [RankedRow], byContent: Set<Int32>) {
        // Once for all candidates: what is read from a value within a closure is copied each time.
        let vectors = snapshot.vectors, bonus = snapshot.rules.freshBonus
        let marks = scorer ?? snapshot.content.map(ContentSignals.Scorer.init)
        var byContent: Set<Int32> = [], rows: [RankedRow] = []
        rows.reserveCapacity(candidates.count)
        for (place, candidate) in candidates.enumerated() {
            let origin = vectors.origin(of: candidate.row)
            // What moved it, if it is of what people did, is found for the answered rows alone: see `Attribution`.
            var score = known[place], reason = RecommendationReason.personal
            if let own = scorer?.score(candidate.row, tower: candidate.score) {
                score = own
                reason = .fresh
                byContent.insert(candidate.row)
            }
            if origin == .content, marks?.isUntaken(candidate.row) != true {
                reason = .fresh
                score += bonus
            } else if origin == .adapted {
                reason = .adapted
            }
            if marks?.isAdapted(candidate.row) == true { reason = .adapted }
            rows.append(RankedRow(row: candidate.row, score: score, reason: reason))
        }
        return (rows, byContent)
    }

    /// What is known of candidates by what people did: the towers' product, likeness to the newest item, the blend, the ranker.
    private func knownScores(_ candidates: [Candidate], newest: [Float]?) -> [Float] {
        let blend = snapshot.blend, bonuses = taste.bonuses
        let known = candidates.map { candidate in
            var score = candidate.score
            if let newest, let likeness = snapshot.vectors.score(candidate.row, newest) {
                let weight = snapshot.rules.similarWeight
                score = (1 - weight) * score + weight * likeness
            }
            return blend?.score(candidate.row, tower: score, bonuses: bonuses) ?? score
        }
        guard let ranker = snapshot.ranker, let counted = taste.counted else { return known }
        return ranker.scores(candidates.map(\.row), interests: known, user: counted)
    }

    /// What the goals count, where heads are asked for them: as the request says, else as the model does.
    private var powers: ObjectivePowers? {
        guard let heads = snapshot.heads, taste.signals != nil else { return nil }
        if let objective { return ObjectivePowers(click: objective.click, conversion: objective.conversion, value: objective.value) }
        return heads.isInUse ? heads.weights.powers : nil
    }

    /// Puts what the heads say in the place of the scores so far.
    ///
    /// Of items that are known by their content alone the heads know above all that nobody took them, and would put them last. These stay
    /// between the same items as by interest, which training weighed so that they get their fair share; what they would be worth is theirs.
    private func judge(_ rows: inout [RankedRow], _ candidates: [Candidate], _ powers: ObjectivePowers, byContent: Set<Int32>) {
        guard let heads = snapshot.heads, let signals = taste.signals, let blend = snapshot.blend?.blend, !rows.isEmpty else { return }
        let vectors = taste.vector.map { vector in
            HeadVectors(
                user: vector, newest: taste.newestRow.flatMap(snapshot.vectors.vector), biasComponents: snapshot.model?.biasComponents ?? 0)
        }
        let user = HeadUser(
            signals, purchases: taste.purchases, vectors: vectors, declared: taste.input.attributeTokens, tables: heads.tables)
        let width = HeadFeature.count
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * width) { features in
            for (place, candidate) in candidates.enumerated() {
                let interest = rows[place].score
                func write(_ vector: UnsafePointer<Float>?) {
                    user.write(
                        featuresOf: candidate.row, interest: interest, tower: candidate.score, vector: vector,
                        priceMicros: snapshot.catalogue[candidate.row].comparablePriceMicros, ranking: blend.tables, tables: heads.tables,
                        into: UnsafeMutableBufferPointer(rebasing: features[place * width..<(place + 1) * width]))
                }
                if snapshot.vectors.withVector(candidate.row, write) == nil { write(nil) }
            }
            let outputs = heads.outputs(UnsafeBufferPointer(features)), interests = rows.map(\.score)
            var taken = powers
            taken.value = 0
            for (place, output) in outputs.enumerated() {
                rows[place].score = heads.score(output, interest: interests[place], powers: taken)
            }
            if !byContent.isEmpty {
                let known = rows.indices.filter { !byContent.contains(rows[$0].row) }
                let map = QuantileMap(from: known.map { interests[$0] }, to: known.map { rows[$0].score })
                for place in rows.indices where byContent.contains(rows[place].row) { rows[place].score = map(interests[place]) }
            }
            guard powers.value != 0 else { return }
            for (place, output) in outputs.enumerated() { rows[place].score += powers.value * output.logValue }
        }
    }

    /// Brings a vector to the length of the user's, so that both kinds of score are on one scale.
    private static func asLongAsTheUsers(_ vector: [Float], taste: UserTaste, snapshot: ServingSnapshot) -> [Float] {
        let compared = vector.count - (snapshot.model?.biasComponents ?? 0)
        let user = (taste.vector ?? []).prefix(compared).reduce(0) { $0 + $1 * $1 }
        let own = vector.reduce(0) { $0 + $1 * $1 }
        guard own > 0 else { return vector }
        let scale = (user / own).squareRoot()
        return vector.map { $0 * scale }
    }

    /// Best first; of equal scores the smaller item id.
    func sort(_ rows: inout [RankedRow]) {
        let catalogue = snapshot.catalogue
        rows.sort {
            $0.score != $1.score ? $0.score > $1.score : catalogue[$0.row].itemID < catalogue[$1.row].itemID
        }
    }

    /// The score under the request's objective: see ``ObjectiveWeights``.
    private func weighted(_ score: Float, _ row: Int32) -> Float {
        guard let objective, let model = snapshot.model else { return score }
        var logOdds = objective.click * score / model.temperature
        if objective.value != 0, let median = snapshot.medianPriceMicros,
            let price = snapshot.catalogue[row].comparablePriceMicros, price > 0
        {
            logOdds += objective.value * naturalLogarithm(Float(price) / median)
        }
        return logOdds
    }
}
