import CandidateRanking
import Testing

@Suite("Signals are scaled")
struct SignalScalingTests {
    private func applied(_ scaling: SignalScaling, _ signals: [Float]) -> [Float] {
        var out = [Float](repeating: .nan, count: signals.count)
        scaling.apply(signals, candidates: signals.count / scaling.width, into: &out)
        return out
    }

    @Test("scaled signals have mean 0 and deviation 1, and one that never differs is 0 everywhere")
    func standard() {
        let planted = PlantedLists(questions: 40, width: 3, seed: 1) { row, _ in row[row.startIndex] }
        var lists = CandidateLists(width: 4)
        for (row, best) in zip(planted.signals, planted.best) {
            let candidates = row.count / 3
            // The second is large and hardly differs, the fourth never does.
            var wide: [Float] = []
            for at in stride(from: 0, to: row.count, by: 3) { wide += [row[at], 1e6 + 1e3 * row[at + 1], 1e-4 * row[at + 2], 999] }
            let gains: [Float] = (0..<candidates).map { $0 == best ? 1 : 0 }
            lists.append(signals: wide, gains: [gains], group: 0)
        }
        let scaling = SignalScaling(fitting: lists)
        #expect(scaling.scale[3] == 0 && abs(scaling.mean[3] - 6.907755) < 1e-5)
        let scaled = applied(scaling, lists.signals)
        for signal in 0..<4 {
            let own = stride(from: signal, to: scaled.count, by: 4).map { Double(scaled[$0]) }
            let mean = own.reduce(0, +) / Double(own.count)
            let deviation = (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count)).squareRoot()
            #expect(abs(mean) < 0.01, "signal \(signal) has mean \(mean)")
            #expect(signal == 3 ? deviation == 0 : abs(deviation - 1) < 0.01, "signal \(signal) has deviation \(deviation)")
        }
    }

    @Test("only the questions that are asked for count")
    func uses() {
        var lists = CandidateLists(width: 1), half = lists
        lists.append(signals: [1, 2, 4], gains: [[1, 0, 0]], group: 0)
        half.append(signals: [1, 2, 4], gains: [[1, 0, 0]], group: 0)
        lists.append(signals: [100, 1e6], gains: [[1, 0]], group: 1)
        #expect(SignalScaling(fitting: lists) { lists.groups[$0] == 0 } == SignalScaling(fitting: half))
        #expect(SignalScaling(fitting: lists) != SignalScaling(fitting: half))
    }

    @Test("the fast way agrees with the plain one from the smallest to the largest numbers")
    func reference() {
        let odd: [Float] = [
            0, -0.0, 1, -1, 1e-30, -1e-7, 3e-5, .leastNonzeroMagnitude, 1e9, -1e20, .greatestFiniteMagnitude, 16_777_218, 0.5, 999, -999,
        ]
        for (mean, scale): (Float, Float) in [(0, 1), (2.5, 0.4), (-1, 1e4)] {
            let scaling = SignalScaling(mean: [mean], scale: [scale])
            for (fast, plain) in zip(applied(scaling, odd), odd.map { scaling.reference([$0])[0] }) {
                #expect(abs(Double(fast) - plain) < 1e-5 + 1e-6 * Double(scale), "\(fast) where it is \(plain)")
                #expect(abs(fast) <= SignalScaling.limit)
            }
        }
        let tiny = SignalScaling(mean: [0], scale: [1e6])
        #expect(abs(applied(tiny, [1e-6])[0] - 1) < 1e-4)
    }

    @Test("what is no finite number lies at the mean, in a fit and after it")
    func notFinite() {
        let scaling = SignalScaling(mean: [2, 3], scale: [1, 1e30])
        #expect(applied(scaling, [.nan, .infinity, -.infinity, .signalingNaN]) == [0, 0, 0, 0])
        var lists = CandidateLists(width: 2), clean = lists
        lists.append(signals: [1, .nan, .infinity, .nan, 5, .nan], gains: [[1, 0, 0]], group: 0)
        clean.append(signals: [1, 0, 5, 0], gains: [[1, 0]], group: 0)
        #expect(SignalScaling(fitting: lists) == SignalScaling(fitting: clean))
        #expect(SignalScaling(fitting: CandidateLists(width: 2)) == SignalScaling(mean: [0, 0], scale: [0, 0]))
    }

    @Test("a plain scaling takes signals as they are, and what is no finite number counts nothing")
    func plain() {
        let scaling = SignalScaling(mean: [0, 0, 0], scale: [1, 0.25, 0], isPlain: true)
        let signals: [Float] = [300, 8, 5, -7, .nan, .infinity, 1e9, -.infinity, 1, .greatestFiniteMagnitude, 0.5, .nan]
        let scaled: [Float] = [300, 2, 0, -7, 0, 0, SignalScaling.plainLimit, 0, 0, SignalScaling.plainLimit, 0.125, 0]
        #expect(applied(scaling, signals) == scaled)
        for (place, row) in stride(from: 0, to: signals.count, by: 3).enumerated() {
            #expect(scaling.reference(Array(signals[row..<row + 3])).map { Float($0) } == Array(scaled[3 * place..<3 * place + 3]))
        }
    }
}
