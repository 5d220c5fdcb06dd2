/// Questions as a fit sees them: those that count, their signals scaled, their gains between 0 and 1.
struct ScaledLists {
    let width: Int
    /// Questions that count.
    let count: Int
    /// Where the candidates of each question begin, and where the last one's end.
    let starts: [Int]
    /// `[candidates, width]`, row-major.
    let inputs: [Float]
    /// `[goals][candidates]`, the largest of a question 1; what is no positive finite number counts as 0.
    let gains: [[Float]]
    /// By candidate, whether it is worth something in any goal.
    let isAnswer: [Bool]
    /// By goal, the questions whose candidates differ in it; the others say nothing of it.
    let telling: [[Bool]]

    /// - Parameter uses: which questions count.
    init(_ lists: CandidateLists, scaling: SignalScaling, uses: (_ question: Int) -> Bool) {
        let width = lists.width, used = (0..<lists.count).filter(uses)
        var starts = [0]
        for question in used { starts.append(starts[starts.count - 1] + lists.candidates(of: question).count) }
        let candidates = starts[starts.count - 1]
        inputs = [Float](unsafeUninitializedCapacity: candidates * width) { out, count in
            lists.signals.withUnsafeBufferPointer { signals in
                guard let to = out.baseAddress, let from = signals.baseAddress else { return }
                for (place, question) in used.enumerated() {
                    let rows = lists.candidates(of: question)
                    scaling.apply(from + rows.lowerBound * width, candidates: rows.count, into: to + starts[place] * width)
                }
                count = candidates * width
            }
        }
        var gains: [[Float]] = [], telling: [[Bool]] = []
        for all in lists.gains {
            var scaled: [Float] = [], differs: [Bool] = []
            scaled.reserveCapacity(candidates)
            for question in used {
                let own = all[lists.candidates(of: question)].map { $0 > 0 && $0.isFinite ? $0 : 0 }
                let largest = own.max() ?? 0
                differs.append(own.contains { $0 != largest })
                scaled.append(contentsOf: largest > 0 ? own.map { $0 / largest } : own)
            }
            gains.append(scaled)
            telling.append(differs)
        }
        isAnswer = (0..<candidates).map { candidate in gains.contains { $0[candidate] > 0 } }
        self.width = width
        count = used.count
        self.starts = starts
        self.gains = gains
        self.telling = telling
    }

    /// The candidates of a question.
    func candidates(of question: Int) -> Range<Int> { starts[question]..<starts[question + 1] }

    /// Candidates of the largest question, 0 without any.
    var mostCandidates: Int { (0..<count).map { candidates(of: $0).count }.max() ?? 0 }

    /// Whether the gains of a goal only tell answers from the rest.
    func hasPlainAnswers(goal: Int) -> Bool { gains[goal].allSatisfy { $0 == 0 || $0 == 1 } }
}
