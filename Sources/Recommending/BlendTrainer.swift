/// A question that training held out: what a user did before, and what they chose afterwards.
public struct BlendQuestion: Sendable {
    /// Rows of the history, oldest first.
    public var history: [Int32]
    /// In milliseconds since 1970, one a row of the history.
    public var times: [Int64]
    /// The time of the question.
    public var now: Int64
    /// Rows to be found.
    public var answers: [Int32]

    /// Makes a question.
    public init(history: [Int32], times: [Int64], now: Int64, answers: [Int32]) {
        self.history = history
        self.times = times
        self.now = now
        self.answers = answers
    }
}

/// Learns a blend from questions on rows whose towers' scores are known.
///
/// The candidates of a question are those that serving would rank: the best by the towers, the strongest transitions, the user's own
/// items and the most popular ones, without what may not be shown. An answer that is not among them says nothing.
public struct BlendTrainer: Sendable {
    /// Candidates taken of each kind.
    static let towerCandidates = 150, transitionCandidates = 150, popularCandidates = 100

    /// What the signals read of the past.
    public let tables: RankingTables
    /// ``RankingFeature/trend`` by row, for rows that have one.
    private let trend: [Int32: Float]
    private let trending: [TrendingRow]
    private let popular: [Int32]

    /// An item of a trending list with its share of the top score.
    public struct TrendingRow: Sendable {
        /// The item, in rows of the log.
        public var row: Int32
        /// In (0, 1].
        public var share: Float

        /// Makes an item.
        public init(row: Int32, share: Float) {
            self.row = row
            self.share = share
        }
    }

    /// - Parameters:
    ///   - tables: counted from what may be learned from.
    ///   - trending: what was popular at the end of it.
    public init(tables: RankingTables, trending: [TrendingRow]) {
        self.tables = tables
        self.trending = trending
        trend = Dictionary(trending.map { ($0.row, BlendInForce.trendFeature($0.share)) }) { first, _ in first }
        var popular = TopRows(limit: Self.popularCandidates), recent = popular
        for row in 0..<tables.itemCount {
            popular.offer(Int32(row), tables.popularity[row])
            recent.offer(Int32(row), tables.recentPopularity[row])
        }
        let now = trending.sorted { ($0.share, -$0.row) > ($1.share, -$1.row) }.prefix(Self.popularCandidates)
        self.popular = popular.sorted().map(\.row) + recent.sorted().map(\.row) + now.map(\.row)
    }

    /// Adds a question with its candidates.
    ///
    /// - Parameters:
    ///   - tower: the inner product of the towers, one a row.
    ///   - admits: whether a row may be shown to the user.
    public func add(
        _ question: BlendQuestion, tower: [Float], where admits: (Int32) -> Bool, to questions: inout BlendQuestions
    ) {
        let user = UserSignals(history: question.history, times: question.times, now: question.now, transitions: tables.transitions)
        var taken = RowSet(rows: tower.count)
        var rows: [Int32] = []
        func take(_ row: Int32) {
            if Int(row) < tower.count, admits(row), taken.insert(row) { rows.append(row) }
        }
        var top = TopRows(limit: Self.towerCandidates)
        for (row, score) in tower.enumerated() where top.wouldKeep(score) && admits(Int32(row)) { top.offer(Int32(row), score) }
        for candidate in top.sorted() { take(candidate.row) }
        for row in user.strongest(Self.transitionCandidates, where: admits) { take(row) }
        for row in user.own.keys.sorted() { take(row) }
        for row in popular { take(row) }
        let answers = Set(question.answers)
        var features = [Float](repeating: 0, count: rows.count * RankingFeature.count)
        features.withUnsafeMutableBufferPointer { features in
            for (place, row) in rows.enumerated() {
                let start = place * RankingFeature.count
                user.write(
                    featuresOf: row, tower: tower[Int(row)], trend: trend[row] ?? 0, tables: tables,
                    into: UnsafeMutableBufferPointer(rebasing: features[start..<start + RankingFeature.count]))
            }
        }
        questions.append(features: features, isAnswer: rows.map { answers.contains($0) }, pause: user.returning)
    }

    /// Scores of every row under some weights, as serving gives them.
    public func scoring(_ weights: BlendWeights) -> Scoring {
        Scoring(force: BlendInForce(RankingBlend(weights: weights, tables: tables), trending: trending.lazy.map { ($0.row, $0.share) }))
    }

    /// A blend under fixed weights.
    public struct Scoring: Sendable {
        fileprivate let force: BlendInForce

        /// The final score of every row; `tower` has the inner products.
        public func scores(_ question: BlendQuestion, tower: [Float]) -> [Float] {
            let bonuses = force.blend.bonuses(
                force.blend.signals(history: question.history, times: question.times, now: question.now))
            return tower.indices.map { force.score(Int32($0), tower: tower[$0], bonuses: bonuses) }
        }
    }
}
