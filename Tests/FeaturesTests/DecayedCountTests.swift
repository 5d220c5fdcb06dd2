import Features
import Foundation
import Interactions
import Testing

@Suite struct DecayedCountTests {
    private let rules = FeatureRules()

    private func counted(_ times: [Int64], _ rules: FeatureRules) -> DecayedCount {
        var count = DecayedCount()
        for time in times { count.add(time: EventTime(milliseconds: time), rules: rules) }
        return count
    }

    /// The definition in doubles, older than 16 half-lives included.
    private func reference(_ times: [Int64], at now: Int64, _ rules: FeatureRules) -> Double {
        times.reduce(0) { $0 + exp2(-Double(now - $1) / Double(rules.decayHalfLifeMilliseconds)) }
    }

    @Test(arguments: [1_000, 3_600_000, 86_400_000, 86_400_001, 31 * 86_400_000, 1 << 42] as [Int64])
    func agreesWithDoubles(_ halfLife: Int64) {
        let rules = FeatureRules(decayHalfLifeMilliseconds: halfLife)
        var random = SeededGenerator(seed: UInt64(halfLife))
        for _ in 0..<200 {
            let now = start + Int64.random(in: 0...halfLife * 20, using: &random)
            let times = (0..<Int.random(in: 1...200, using: &random)).map { _ in
                now - Int64.random(in: 0...halfLife * 12, using: &random)
            }
            let value = counted(times, rules).value(at: EventTime(milliseconds: now), rules: rules)
            let expected = reference(times, at: now, rules)
            #expect(abs(value - expected) <= 1e-5 * expected, "\(value) for \(expected)")
        }
    }

    @Test func whatIsDroppedIsSmall() {
        // An event at every half-life for 100 of them: all of those that lie two landmarks back together weigh less than 2^-15.
        let times = (0...100).map { start - $0 * rules.decayHalfLifeMilliseconds }
        let value = counted(times, rules).value(at: EventTime(milliseconds: start), rules: rules)
        #expect(abs(value - 2) < 1e-4)
    }

    @Test func oneEventHalves() {
        let count = counted([start], rules)
        for (halfLives, expected) in [(0.0, 1.0), (1, 0.5), (10, 1.0 / 1024), (0.5, 0.5.squareRoot())] {
            let at = EventTime(milliseconds: start + Int64(halfLives * Double(rules.decayHalfLifeMilliseconds)))
            #expect(abs(count.value(at: at, rules: rules) - expected) < 2e-6 * expected)
        }
        #expect(DecayedCount().value(at: EventTime(milliseconds: start), rules: rules) == 0)
        #expect(count.value(at: EventTime(milliseconds: .max), rules: rules) >= 0)
        #expect(count.value(at: EventTime(milliseconds: .min), rules: rules).isFinite)
    }

    @Test(arguments: [1_000, 3_600_000, 86_400_000, 1 << 42] as [Int64]) func orderAndSharesAreTheSameAtEveryTime(_ halfLife: Int64) {
        let rules = FeatureRules(decayHalfLifeMilliseconds: halfLife)
        // One click just before a border of 16 half-lives, twenty just after it: of 1990, 2015 and the year 1.
        for year in [1, 1990, 2015] as [Int64] {
            let border = (year - 1970) * 31_556_952_000 / rules.decayPeriodMilliseconds * rules.decayPeriodMilliseconds
            let few = counted([border - 1], rules), many = counted([Int64](repeating: border + 1, count: 20), rules)
            for time in [border + 2, start, 253_402_300_799_999, -62_135_596_800_000] {
                let at = EventTime(milliseconds: time)
                let (one, twenty) = (few.scaledValue(at: at, rules: rules), many.scaledValue(at: at, rules: rules))
                #expect(one < twenty && !one.isZero, "year \(year) at \(time)")
                let share = exp2(-2 / Double(halfLife)) / 20
                #expect(abs(one.share(of: twenty) - share) < 1e-5 * share, "year \(year) at \(time)")
            }
        }
    }

    @Test func scaledValuesAddAndCompareAsNumbersDo() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<2_000 {
            let (left, right) = (Double.random(in: 0...4, using: &random), Double.random(in: 0...1e-3, using: &random))
            let shift = Int.random(in: -400_000...400_000, using: &random)
            func at(_ value: Double) -> ScaledValue { ScaledValue(significand: value, exponent: shift) }
            #expect((at(left) < at(right)) == (left < right) && at(left) + at(right) == at(right) + at(left))
            #expect(abs((at(left) + at(right)).share(of: at(left)) - (left + right) / left) < 1e-12)
            #expect(abs(at(left).times(5).share(of: at(left)) - 5) < 1e-12)
        }
        let values: [Double] = [0, .leastNonzeroMagnitude, 1e-300, 1, 1.5, 1e300, .greatestFiniteMagnitude]
        for value in values { #expect(ScaledValue(value).double == value) }
        #expect(values.map { ScaledValue($0) } == values.map { ScaledValue($0) }.sorted())
        #expect(ScaledValue(.nan).isZero && ScaledValue(.infinity).isZero && ScaledValue(-1).isZero)
        #expect(
            ScaledValue(significand: 1, exponent: 5_000).double == .greatestFiniteMagnitude
                && ScaledValue(significand: 1, exponent: -5_000).double == 0)
        #expect(ScaledValue(1).share(of: .zero) == 0 && ScaledValue.zero + ScaledValue(2) == ScaledValue(2))
    }

    @Test func weightsAreWhatTheyWere() {
        // Stored sums were made of these: a change would mix two kinds of weights in one column.
        let period = rules.decayPeriodMilliseconds
        func weight(_ phase: Int64) -> Int64 {
            DecayedCount.weight(of: EventTime(milliseconds: period * 1_297 + phase), rules: rules).weight
        }
        #expect(DecayedCount.weight(of: EventTime(milliseconds: period * 1_297), rules: rules).landmark == 1_297)
        #expect(DecayedCount.weight(of: EventTime(milliseconds: -1), rules: rules).landmark == -1)
        #expect(weight(0) == 1 << 20)
        #expect(weight(rules.decayHalfLifeMilliseconds) == 1 << 21)
        #expect(weight(rules.decayHalfLifeMilliseconds / 2) == 1_482_910)
        #expect(weight(rules.decayHalfLifeMilliseconds / 3 * 10) == 10_568_981)
        #expect(weight(period - 1) < 1 << 36 && weight(period - 1) > (1 << 36) - (1 << 20))
    }

    @Test(arguments: 1...10) func mergesInAnyShape(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let span = rules.decayPeriodMilliseconds * 4
        let times = (0..<300).map { _ in start + Int64.random(in: -span...span, using: &random) }
        let whole = counted(times, rules)
        for _ in 0..<20 {
            var parts = times.shuffled(using: &random).map { counted([$0], rules) } + [DecayedCount()]
            while parts.count > 1 {
                let one = parts.remove(at: Int.random(in: parts.indices, using: &random))
                parts[Int.random(in: parts.indices, using: &random)].merge(one)
            }
            #expect(parts[0] == whole)
        }
    }
}
