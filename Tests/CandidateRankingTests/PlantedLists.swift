import CandidateRanking
import Tensors

/// Questions whose best candidate follows a planted rule of its signals.
struct PlantedLists {
    /// Signals of all candidates, `[questions][candidates * width]`, and the place of each question's best candidate.
    var signals: [[Float]] = []
    var best: [Int] = []
    var lists: CandidateLists

    /// - Parameters:
    ///   - goals: each has the same answers; the second weighs them by what they are worth.
    ///   - rule: how good a candidate is; the best of a question is its answer.
    init(
        questions: Int, candidates: Int = 12, width: Int = 4, goals: Int = 1, seed: UInt64,
        rule: (ArraySlice<Float>, inout SeededGenerator) -> Float
    ) {
        var random = SeededGenerator(seed: seed)
        lists = CandidateLists(width: width, goals: goals)
        for question in 0..<questions {
            let row = (0..<candidates * width).map { _ in 3 * random.normal() }
            let worth = (0..<candidates).map { rule(row[$0 * width..<($0 + 1) * width], &random) }
            let place = worth.firstIndex(of: worth.max() ?? 0) ?? 0
            let gains = (0..<candidates).map { $0 == place ? Float(1) : 0 }
            signals.append(row)
            best.append(place)
            lists.append(signals: row, gains: (0..<goals).map { goal in gains.map { $0 * Float(1 + goal * 250) } }, group: question % 2)
        }
    }

    /// The share of questions whose best candidate has the highest score.
    func hits(_ network: CandidateNetwork, goal: Int = 0) -> Double {
        let found = zip(signals, best).count { row, place in
            let candidates = row.count / network.width
            let scores = row.withUnsafeBufferPointer { network.scores($0, candidates: candidates) }
            let own = (0..<candidates).map { scores[$0 * network.goals + goal] }
            return own.allSatisfy { $0 <= own[place] }
        }
        return Double(found) / Double(best.count)
    }
}

extension CandidateNetwork {
    /// A network with numbers drawn at random everywhere.
    static func random(width: Int, hidden: [Int], goals: Int, seed: UInt64) -> CandidateNetwork {
        var random = SeededGenerator(seed: seed)
        let count = parameterCount(width: width, hidden: hidden, goals: goals)
        return CandidateNetwork(
            scaling: SignalScaling(mean: (0..<width).map { _ in random.normal() }, scale: (0..<width).map { _ in random.uniform() + 0.5 }),
            hidden: hidden, goals: goals, parameters: (0..<count).map { _ in 0.3 * random.normal() })
    }

    func scores(of signals: [Float]) -> [Float] {
        signals.withUnsafeBufferPointer { scores($0, candidates: signals.count / width) }
    }
}
