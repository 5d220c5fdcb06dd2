import Bytes
import Interactions

/// How Gorse and its clients write moments, spans and conditions.
package enum GorseText {
    /// Go's zero time, which stands for none.
    package static let zeroTime = "0001-01-01T00:00:00Z"

    /// A moment in RFC 3339 as Go writes it: no fraction where there is none, and no zeros at its end.
    package static func time(_ time: EventTime?) -> String {
        guard let time else { return zeroTime }
        let text = time.rfc3339()
        guard let dot = text.firstIndex(of: "."), text.hasSuffix("Z") else { return text }
        var end = text.index(before: text.endIndex)
        while end > dot, text[text.index(before: end)] == "0" { end = text.index(before: end) }
        if text.index(before: end) == dot { end = dot }
        return String(text[..<end]) + "Z"
    }

    /// A span as Go writes it, such as `10m`, `1h30m` or `1.5s`, in milliseconds; nil where it is none or beyond a hundred years.
    package static func milliseconds(ofDuration text: String) -> Int64? {
        if text == "0" { return 0 }
        var rest = text[...], sum = 0.0
        let isNegative = rest.first == "-"
        if let sign = rest.first, sign == "-" || sign == "+" { rest.removeFirst() }
        if rest.isEmpty { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber && $0.isASCII || $0 == "." }
            guard let value = Double(number) else { return nil }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { !($0.isNumber && $0.isASCII || $0 == ".") }
            guard let size = units[String(unit)] else { return nil }
            rest = rest[unit.endIndex...]
            sum += value * size
        }
        guard sum < 3.2e12 else { return nil }
        return Int64((isNegative ? -sum : sum).rounded(.toNearestOrAwayFromZero))
    }

    private static let units: [String: Double] = [
        "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1, "s": 1e3, "m": 6e4, "h": 3.6e6,
    ]
}

/// A feedback type with a bound on its value, such as `read>=3`.
package struct FeedbackCondition: Sendable, Equatable {
    /// How the value is compared.
    package enum Comparison: String, Sendable, CaseIterable {
        case atLeast = ">=", atMost = "<=", above = ">", below = "<", equal = "="
    }

    /// The name of the feedback.
    package var type: String
    /// What its value must be; nil for any.
    package var bound: (comparison: Comparison, value: Double)?

    /// Reads a condition; nil where a bound is no number or the name is empty.
    package init?(_ text: String) {
        guard let start = text.firstIndex(where: { "<>=".contains($0) }) else {
            if text.isEmpty { return nil }
            type = text
            return
        }
        type = String(text[..<start])
        while type.last == " " { type.removeLast() }
        let rest = text[start...]
        guard !type.isEmpty, let comparison = Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) }),
            let value = Double(String(rest.dropFirst(comparison.rawValue.count).drop { $0 == " " })), value.isFinite
        else { return nil }
        bound = (comparison, value)
    }

    /// Whether a value is within the bound.
    package func holds(_ value: Double) -> Bool {
        guard let bound else { return true }
        return switch bound.comparison {
        case .atLeast: value >= bound.value
        case .atMost: value <= bound.value
        case .above: value > bound.value
        case .below: value < bound.value
        case .equal: value == bound.value
        }
    }

    package static func == (left: FeedbackCondition, right: FeedbackCondition) -> Bool {
        left.type == right.type && left.bound?.comparison == right.bound?.comparison && left.bound?.value == right.bound?.value
    }
}

extension JSONWriter {
    /// Writes a number as Go does: a whole one without a fraction.
    package mutating func plainNumber(_ value: Double) {
        if value == value.rounded(), abs(value) < 1e15 { integer(Int64(value)) } else { number(value) }
    }
}
