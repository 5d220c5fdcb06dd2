/// Questions to learn an order from: of each the candidates with their signals, and what each candidate was worth to the user.
///
/// A question whose candidates are all worth the same says nothing and is left out.
public struct CandidateLists: Sendable {
    /// Signals of a candidate.
    public let width: Int
    /// `[candidates, width]`, row-major, of all questions one behind the other.
    public private(set) var signals: [Float] = []
    /// What each candidate was worth, 0 or more: `[goals][candidates]`.
    public private(set) var gains: [[Float]]
    /// Where the candidates of each question begin, and where the last one's end.
    public private(set) var starts: [Int] = [0]
    /// The group of each question, such as a half of the users.
    public private(set) var groups: [Int] = []

    /// No questions.
    ///
    /// - Parameter goals: what a candidate may be worth in different ways, such as a purchase and its price.
    public init(width: Int, goals: Int = 1) {
        precondition(width > 0 && goals > 0, "\(width) signals and \(goals) goals")
        self.width = width
        gains = [[Float]](repeating: [], count: goals)
    }

    /// Questions so far.
    public var count: Int { groups.count }

    /// The candidates of a question.
    public func candidates(of question: Int) -> Range<Int> { starts[question]..<starts[question + 1] }

    /// Adds a question.
    ///
    /// - Parameters:
    ///   - signals: `[candidates, width]`, row-major, finite.
    ///   - gains: `[goals][candidates]`.
    public mutating func append(signals: [Float], gains: [[Float]], group: Int) {
        let candidates = signals.count / width
        precondition(
            signals.count == candidates * width && gains.count == self.gains.count && gains.allSatisfy { $0.count == candidates },
            "\(signals.count) signals of width \(width) for \(gains.map(\.count)) gains")
        guard let first = gains[0].first, gains[0].contains(where: { $0 != first }) else { return }
        self.signals.append(contentsOf: signals)
        for goal in gains.indices { self.gains[goal].append(contentsOf: gains[goal]) }
        starts.append(self.signals.count / width)
        groups.append(group)
    }
}
