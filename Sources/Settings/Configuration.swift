import Interactions
import TwoTower

/// What was wrong with a setting, where it came from, and what would be right.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// A sentence.
    public let description: String

    /// An error that says `description`.
    public init(_ description: String) {
        self.description = description
    }
}

/// The settings in force: `freshet.yaml`, then the environment, then flags; the later wins.
///
/// Values are checked when the configuration is made, so that a role never stops on a bad one hours later.
public struct Configuration: Sendable {
    /// A value with the place that it came from, for error messages.
    public struct Setting: Sendable {
        /// The value as it was written.
        public var value: Value
        /// The file and line, variable or flag.
        public var source: String
    }

    /// A setting's value before it is given a type.
    public enum Value: Sendable, Equatable {
        /// One value.
        case scalar(String)
        /// Several values in order.
        case list([String])
        /// Values by name.
        case map([String: String])
    }

    /// Nothing set.
    public init() {}

    /// The settings that somebody made, by key.
    public private(set) var settings: [String: Setting] = [:]

    /// The settings of the trainer itself: `train.*` keys that are not listed in ``ConfigurationKey/all``.
    public private(set) var trainerSettings: [String: Setting] = [:]

    /// Takes `value` for `key`, checked; a later call wins.
    public mutating func set(_ key: String, _ value: Value, source: String) throws(ConfigurationError) {
        if let entry = mapEntry(of: key) {
            guard case .scalar(let text) = value else {
                throw ConfigurationError("\(source): \(key) takes one value")
            }
            var map: [String: String] = [:]
            if case .map(let known)? = settings[entry.map]?.value { map = known }
            map[entry.name] = text
            settings[entry.map] = Setting(value: .map(map), source: source)
            return
        }
        if let known = ConfigurationKey.byName[key] {
            settings[key] = Setting(value: try Self.checked(value, for: known, source: source), source: source)
            return
        }
        if key.hasPrefix("train."), TowerConfiguration.keys.contains(where: { "train." + $0.name == key }) {
            guard case .scalar(let text) = value else {
                throw ConfigurationError("\(source): \(key) takes one value")
            }
            trainerSettings[String(key.dropFirst("train.".count))] = Setting(value: .scalar(text), source: source)
            return
        }
        let known = ConfigurationKey.all.map(\.name) + TowerConfiguration.keys.map { "train." + $0.name }
        let hint = NearestName.of(key, among: known).map { "; did you mean \($0)?" } ?? "; docs/configuration.md lists all keys"
        throw ConfigurationError("\(source): unknown key \(key)\(hint)")
    }

    /// `kafka.properties.sasl.username` → (`kafka.properties`, `sasl.username`).
    private func mapEntry(of key: String) -> (map: String, name: String)? {
        for known in ConfigurationKey.all {
            guard case .map = known.kind, key.hasPrefix(known.name + "."), key.count > known.name.count + 1 else { continue }
            return (known.name, String(key.dropFirst(known.name.count + 1)))
        }
        return nil
    }

    private static func checked(
        _ value: Value, for key: ConfigurationKey, source: String
    ) throws(ConfigurationError) -> Value {
        switch (key.kind, value) {
        case (.map, .map), (.map, .scalar("")):
            return value
        case (.list(let allowed), _):
            let items: [String]
            switch value {
            case .list(let list): items = list
            case .scalar(let text):
                items = text.split(separator: ",").map { String($0.trimmingSpaces) }.filter { !$0.isEmpty }
            case .map: throw ConfigurationError("\(source): \(key.name) takes a list")
            }
            if let allowed, let wrong = items.first(where: { !allowed.contains($0) }) {
                let hint = NearestName.of(wrong, among: allowed).map { "; did you mean \($0)?" } ?? ""
                throw ConfigurationError(
                    "\(source): \(key.name) does not know \(wrong): it takes \(allowed.joined(separator: ", "))\(hint)")
            }
            return .list(items)
        case (.integer(let range), .scalar(let text)):
            guard let number = Int(text), range.contains(number) else {
                throw ConfigurationError(
                    "\(source): \(key.name) is \(text), but takes a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        case (.boolean, .scalar(let text)):
            guard ["true", "false"].contains(text) else {
                throw ConfigurationError("\(source): \(key.name) is \(text), but takes true or false")
            }
            return value
        case (.choice(let choices), .scalar(let text)):
            guard choices.contains(text) else {
                throw ConfigurationError("\(source): \(key.name) is \(text), but takes \(choices.joined(separator: ", "))")
            }
            return value
        case (.number(let range), .scalar(let text)):
            guard let number = Double(text), range.contains(number) else {
                throw ConfigurationError(
                    "\(source): \(key.name) is \(text), but takes a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        case (.time, .scalar(let text)):
            guard EventTime(rfc3339: text) != nil else {
                throw ConfigurationError("\(source): \(key.name) is \(text), but takes a time such as 1990-01-01T00:00:00Z")
            }
            return value
        case (.name, .scalar(let text)):
            guard !text.allSatisfy(\.isWhitespace) else {
                throw ConfigurationError("\(source): \(key.name) is empty (\(key.summary))")
            }
            return value
        case (.text, .scalar), (.secret, .scalar):
            return value
        default:
            throw ConfigurationError("\(source): \(key.name) has the wrong shape (\(key.summary))")
        }
    }
}

// Reading by type. Keys are checked when set, so these trap only on a key that the program itself misspells.
extension Configuration {
    private func key(_ name: String) -> ConfigurationKey {
        guard let key = ConfigurationKey.byName[name] else { preconditionFailure("no configuration key is named \(name)") }
        return key
    }

    /// The text of a key of any kind with one value.
    public func text(_ name: String) -> String {
        let key = key(name)
        if case .scalar(let text)? = settings[name]?.value { return text }
        return key.fallback
    }

    /// The value of an integer key.
    public func integer(_ name: String) -> Int {
        guard let number = Int(text(name)) else { preconditionFailure("\(name) is not an integer key") }
        return number
    }

    /// The value of a boolean key.
    public func boolean(_ name: String) -> Bool { text(name) == "true" }

    /// The values of a list key in order.
    public func list(_ name: String) -> [String] {
        if case .list(let items)? = settings[name]?.value { return items }
        return key(name).fallback.split(separator: ",").map(String.init)
    }

    /// The entries of a map key.
    public func map(_ name: String) -> [String: String] {
        if case .map(let map)? = settings[name]?.value { return map }
        return [:]
    }

    /// The value of a number key.
    public func number(_ name: String) -> Double {
        guard let number = Double(text(name)) else { preconditionFailure("\(name) is not a number key") }
        return number
    }

    /// The value of a time key.
    public func time(_ name: String) -> EventTime {
        guard let time = EventTime(rfc3339: text(name)) else { preconditionFailure("\(name) is not a time key") }
        return time
    }

    /// The database, or a sentence that says how to name it.
    public func databaseURL() throws(ConfigurationError) -> String {
        let url = text("database.url")
        guard !url.isEmpty else {
            throw ConfigurationError(
                "no database is configured: set database.url in freshet.yaml or FRESHET_DATABASE_URL in the environment, "
                    + "for example postgresql://freshet@127.0.0.1:5432/freshet")
        }
        return url
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    public var trimmingSpaces: SubSequence {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        return rest
    }
}
