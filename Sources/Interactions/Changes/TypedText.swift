import Bytes

/// Values whose bytes or numbers mean something by their schema, as JSON text that the paths of a mapping read.
package enum TypedText {
    /// The longest decimal, in bytes of its whole number: some 150 digits.
    package static let decimalBytesLimit = 64
    /// The most digits behind, or zeros before, the point of a decimal.
    package static let scaleLimit = 100

    /// What numbers count since 1970 or since midnight.
    package enum Step: Sendable, Equatable {
        case milliseconds
        case microseconds
        case nanoseconds

        /// Steps of a second.
        var perSecond: Int64 {
            switch self {
            case .milliseconds: 1_000
            case .microseconds: 1_000_000
            case .nanoseconds: 1_000_000_000
            }
        }
    }

    // MARK: Decimals

    /// Appends the number `whole × 10^-scale`, every digit kept.
    ///
    /// - Parameter whole: two's complement, the highest byte first, as Avro and Kafka Connect write it; none are 0.
    /// - Returns: false where it has more bytes or a larger scale than is read; nothing is appended then.
    /// - Complexity: O(bytes²), of at most ``decimalBytesLimit``.
    package static func append(decimal whole: some RandomAccessCollection<UInt8>, scale: Int, to output: inout [UInt8]) -> Bool {
        guard whole.count <= decimalBytesLimit, abs(scale) <= scaleLimit else { return false }
        let isNegative = (whole.first ?? 0) & 0x80 != 0
        var digits: [UInt8]
        if whole.count <= 8 {
            var value: Int64 = isNegative ? -1 : 0
            for byte in whole { value = value << 8 | Int64(byte) }
            digits = Array(String(value.magnitude).utf8)
        } else {
            digits = self.digits(of: whole, isNegative: isNegative)
        }
        if isNegative { output.append(UInt8(ascii: "-")) }
        guard scale > 0 else {
            output += digits
            if digits != [UInt8(ascii: "0")] { output += repeatElement(UInt8(ascii: "0"), count: -scale) }
            return true
        }
        if digits.count <= scale { digits = [UInt8](repeating: UInt8(ascii: "0"), count: scale + 1 - digits.count) + digits }
        output += digits[..<(digits.count - scale)]
        output.append(UInt8(ascii: "."))
        output += digits[(digits.count - scale)...]
        return true
    }

    /// The digits of the amount of a long number.
    private static func digits(of whole: some RandomAccessCollection<UInt8>, isNegative: Bool) -> [UInt8] {
        var amount = Array(whole)
        if isNegative {
            var carry = true
            for index in amount.indices.reversed() {
                amount[index] = ~amount[index]
                if carry { (amount[index], carry) = amount[index].addingReportingOverflow(1) }
            }
        }
        var groups: [UInt32] = []
        while amount.contains(where: { $0 != 0 }) {
            var rest: UInt64 = 0
            for index in amount.indices {
                let part = rest << 8 | UInt64(amount[index])
                amount[index] = UInt8(part / 1_000_000_000)
                rest = part % 1_000_000_000
            }
            groups.append(UInt32(rest))
        }
        guard let first = groups.last else { return [UInt8(ascii: "0")] }
        var digits = Array(String(first).utf8)
        for group in groups.dropLast().reversed() {
            let text = String(group)
            digits += repeatElement(UInt8(ascii: "0"), count: 9 - text.utf8.count)
            digits += text.utf8
        }
        return digits
    }

    // MARK: Times

    /// Appends a day as a text, `"2026-11-21"`; one outside the years 0000 to 9999 as its number.
    package static func append(days: Int64, to output: inout [UInt8]) {
        guard days >= -719_528, days <= 2_932_896 else { return append(number: days, to: &output) }
        output.append(UInt8(ascii: "\""))
        appendDate(days, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a time of day as a text, `"08:00:00.5"`; what is no time of one day as its number.
    package static func append(timeOfDay value: Int64, _ step: Step, to output: inout [UInt8]) {
        guard value >= 0, value <= 86_400 * step.perSecond else { return append(number: value, to: &output) }
        output.append(UInt8(ascii: "\""))
        appendTime(value, step, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a point in time as a text, `"2026-11-21T08:00:00.5Z"`; one outside the years 0000 to 9999 as its number.
    ///
    /// - Parameter isLocal: whether it is what some place's clocks showed: then it has no Z.
    package static func append(timestamp value: Int64, _ step: Step, isLocal: Bool, to output: inout [UInt8]) {
        let days = EventTime.floorDivide(value, 86_400 * step.perSecond)
        guard days >= -719_528, days <= 2_932_896 else { return append(number: value, to: &output) }
        output.append(UInt8(ascii: "\""))
        appendDate(days, to: &output)
        output.append(UInt8(ascii: "T"))
        appendTime(value - days * 86_400 * step.perSecond, step, to: &output)
        if !isLocal { output.append(UInt8(ascii: "Z")) }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendDate(_ days: Int64, to output: inout [UInt8]) {
        let (year, month, day) = EventTime.civil(daysSince1970: Int(days))
        append(year, width: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        append(month, width: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        append(day, width: 2, to: &output)
    }

    private static func appendTime(_ value: Int64, _ step: Step, to output: inout [UInt8]) {
        let seconds = Int(value / step.perSecond)
        append(seconds / 3_600, width: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(seconds / 60 % 60, width: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(seconds % 60, width: 2, to: &output)
        let fraction = Int(value % step.perSecond)
        guard fraction > 0 else { return }
        output.append(UInt8(ascii: "."))
        append(fraction, width: step == .milliseconds ? 3 : step == .microseconds ? 6 : 9, to: &output)
    }

    private static func append(_ value: Int, width: Int, to output: inout [UInt8]) {
        let start = output.count
        output += repeatElement(UInt8(ascii: "0"), count: width)
        var value = value, place = start + width - 1
        while value > 0, place >= start {
            output[place] = UInt8(ascii: "0") + UInt8(value % 10)
            value /= 10
            place -= 1
        }
    }

    // MARK: Numbers and texts

    /// Appends a whole number.
    package static func append(number: Int64, to output: inout [UInt8]) {
        if number >= 0, number < 10 { return output.append(UInt8(ascii: "0") + UInt8(number)) }
        output += String(number).utf8
    }

    /// Appends a text in quotes, with what JSON does not take as it is escaped.
    package static func append(quoted text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var plain = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            output += text[plain..<index]
            plain = index + 1
            output.append(UInt8(ascii: "\\"))
            guard byte < 0x20 else {
                output.append(byte)
                continue
            }
            let digits: StaticString = "0123456789abcdef"
            output += "u00".utf8
            output.append(digits.utf8Start[Int(byte >> 4)])
            output.append(digits.utf8Start[Int(byte & 15)])
        }
        output += text[plain...]
        output.append(UInt8(ascii: "\""))
    }

    /// Appends bytes as base64 in quotes, which is how Kafka Connect writes them as JSON.
    package static func append(base64 bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        Base64.append(bytes, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a text that is JSON as the value that it is, and any other in quotes.
    package static func append(json text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if isJSON(text) { output += text } else { append(quoted: text, to: &output) }
    }

    private static func isJSON(_ text: UnsafeRawBufferPointer) -> Bool {
        guard !text.isEmpty, TextSurvey.of(text) != .invalid else { return false }
        var scanner = JSONScanner(
            text.assumingMemoryBound(to: UInt8.self), from: 0, to: text.count, maxDepth: DecodingRules.deepestAllowed / 2)
        do throws(Rejection) {
            _ = try scanner.value(depth: 0)
            scanner.skipSpace()
            return scanner.at == text.count
        } catch {
            return false
        }
    }
}
