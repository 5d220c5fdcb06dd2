import Bytes
import Interactions
import TowerModel

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

    /// What is odd about where the settings come from, in sentences: a file with secrets that everybody may read.
    public internal(set) var warnings: [String] = []

    /// The settings that somebody made, by key.
    public private(set) var settings: [String: Setting] = [:]

    /// The settings of the trainer itself: `train.*` keys that are not listed in ``ConfigurationKey/all``.
    public private(set) var trainerSettings: [String: Setting] = [:]

    /// The trainer's keys as they stand under `train`, with their settings' own names.
    static let trainerKeys: [String: TowerConfiguration.Key] = Dictionary(
        uniqueKeysWithValues: TowerConfiguration.keys.map { ("train." + $0.name, $0) })

    /// Takes `value` for `key`, checked; a later call wins, and of a mapping the later entry of a name.
    public mutating func set(_ key: String, _ value: Value, source: String) throws(ConfigurationError) {
        if let entry = Self.mapEntry(of: key) {
            guard case .scalar(let text) = value else {
                throw ConfigurationError("\(source): \(key) takes one value")
            }
            try merge([entry.name: text], into: entry.key, source: source)
        } else if let known = ConfigurationKey.byName[key] {
            if known.kind.isMap {
                try merge(try known.entries(of: value, source: source), into: known, source: source)
            } else {
                settings[key] = Setting(value: try known.checked(value, source: source), source: source)
            }
        } else if let trainer = Self.trainerKeys[key] {
            let text = try ConfigurationKey.trainerText(value, of: trainer.name, source: source)
            trainerSettings[trainer.name] = Setting(value: .scalar(text), source: source)
        } else {
            throw Self.unknown(key, source: source)
        }
    }

    /// Takes what a variable or a flag says, where lists and mappings may be written as YAML writes them within a line.
    ///
    /// `null` and `~` set nothing.
    mutating func set(_ key: String, text: String, source: String) throws(ConfigurationError) {
        let plain = text.trimmingSpaces
        guard !FlowText.isNull(plain) else {
            guard Self.isKnown(key) else { throw Self.unknown(key, source: source) }
            return
        }
        guard let known = ConfigurationKey.byName[key], known.kind.isList || known.kind.isMap, let first = plain.first, "[{".contains(first)
        else { return try set(key, .scalar(text), source: source) }
        guard let value = try FlowText.value(of: String(plain), key: key, source: source) else { return }
        try set(key, value, source: source)
    }

    /// Whether a key, or an entry of a mapping, is one of this program.
    static func isKnown(_ key: String) -> Bool {
        ConfigurationKey.byName[key] != nil || trainerKeys[key] != nil || mapEntry(of: key) != nil
    }

    /// A flag's own name stands in its source.
    private static func shownSource(_ source: String) -> String {
        source.hasPrefix("--set ") ? "--set \(shownName(String(source.dropFirst(6))))" : source
    }

    static func unknown(_ key: String, source: String) -> ConfigurationError {
        let known = ConfigurationKey.all.map(\.name) + TowerConfiguration.keys.map { "train." + $0.name }
        let hint = NearestName.of(key, among: known).map { "; did you mean \($0)?" } ?? "; docs/configuration.md lists all keys"
        return ConfigurationError("\(shownSource(source)): unknown key \(shownName(key))\(hint)")
    }

    /// `kafka.properties.sasl.username` → (`kafka.properties`, `sasl.username`).
    static func mapEntry(of key: String) -> (key: ConfigurationKey, name: String)? {
        for known in ConfigurationKey.all where known.kind.isMap {
            guard key.hasPrefix(known.name + "."), key.count > known.name.count + 1 else { continue }
            return (known, String(key.dropFirst(known.name.count + 1)))
        }
        return nil
    }

    private mutating func merge(_ entries: [String: String], into key: ConfigurationKey, source: String) throws(ConfigurationError) {
        let checked = try key.checked(entries: entries, source: source)
        var map: [String: String] = [:]
        if case .map(let known)? = settings[key.name]?.value { map = known }
        map.merge(checked) { $1 }
        settings[key.name] = Setting(value: .map(map), source: source)
    }
}

// Reading by type. Values are checked when set, and a name without a key does not compile: these trap only where a key of another kind is
// asked for, as a number of a text.
extension Configuration {
    private func fallback(_ name: KeyName) -> String {
        guard let key = ConfigurationKey.byName[name.rawValue] else { preconditionFailure("the table of keys lacks \(name.rawValue)") }
        return key.fallback
    }

    /// The text of a key of any kind with one value.
    public func text(_ name: KeyName) -> String {
        if case .scalar(let text)? = settings[name.rawValue]?.value { return text }
        return fallback(name)
    }

    /// The value of an integer key.
    public func integer(_ name: KeyName) -> Int {
        guard let number = Int(text(name)) else { preconditionFailure("\(name.rawValue) is not an integer key") }
        return number
    }

    /// The value of a boolean key.
    public func boolean(_ name: KeyName) -> Bool { text(name) == "true" }

    /// The values of a list key in order.
    public func list(_ name: KeyName) -> [String] {
        if case .list(let items)? = settings[name.rawValue]?.value { return items }
        return fallback(name).split(separator: ",").map(String.init)
    }

    /// The entries of a map key.
    public func map(_ name: KeyName) -> [String: String] {
        if case .map(let map)? = settings[name.rawValue]?.value { return map }
        return [:]
    }

    /// The value of a number key.
    public func number(_ name: KeyName) -> Double {
        guard let number = Double(text(name)) else { preconditionFailure("\(name.rawValue) is not a number key") }
        return number
    }

    /// The value of a share key, in whole percent; auto is any share.
    public func share(_ name: KeyName) -> ClosedRange<Int> { ShareText.range(text(name)) ?? ShareText.whole }

    /// The value of a time key.
    public func time(_ name: KeyName) -> EventTime {
        guard let time = EventTime(rfc3339: text(name)) else { preconditionFailure("\(name.rawValue) is not a time key") }
        return time
    }

    /// The database, or a sentence that says how to name it.
    public func databaseURL() throws(ConfigurationError) -> String {
        let url = text(.databaseURL)
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
