import CandidateRanking
import Tensors
import Testing

@Suite("A ranker over counters")
struct CandidateRankerTests {
    private func ranker(goals: Int = 2) -> CandidateRanker {
        var random = SeededGenerator(seed: 4)
        let width = CandidateSignal.count, count = CandidateNetwork.parameterCount(width: width, hidden: [16], goals: goals)
        let network = CandidateNetwork(
            scaling: SignalScaling(mean: (0..<width).map { _ in random.normal() }, scale: (0..<width).map { _ in 0.5 }), hidden: [16],
            goals: goals, parameters: (0..<count).map { _ in 0.2 * random.normal() })
        return CandidateRanker(
            weights: RankerWeights(
                network: network, interest: 0.5, goals: Array([2, -1].prefix(goals)), horizonDays: 10), tables: CountedShop.made().tables())
    }

    @Test("the final score is the weighted sum of interest and of what the network says of the signals")
    func score() {
        let ranker = ranker(), user = CandidateSignals(CountedShop.made().history(of: 2, now: 130), tables: ranker.tables)
        let rows: [Int32] = [4, 11, 0, 21], interests: [Float] = [1, -2, 0.5, 0]
        var signals = [Float](repeating: 0, count: rows.count * CandidateSignal.count)
        signals.withUnsafeMutableBufferPointer { user.write(rows, into: $0) }
        let outputs = ranker.weights.network.referenceScores(signals)
        let scores = ranker.scores(rows, interests: interests, user: user)
        for place in rows.indices {
            let expected = 0.5 * Double(interests[place]) + 2 * outputs[2 * place] - outputs[2 * place + 1]
            #expect(abs(Double(scores[place]) - expected) < 1e-3 * max(1, abs(expected)))
        }
        #expect(ranker.scores([], interests: [], user: user).isEmpty)
    }

    @Test("users of whom little is known have weights of their own, by the length of their history")
    func newcomers() throws {
        var ranker = ranker()
        ranker.weights.newcomers = [
            RankerWeights.Newcomer(historyLimitEvents: 1, interest: 3, goals: [0, 0]),
            RankerWeights.Newcomer(historyLimitEvents: 4, interest: 1, goals: [1, 0.5]),
        ]
        let outputs: [Float] = [2, 4], expected: [Int: Float] = [1: 30, 2: 14, 4: 14, 5: 5]
        for (events, score) in expected {
            #expect(ranker.weights.scores([10], outputs: outputs, historyEvents: events) == [score], "\(events)")
        }
        #expect(ranker.weights.interest(historyEvents: 3) == 1 && ranker.weights.interest(historyEvents: 9) == 0.5)
        // A user with one event gets what the ranking alone says, three times.
        let shop = CountedShop.made(), tables = ranker.tables
        var history = shop.history(of: 2, now: 130)
        let whole = CandidateSignals(history, tables: tables).historyEvents
        #expect(whole == history.rows.count && whole > 4)
        history = CandidateHistory(
            rows: Array(history.rows.suffix(1)), times: Array(history.times.suffix(1)), amounts: Array(history.amounts.suffix(1)),
            isPurchase: Array(history.isPurchase.suffix(1)), now: history.now)
        let user = CandidateSignals(history, tables: tables)
        #expect(ranker.scores([4, 11], interests: [1, -2], user: user) == [3, -6])
        #expect(ranker.scores([4, 11], interests: [1, -2], without: .popularity, user: user) == [3, -6])
        // Written and read as well; lengths that do not ascend, or a length without its weights, are refused.
        let part = ranker.encoded()
        #expect(try CandidateRanker(encoded: part) == ranker)
        var descending = ranker
        descending.weights.newcomers.reverse()
        #expect(throws: PartFormatError.self) { try CandidateRanker(encoded: descending.encoded()) }
        for name in ["newcomers", "newcomers.4"] {
            let less = PartTensors(tensors: part.tensors.filter { $0.name != name }, texts: part.texts)
            #expect(throws: PartFormatError.self) { try CandidateRanker(encoded: less) }
        }
    }

    @Test("a ranker is read as it was written; other signals, other versions and what is missing are refused")
    func coding() throws {
        for goals in 1...2 {
            let ranker = ranker(goals: goals), part = ranker.encoded()
            #expect(try CandidateRanker(encoded: part) == ranker)
        }
        let part = ranker().encoded()
        for place in part.tensors.indices {
            var less = part.tensors
            less.remove(at: place)
            #expect(throws: PartFormatError.self) { try CandidateRanker(encoded: .init(tensors: less, texts: part.texts)) }
        }
        var names = CandidateSignal.allCases.map(\.name)
        names.swapAt(0, 1)
        var other = PartTensors(texts: part.texts)
        for tensor in part.tensors where !tensor.name.hasPrefix("signals") { other.add(tensor) }
        other.add("signals", list: names)
        #expect(throws: PartFormatError.self) { try CandidateRanker(encoded: other) }
        var later = part
        later.texts["version"] = "2"
        #expect(throws: PartFormatError.self) { try CandidateRanker(encoded: later) }
    }
}

extension PartTensors {
    fileprivate init(texts: [String: String]) { self.init(tensors: [], texts: texts) }
}
