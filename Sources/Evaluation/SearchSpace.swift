import Tensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What a search may set one setting to.
public struct SearchRange: Sendable, Equatable {
    /// Where values come from.
    public enum Values: Sendable, Equatable {
        case choices([String])
        case whole(ClosedRange<Int>, isLogarithmic: Bool)
        case number(ClosedRange<Double>, isLogarithmic: Bool)
    }

    /// A text that is no range, with what would be right.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// What was wrong, as a sentence.
        public var description: String
    }

    /// The setting's name.
    public let key: String
    /// What the setting may be.
    public let values: Values

    /// Makes a range.
    public init(key: String, values: Values) {
        self.key = key
        self.values = values
    }

    /// Reads `KEY=LOW..HIGH`, `KEY=LOW..HIGH:log` or `KEY=A,B,C`. Whole numbers at both ends give whole numbers.
    ///
    /// - Throws: where the text is none of these, an end is missing, or a logarithmic range does not begin above 0.
    public init(_ text: String) throws(Malformed) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw Malformed(description: "'\(text)' is no range: KEY=LOW..HIGH, KEY=LOW..HIGH:log, or KEY=A,B,C")
        }
        try self.init(key: String(text[..<equals]), text: String(text[text.index(after: equals)...]))
    }

    /// Reads what stands after the equals sign of ``init(_:)``.
    public init(key: String, text: String) throws(Malformed) {
        self.key = key
        var rest = text[...]
        let isLogarithmic = rest.hasSuffix(":log")
        if isLogarithmic { rest = rest.dropLast(4) }
        let ends = Self.split(rest, at: "..")
        guard ends.count == 2 else {
            let choices = rest.split(separator: ",").map(String.init)
            guard ends.count == 1, !isLogarithmic, !choices.isEmpty, Set(choices).count == choices.count else {
                throw Malformed(description: "\(key)=\(text) is no range: LOW..HIGH, LOW..HIGH:log, or A,B,C without repetition")
            }
            values = .choices(choices)
            return
        }
        if let low = Int(ends[0]), let high = Int(ends[1]), low <= high, !isLogarithmic || low > 0 {
            values = .whole(low...high, isLogarithmic: isLogarithmic)
        } else if let low = Double(ends[0]), let high = Double(ends[1]), low.isFinite, high.isFinite, low <= high, !isLogarithmic || low > 0
        {
            values = .number(low...high, isLogarithmic: isLogarithmic)
        } else {
            throw Malformed(
                description: "\(key)=\(text) is no range: two numbers, the lower first" + (isLogarithmic ? ", both above 0 for :log" : ""))
        }
    }

    /// The value at a share of the range: 0 is its beginning, just below 1 its end. Numbers have three significant digits.
    public func value(at share: Double) -> String {
        precondition(share >= 0 && share < 1, "a share of \(share)")
        switch values {
        case .choices(let choices): return choices[min(choices.count - 1, Int(share * Double(choices.count)))]
        case .whole(let range, let isLogarithmic):
            let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
            // Each whole number has an equal part, by its width or by its logarithm.
            let value = isLogarithmic
                ? exp(log(low - 0.5) + share * (log(high + 0.5) - log(low - 0.5))).rounded()
                : (low - 0.5 + share * (high - low + 1)).rounded()
            return String(min(range.upperBound, max(range.lowerBound, Int(value))))
        case .number(let range, let isLogarithmic):
            let (low, high) = (range.lowerBound, range.upperBound)
            let value = isLogarithmic ? exp(log(low) + share * (log(high) - log(low))) : low + share * (high - low)
            return "\(min(high, max(low, Self.rounded(value))))"
        }
    }

    private static func rounded(_ value: Double) -> Double {
        guard value != 0 else { return 0 }
        let scale = pow(10, 2 - floor(log10(abs(value))))
        return (value * scale).rounded() / scale
    }

    private static func split(_ text: Substring, at mark: String) -> [Substring] {
        var parts: [Substring] = [], start = text.startIndex, place = text.startIndex
        while place < text.endIndex {
            if text[place...].hasPrefix(mark) {
                parts.append(text[start..<place])
                place = text.index(place, offsetBy: mark.count)
                start = place
            } else {
                place = text.index(after: place)
            }
        }
        return parts + [text[start...]]
    }
}

/// Ranges that a search draws trials from. A trial's settings follow from the seed and its number alone, so a search that goes on
/// later, or longer, draws the same ones.
public struct SearchSpace: Sendable, Equatable {
    /// The settings that are searched, each once, in the order given.
    public let ranges: [SearchRange]

    /// Makes a space; a later range of a key replaces an earlier one.
    public init(_ ranges: [SearchRange]) {
        var kept: [SearchRange] = []
        for range in ranges {
            kept.removeAll { $0.key == range.key }
            kept.append(range)
        }
        self.ranges = kept
    }

    /// The settings of a trial (from 1), by key. Trial 0 sets nothing: it is the recipe as it stands.
    public func settings(trial: Int, seed: UInt64) -> [(key: String, value: String)] {
        guard trial > 0 else { return [] }
        var random = SeededGenerator(seed: seed, stream: 0x7365_6172 &+ UInt64(trial) << 32)
        return ranges.map { ($0.key, $0.value(at: Double(random.next() >> 11) * 0x1p-53)) }
    }
}

/// Successive halving (Jamieson and Talwalkar 2016): many trials get little, the best share of them more, the last ones all.
public struct SuccessiveHalving: Sendable, Equatable {
    /// Trials of the first rung, the recipe as it stands included.
    public let trials: Int
    /// One in so many goes on.
    public let keepOneIn: Int
    /// Steps of the ladder; one for a random search.
    public let rungs: Int

    /// Makes a plan; all numbers are at least 1, `keepOneIn` at least 2.
    public init(trials: Int, keepOneIn: Int = 3, rungs: Int) {
        precondition(trials > 0 && keepOneIn > 1 && rungs > 0, "\(trials) trials on \(rungs) rungs, one in \(keepOneIn) goes on")
        self.trials = trials
        self.keepOneIn = keepOneIn
        self.rungs = rungs
    }

    /// The share of the whole training that a trial on a rung (from 0) gets.
    public func share(rung: Int) -> Double {
        var share = 1.0
        for _ in rung..<(rungs - 1) { share /= Double(keepOneIn) }
        return share
    }

    /// Trials on a rung.
    public func count(rung: Int) -> Int {
        var count = trials
        for _ in 0..<rung { count = max(min(count, 2), count / keepOneIn) }
        return count
    }

    /// The trials of a rung, ascending, from the scores of the one before: the best ones, and always trial 0, which the others are
    /// compared with. Among equal scores the lower number goes on; a score that is no number does not.
    public func survivors(rung: Int, scores: [Int: Double]) -> [Int] {
        guard rung > 0 else { return Array(0..<trials) }
        let ranked = scores.filter { $0.value.isFinite && $0.key != 0 }.sorted {
            $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key
        }
        return ([0] + ranked.prefix(count(rung: rung) - 1).map(\.key)).sorted()
    }
}
