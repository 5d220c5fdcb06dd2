import Bytes
import Interactions
import TowerModel

// What a value must be, by the kind of its key. Each check returns the value as it is kept.
extension ConfigurationKey {
    /// A value of a key that is no mapping.
    func checked(_ value: Configuration.Value, source: String) throws(ConfigurationError) -> Configuration.Value {
        if kind.isList { return .list(try checked(items: value, source: source)) }
        guard case .scalar(let text) = value else {
            let shape = if case .map = value { "a mapping" } else { "a list" }
            throw ConfigurationError("\(source): \(name) takes one value, not \(shape) (\(summary))")
        }
        return .scalar(try checked(text: text, source: source))
    }

    private func checked(text given: String, source: String) throws(ConfigurationError) -> String {
        try refuseControlCharacters(in: given, of: name, source: source)
        let text = String(given.trimmingSpaces)
        func refusal(_ takes: String, _ hint: String? = nil) -> ConfigurationError {
            ConfigurationError("\(source): \(name) is \(text.isEmpty ? "empty" : text), but takes \(takes)\(hint.map { "; \($0)" } ?? "")")
        }
        switch kind {
        case .integer(let range):
            guard NumberText.isWhole(text), let number = Int(text), range.contains(number) else {
                throw refusal("a whole number from \(range.lowerBound) to \(range.upperBound)", NumberText.wholeHint(text, within: range))
            }
            return String(number)
        case .numberOrAuto where text == "auto":
            return text
        case .number(let range), .numberOrAuto(let range):
            guard NumberText.isDecimal(text), let number = Double(text), range.contains(number) else {
                let word = if case .numberOrAuto = kind { "auto, or " } else { "" }
                throw refusal("\(word)a number from \(range.lowerBound) to \(range.upperBound)", NumberText.decimalHint(text))
            }
            return text
        case .boolean:
            guard let word = BooleanText.word(text) else { throw refusal("true or false", BooleanText.hint(text)) }
            return word
        case .choice(let choices):
            guard choices.contains(text) else {
                let hint = BooleanText.isFalse(text) && choices.contains("off") ? "off" : NearestName.of(text, among: choices)
                throw refusal(choices.joined(separator: ", "), hint.map { "did you mean \($0)?" })
            }
            return text
        case .time:
            guard EventTime(rfc3339: text) != nil else { throw refusal("a time such as 1990-01-01T00:00:00Z") }
            return text
        case .share:
            if text == "auto" { return text }
            guard let share = ShareText.range(text) else {
                throw refusal("auto, or the least and the most in whole percent, such as 10-40", ShareText.hint(text))
            }
            return "\(share.lowerBound)-\(share.upperBound)"
        case .currency:
            if text.isEmpty, fallback.isEmpty { return text }
            guard let code = CurrencyText.code(text) else {
                throw refusal("the three letters of an ISO 4217 code, such as EUR")
            }
            return code
        case .name:
            guard !text.allSatisfy(\.isWhitespace) else { throw ConfigurationError("\(source): \(name) is empty (\(summary))") }
            return text
        default:
            return text
        }
    }

    // MARK: Lists

