/// How much the network's outputs and the interest that was known before count in the final score.
public struct RankerWeights: Sendable, Equatable, Codable {
    /// What orders candidates by their signals.
    public var network: CandidateNetwork
    /// What the ranking's own score, a logit, is multiplied by.
    public var interest: Float
    /// What each output of the network is multiplied by.
    public var goals: [Float]
    /// ``CandidateTables/Rules/horizonDays`` of the tables that it learned from, for those that are counted later.
    public var horizonDays: Float
    /// ``CandidateTables/Rules/usesTimes`` of them.
    public var usesTimes: Bool

    /// What counts instead of ``interest`` and ``goals`` for users of whom little is known, by ascending length of history.
    public var newcomers: [Newcomer] = []

    /// What counts for users with short histories.
    public struct Newcomer: Sendable, Equatable, Codable {
        /// The longest history that it is for, in events.
        public var historyLimitEvents: Int
        /// As ``RankerWeights/interest``.
        public var interest: Float
        /// As ``RankerWeights/goals``, as many.
        public var goals: [Float]

        /// All of it.
        public init(historyLimitEvents: Int, interest: Float, goals: [Float]) {
            (self.historyLimitEvents, self.interest, self.goals) = (historyLimitEvents, interest, goals)
        }
    }

    /// Makes weights; `goals.count` is the number of the network's outputs.
    public init(network: CandidateNetwork, interest: Float, goals: [Float], horizonDays: Float = 28, usesTimes: Bool = true) {
        precondition(goals.count == network.goals, "\(goals.count) weights for \(network.goals) outputs")
        (self.network, self.interest, self.goals) = (network, interest, goals)
        (self.horizonDays, self.usesTimes) = (horizonDays, usesTimes)
    }

    private func newcomer(_ events: Int) -> Newcomer? { newcomers.first { events <= $0.historyLimitEvents } }

    /// What the ranking's own score is multiplied by for a user with a history of so many events.
    public func interest(historyEvents: Int) -> Float { newcomer(historyEvents)?.interest ?? interest }

    /// The final scores.
    ///
    /// - Parameters:
    ///   - interests: of candidates.
    ///   - outputs: `[candidates, goals]` of the network.
    ///   - historyEvents: how many the user's history has.
    public func scores(_ interests: [Float], outputs: [Float], historyEvents: Int) -> [Float] {
        let own = newcomer(historyEvents)
        return Self.scores(interests, outputs: outputs, interest: own?.interest ?? interest, goals: own?.goals ?? goals)
    }

    /// The sum of interests and outputs under some weights.
    public static func scores(_ interests: [Float], outputs: [Float], interest: Float, goals: [Float]) -> [Float] {
        precondition(outputs.count == interests.count * goals.count, "\(outputs.count) outputs for \(interests.count) candidates")
        return interests.indices.map { place in
            var score = interest * interests[place]
            for goal in goals.indices { score += goals[goal] * outputs[place * goals.count + goal] }
            return score
        }
    }
}

/// Orders candidates by what counting knows of them and by the interest that the towers and the blend found: see ``CandidateSignal``.
public struct CandidateRanker: Sendable, Equatable {
    /// What counts how much.
    public var weights: RankerWeights
    /// What was counted.
    public var tables: CandidateTables

    /// Makes a ranker.
    public init(weights: RankerWeights, tables: CandidateTables) {
        (self.weights, self.tables) = (weights, tables)
    }

    /// The same ranker under other row numbers; see ``CandidateTables/renumbered(_:itemCount:)``.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> CandidateRanker {
        CandidateRanker(weights: weights, tables: tables.renumbered(rows, itemCount: itemCount))
    }

    /// The final scores of rows for a user.
    ///
    /// - Parameter interests: the ranking's own scores, one a row.
    public func scores(_ rows: [Int32], interests: [Float], user: CandidateSignals) -> [Float] {
        scores(of: user, count: rows.count, interests: interests) { user.write(rows, into: $0) }
    }
}

extension CandidateNetwork {
    /// `[rows, goals]` for rows of a user.
    public func outputs(_ rows: [Int32], user: CandidateSignals) -> [Float] {
        guard !rows.isEmpty else { return [] }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * CandidateSignal.count) { signals in
            user.write(rows, into: signals)
            return scores(UnsafeBufferPointer(signals), candidates: rows.count)
        }
    }
}
