import Interactions

/// Turns the text of a cell into JSON.
struct CellReader: Sendable {
    private let options: ForeignOptions
    private let numbers: ForeignNumber
    /// Times, and what their dates tell.
    private(set) var times: ForeignTime

    init(_ options: ForeignOptions, separator: UInt8) {
        self.options = options
        numbers = ForeignNumber(mark: options.decimalMark, isSemicolonFile: separator == UInt8(ascii: ";"))
        times = ForeignTime(rules: options.times)
    }

    /// The text without white space around it; nil of an empty cell and of `NULL` and `\N`, as databases export what is not there.
    static func present(_ cell: String) -> String? {
        let text = trimmed(cell)
        return text.isEmpty || text == "NULL" || text == "\\N" ? nil : text
    }

    /// The text without white space around it.
    static func trimmed(_ text: some StringProtocol) -> String {
        let isSpace: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" || $0 == "\u{A0}" }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }), let last = scalars.lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(String.UnicodeScalarView(scalars[first...last]))
    }

    /// The JSON of a cell that has something in it, and a currency that stands in it.
    ///
    /// - Throws: ``Rejection`` with the field, the text and what would be right.
    mutating func json(_ text: String, _ field: RecordField) throws(Rejection) -> (json: String, currency: String?) {
        switch field.value {
        case .text: return (JSONText.quoted(text), nil)
        case .time: return (JSONText.quoted(try time(text, field).rfc3339()), nil)
        case .money:
            let (amount, currency) = ForeignMoney(numbers: numbers).read(text)
            return (try number(amount, text, field), try known(currency, text, field))
        case .minorMoney:
            let (amount, currency) = ForeignMoney(numbers: numbers).read(text)
            return (try whole(amount, text, field), try known(currency, text, field))
        case .currency:
            // What is no code at all is for the decoder to say.
            if let code = Currency.code(text) { _ = try known(code, text, field) }
            return (JSONText.quoted(text), nil)
        case .number: return (try number(numbers.read(text), text, field), nil)
        case .integer:
            return (try whole(numbers.read(text), text, field), nil)
        case .boolean: return (try boolean(text, field) ? "true" : "false", nil)
        case .list: return (Self.array(text.split(separator: options.listSeparator).map(Self.trimmed)), nil)
        case .words: return (Self.array(text.split(separator: " ").map(String.init)), nil)
        case .numbers:
            var list: [String] = []
            for part in text.split(whereSeparator: { " ,;|[]".contains($0) }) {
                list.append(try number(ForeignNumber(mark: .point, isSemicolonFile: false).read(part), text, field))
            }
            return ("[" + list.joined(separator: ",") + "]", nil)
        }
    }

    private static func array(_ texts: [String]) -> String {
        "[" + texts.filter { !$0.isEmpty }.map(JSONText.quoted).joined(separator: ",") + "]"
    }

    private func number(_ reading: ForeignNumber.Reading, _ text: String, _ field: RecordField) throws(Rejection) -> String {
        switch reading {
        case .number(let number): return number
        case .ambiguous(let one, let other):
            throw refusal(field, text, "may be \(one) or \(other): say --decimal point or --decimal comma")
        case .none: throw refusal(field, text, "is no number that is understood, such as 1234.50\(Self.markHint(options.decimalMark))")
        }
    }

    private func whole(_ reading: ForeignNumber.Reading, _ text: String, _ field: RecordField) throws(Rejection) -> String {
        let parts = try number(reading, text, field).split(separator: ".", maxSplits: 1)
        guard parts.count == 1 || parts[1].allSatisfy({ $0 == "0" }) else { throw refusal(field, text, "is no whole number") }
        return String(parts[0])
    }

    /// The currency, where ISO 4217 has it: of `12 PCS` nobody knows what it is worth.
    private func known(_ currency: String?, _ text: String, _ field: RecordField) throws(Rejection) -> String? {
        guard let currency, !Currency.isKnown(currency) else { return currency }
        throw refusal(field, text, "names \(currency), which is no currency of ISO 4217")
    }

    private static func markHint(_ mark: DecimalMark) -> String { mark == .auto ? "" : " (read with --decimal \(mark.rawValue))" }

    private mutating func time(_ text: String, _ field: RecordField) throws(Rejection) -> EventTime {
        switch times.read(text) {
        case .time(let time): return time
        case .ambiguous:
            throw refusal(field, text, "may have the month or the day first: say --dates mdy or --dates dmy")
        case .none:
            throw refusal(
                field, text,
                "is no time that is understood, such as 2026-11-21T08:00:00Z, 2026-11-21 08:00:00 UTC, 11/21/2026 8:00 or a number "
                    + "since 1970")
        }
    }

    private func boolean(_ text: String, _ field: RecordField) throws(Rejection) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "1", "t", "y": return true
        case "false", "no", "0", "f", "n": return false
        default: throw refusal(field, text, "is neither true nor false")
        }
    }

    private func refusal(_ field: RecordField, _ text: String, _ sentence: String) -> Rejection {
        Rejection(.malformedRow, field: field.name, JSONText.quoted(String(text.prefix(64))) + " " + sentence)
    }
}