    private func checked(items value: Configuration.Value, source: String) throws(ConfigurationError) -> [String] {
        let items: [String]
        switch value {
        case .list(let list): items = list
        case .scalar(let text):
            guard !text.trimmingSpaces.isEmpty || !isKeys else {
                throw ConfigurationError("\(source): \(name) is empty: give it a key, write [] for none, or leave it out")
            }
            items = text.trimmingSpaces.isEmpty
                ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmingSpaces) }
        case .map: throw ConfigurationError("\(source): \(name) takes a list, not a mapping (\(summary))")
        }
        for (place, item) in items.enumerated() {
            try refuseControlCharacters(in: item, of: "the \(Self.ordinal(place + 1)) entry of \(name)", source: source)
            guard !item.allSatisfy(\.isWhitespace) else {
                throw ConfigurationError("\(source): the \(Self.ordinal(place + 1)) entry of \(name) is empty: leave it out (\(summary))")
            }
        }
        switch kind {
        case .list(let allowed?):
            if let wrong = items.first(where: { !allowed.contains($0) }) {
                let hint = NearestName.of(wrong, among: allowed).map { "; did you mean \($0)?" } ?? ""
                throw ConfigurationError(
                    "\(source): \(name) does not know \(wrong): it takes \(allowed.joined(separator: ", "))\(hint)")
            }
        case .keys: try check(secrets: items, source: source)
        case .numbers(let count, let range):
            let numbers = items.compactMap { NumberText.isDecimal($0) ? Double($0) : nil }
            guard items.count == count, numbers.count == count, numbers.allSatisfy({ range.contains($0) }) else {
                throw ConfigurationError(
                    "\(source): \(name) is \(items.joined(separator: ",")), but takes \(count) numbers "
                        + "from \(range.lowerBound) to \(range.upperBound) (\(summary))")
            }
            guard numbers.contains(where: { $0 != 0 }) else {
                throw ConfigurationError("\(source): all numbers of \(name) are 0, so nothing would be learned (\(summary))")
            }
        default: break
        }
        return items
    }

    private var isKeys: Bool { if case .keys = kind { true } else { false } }

    /// Secrets are named by their place alone.
    private func check(secrets: [String], source: String) throws(ConfigurationError) {
        var places: [String: Int] = [:]
        for (place, secret) in secrets.enumerated() {
            guard secret.trimmingSpaces.count == secret.count else {
                throw ConfigurationError(
                    "\(source): the \(Self.ordinal(place + 1)) entry of \(name) has spaces at its ends, which no HTTP header keeps: "
                        + "write it without")
            }
            if let first = places.updateValue(place, forKey: secret) {
                throw ConfigurationError(
                    "\(source): the \(Self.ordinal(first + 1)) and the \(Self.ordinal(place + 1)) entry of \(name) are the same: "
                        + "leave one out")
            }
        }
    }

    private static func ordinal(_ number: Int) -> String {
        let endings = [1: "st", 2: "nd", 3: "rd"]
        return "\(number)" + ((11...13).contains(number % 100) ? "th" : endings[number % 10] ?? "th")
    }

    // MARK: Mappings

    /// A value of a mapping as entries, not checked yet.
    func entries(of value: Configuration.Value, source: String) throws(ConfigurationError) -> [String: String] {
        switch value {
        case .map(let entries): return entries
        case .scalar(let text) where text.trimmingSpaces.isEmpty: return [:]
        default: throw ConfigurationError("\(source): \(name) takes a mapping of names and values, such as {name: value} (\(summary))")
        }
    }

    /// The entries of a mapping as they are kept.
    func checked(entries: [String: String], source: String) throws(ConfigurationError) -> [String: String] {
        var kept: [String: String] = [:]
        for (entry, value) in entries.sorted(by: { $0.key < $1.key }) {
            let (key, text) = try checked(entry: entry, value, source: source)
            if let other = kept.updateValue(text, forKey: key), other != text {
                throw ConfigurationError("\(source): \(name) has \(key) twice, with different values: leave one out")
            }
        }
        return kept
    }

    private func checked(entry: String, _ value: String, source: String) throws(ConfigurationError) -> (String, String) {
        switch kind {
        case .eventTypes:
            if let problem = EventTypeNames.problem(withAlias: entry) {
                throw ConfigurationError("\(source): \(name) names \(JSONText.quoted(String(entry.prefix(64)))), which \(problem)")
            }
            let type = String(value.trimmingSpaces)
            guard let known = EventTypeNames.all.first(where: { $0 == type }) else {
                let hint = NearestName.of(type.lowercased(), among: EventTypeNames.all).map { "; did you mean \($0)?" } ?? ""
                throw ConfigurationError(
                    "\(source): \(name) maps \(entry) to \(type.isEmpty ? "nothing" : type), "
                        + "but knows only \(EventTypeNames.all.joined(separator: ", "))\(hint)")
            }
            return (EventTypeNames.normal(entry), known)
        case .topics:
            return (entry, try TopicMappings.checked(value, of: entry, source: source))
        case .rates:
            let text = String(value.trimmingSpaces)
            guard let code = CurrencyText.code(String(entry.trimmingSpaces)) else {
                throw ConfigurationError("\(source): \(name) names \(entry), but takes the three letters of an ISO 4217 code, such as EUR")
            }
            guard NumberText.isDecimal(text), let rate = Double(text), rate.isFinite, rate > 0 else {
                let hint = NumberText.decimalHint(text).map { "; \($0)" } ?? ""
                throw ConfigurationError(
                    "\(source): \(name) gives \(code) the rate \(text.isEmpty ? "nothing" : text), but takes a number above 0\(hint)")
            }
            return (code, text)
        default:
            let plain = entry.trimmingSpaces
            guard plain.count == entry.count, !entry.isEmpty else {
                throw ConfigurationError("\(source): \(name) names \(JSONText.quoted(entry)), which has spaces at its ends or is empty")
            }
            try refuseControlCharacters(in: entry, of: "a name in \(name)", source: source)
            // Certificates and private keys have lines; a NUL would cut the value short without a word.
            guard !value.utf8.contains(0) else {
                throw ConfigurationError("\(source): the value of \(name).\(entry) holds the control character U+0000: write it without")
            }
            return (entry, value)
        }
    }

    private func refuseControlCharacters(in text: String, of what: String, source: String) throws(ConfigurationError) {
        guard let wrong = text.unicodeScalars.first(where: { EventTypeNames.isControl($0) && $0 != "\t" }) else { return }
        let shown = wrong == "\n" || wrong == "\r"
            ? "a line break: write it on one line" : "the control character U+\(EventTypeNames.hexadecimal(wrong)): write it without"
        throw ConfigurationError("\(source): \(what) holds \(shown)")
    }

    // MARK: The trainer's own settings

    /// The text of a trainer's setting as the trainer takes it.
    static func trainerText(_ value: Configuration.Value, of name: String, source: String) throws(ConfigurationError) -> String {
        guard case .scalar(let given) = value else { throw ConfigurationError("\(source): train.\(name) takes one value") }
        func refuse(_ text: String, _ hint: String?) throws(ConfigurationError) {
            let range = TowerConfiguration.keys.first { $0.name == name }?.range ?? ""
            throw ConfigurationError("\(source): train.\(name) cannot be '\(text)': \(range)\(hint.map { "; \($0)" } ?? "")")
        }
        var towers = TowerConfiguration(), text = String(given.trimmingSpaces), hint: String?
        let usual = towers.value(of: name) ?? ""
        if BooleanText.word(usual) != nil {
            (text, hint) = (BooleanText.word(text) ?? text, BooleanText.hint(text))
        } else if NumberText.isWhole(usual) {
            hint = NumberText.wholeHint(text, within: nil)
            if !NumberText.isWhole(text) { try refuse(text, hint) }
        } else if NumberText.isDecimal(usual) {
            hint = NumberText.decimalHint(text)
            if !NumberText.isDecimal(text) { try refuse(text, hint) }
        }
        if let refusal = TowerConfiguration.retirement(of: name, text) { throw ConfigurationError("\(source): \(refusal)") }
        do {
            try towers.set(name, text)
        } catch {
            try refuse(text, hint)
        }
        return text
    }
}
