/// What a rival is asked: what a user did before, and when it is asked.
public struct RivalQuestion: Sendable {
    /// Item rows of the history, oldest first.
    public var history: [Int32]
    /// When, in milliseconds since 1970, one a row of the history.
    public var times: [Int64]
    /// The moment of the question, in milliseconds since 1970.
    public var now: Int64

    /// Makes a question; there is a time for each row of the history.
    public init(history: [Int32], times: [Int64], now: Int64) {
        precondition(history.count == times.count, "one time per item: \(history.count) items, \(times.count) times")
        self.history = history
        self.times = times
        self.now = now
    }
}

/// A simple ranking that a colleague would write in an afternoon. A model has to earn its place beside it.
public protocol Rival: Sendable {
    /// The score of every item row for a question; what is not a number is not ranked.
    func scores(_ question: RivalQuestion) -> [Float]
}

extension PopularityRival: Rival {
    public func scores(_ question: RivalQuestion) -> [Float] { scores }
}

extension RecentPopularityRival: Rival {
    public func scores(_ question: RivalQuestion) -> [Float] { scores }
}

extension EASERival: Rival {}

/// A rival with the popular items behind all that it has something to say about, most popular first.
public struct BackedRival<Base: Rival>: Rival {
    private let base: Base
    /// Each item's share of the most popular one's events, less 2: below every score above 0, and in an order of its own.
    private let behind: [Float]

    /// Puts `counts`, events per item row, behind `base`, whose scores are above 0 where it says something.
    public init(_ base: Base, counts: [Int]) {
        self.base = base
        let most = Float(max(counts.max() ?? 0, 1))
        behind = counts.map { Float($0) / most - 2 }
    }

    public func scores(_ question: RivalQuestion) -> [Float] {
        var scores = base.scores(question)
        for row in scores.indices where !(scores[row] > 0) { scores[row] = behind[row] }
        return scores
    }
}
